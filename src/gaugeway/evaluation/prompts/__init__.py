"""Judges' prompts as files, `{name}.{version}.txt`.

A prompt that is released never changes: its next version is a new file, and verdicts by the old one are not taken
for the new one's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from gaugeway.core.judging import Question
from gaugeway.core.samples import NotApplicable, Sample

MAX_MATERIAL = 60_000
"""Characters of material that a judge is given. A longer log is skipped, never cut: half an answer is another."""


def question(prompt: str, material: Sequence[tuple[str, str]], schema: dict[str, Any], **filled: str) -> Question:
    """The question of a prompt (`rubric.1`) about named pieces of hostile text.

    The mark of their lines is made from the material itself, so nothing in it can hold it. `filled` are texts of
    the account, which are instructions.
    """
    if sum(len(text) for _, text in material) > MAX_MATERIAL:
        raise NotApplicable(f"there are more than {MAX_MATERIAL} characters to be judged")
    digest = hashlib.sha256("\0".join(part for piece in material for part in piece).encode(errors="replace"))
    mark = digest.hexdigest()[:20]
    pieces = [f"=== BEGIN {name} {mark} ===\n{text}\n=== END {name} {mark} ===" for name, text in material]
    system = _filled(_read("common.1"), {"mark": mark}) + _filled(_read(prompt), filled)
    return Question(system=system, user="\n\n".join(pieces), schema=schema, prompt=prompt)


def conversation(sample: Sample) -> str:
    """What was said before the answer."""
    return "\n\n".join(f"[{message.role}]\n{message.text}" for message in sample.conversation.messages)


def verdict_schema(**fields: dict[str, Any]) -> dict[str, Any]:
    """A verdict with a reason and these fields, all of them required and no others."""
    properties = {"reason": {"type": "string"}, **fields}
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _filled(template: str, filled: Mapping[str, str]) -> str:
    """In one pass, so that what is filled in is never taken for a place to fill."""
    parts = template.split("{{")
    out = [parts[0]]
    for part in parts[1:]:
        name, _, rest = part.partition("}}")
        out += (filled[name], rest)
    return "".join(out)


@cache
def _read(name: str) -> str:
    return (files(__name__) / f"{name}.txt").read_text(encoding="utf-8")
