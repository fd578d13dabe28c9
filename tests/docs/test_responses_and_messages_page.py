"""docs/responses-and-messages.md: every parameter of both formats, and what becomes of it."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest

from gaugeway.core.provider import compatible_of
from gaugeway.providers import load
from gaugeway.providers.dialects import messages, responses
from gaugeway.providers.dialects.messages_answer import STOP_REASONS

PAGE = (Path(__file__).parents[2] / "docs" / "responses-and-messages.md").read_text()


def rows(title: str) -> dict[str, str]:
    section = PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]
    found: dict[str, str] = {}
    for names, rest in re.findall(r"^\| (`[^|]+) \| (.*) \|$", section, re.MULTILINE):
        for name in re.findall(r"`([a-z_]+)`", names.partition(":")[0]):
            found[name] = found.get(name, "") + rest
    return found


@pytest.mark.parametrize(("title", "module"), [("Responses", responses), ("Messages", messages)])
def test_every_parameter_has_its_row_and_no_other(title: str, module: Any) -> None:
    assert rows(title).keys() == set(module._Request.__struct_fields__)


@pytest.mark.parametrize(("title", "module"), [("Responses", responses), ("Messages", messages)])
def test_what_is_refused_is_said_to_be(title: str, module: Any) -> None:
    for name in module.REFUSED:
        assert re.search("refused|only", rows(title)[name]), name


def test_who_speaks_a_format_is_named() -> None:
    for field in ("responses", "messages"):
        speaking = {p.slug for p in load().values() if getattr(compatible_of(p), field) is not None}
        assert speaking == {"responses": {"openai", "grok"}, "messages": {"anthropic", "grok"}}[field]
    assert "OpenAI and xAI Responses, Anthropic and xAI\nMessages" in PAGE


def test_figures_and_reasons_are_the_ones_in_use() -> None:
    for below, effort in messages.EFFORT_OF_BUDGET:
        assert f"`{effort}` below {below}" in PAGE
    for reason in STOP_REASONS.values():
        assert f"`{reason}`" in PAGE


def test_the_example_is_python() -> None:
    ast.parse(PAGE.partition("```python\n")[2].partition("```")[0])
