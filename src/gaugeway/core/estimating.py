"""About how many tokens a text has, for answers whose provider never came to say it. Marked as such on the log.

Rule of thumb: four ASCII characters a token (OpenAI's own, help.openai.com/articles/4936856), and one token for
any other character, which is about right for Chinese and rather much for Greek. A picture in the text counts 1000.
"""

from __future__ import annotations

import re
from typing import Any, cast

import msgspec

from gaugeway.core.model import Usage

ASCII_PER_TOKEN = 4
MEDIUM = 1000
_MEDIUM = re.compile(r"[A-Za-z0-9+/=_-]{2000,}")
_SAID = re.compile(
    rb'"(?:content|text|delta|thinking|reasoning|reasoning_content|partial_json|arguments|input|response|generated_text|generation)"'
    rb'\s*:\s*("(?:[^"\\]|\\.)*")'
)
_REPEATS = (b'.done"', b'"message_start"', b'"response.completed"', b'"response.incomplete"')
"""Events that say once more what others have said, or hold what is no answer."""


def tokens_of(text: str) -> int:
    """About how many tokens a text has."""
    text, media = _MEDIUM.subn("", text)
    beyond = len(text) - len(text.encode("ascii", "ignore"))
    return -(-(len(text) - beyond) // ASCII_PER_TOKEN) + beyond + media * MEDIUM


def tokens_in(body: bytes) -> int:
    """About how many a request's body has: of its texts, where it is JSON."""
    try:
        return _tokens_within(msgspec.json.decode(body))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return tokens_of(body.decode("utf-8", "replace"))


def tokens_out(answer: bytes) -> int:
    """About how many were written in an answer, or as much of it as came: JSON, or server-sent events."""
    events = re.split(rb"\r?\n\r?\n", answer)
    said = (
        text for event in events if not any(mark in event for mark in _REPEATS) for text in _SAID.findall(event)
    )
    return tokens_of("".join(_plain(text) for text in said))


def completed(usage: Usage, request: bytes, answer: bytes, *, seen: int) -> Usage:
    """The usage with what was not reported estimated. `seen`: bytes of the answer; `answer` may lack some."""
    missing = usage.tokens_in is None, usage.tokens_out is None
    if usage.tokens_in == 0 and not usage.tokens_out:  # nothing uses nothing: some say 0 for what they do not know
        missing = True, True
    if not any(missing):
        return usage
    out = tokens_out(answer) if missing[1] else 0
    if answer and seen > 2 * len(answer):  # compressed answers are smaller than what is in them
        out = out * seen // len(answer)
    return msgspec.structs.replace(
        usage,
        tokens_in=tokens_in(request) if missing[0] else usage.tokens_in,
        tokens_out=out if missing[1] else usage.tokens_out,
    )


def _tokens_within(value: Any) -> int:
    if isinstance(value, str):
        return tokens_of(value)
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        return sum(tokens_of(key) + _tokens_within(item) for key, item in fields.items())
    if isinstance(value, list):
        return sum(map(_tokens_within, cast("list[Any]", value)))
    return 1


def _plain(text: bytes) -> str:
    try:
        return msgspec.json.decode(text, type=str)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return text.decode("utf-8", "replace")
