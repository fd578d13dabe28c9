"""Takes text out of logs before they are frozen: personal data of named kinds, and what patterns match.

A body is redacted in its texts, as they are once JSON's escapes are read, also in JSON within a text; numbers are
looked at as text. A stream is put together into one answer first, as a word may be spread over its events. What
cannot be redacted for certain is not kept, and is counted.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, cast

from msgspec import Struct, structs

from gaugeway.core.errors import BadInput, Path
from gaugeway.core.linear import Match, Pattern, compile_linear
from gaugeway.core.model import Bodies, LogRecord
from gaugeway.core.samples import Message
from gaugeway.core.snapshots import Redaction
from gaugeway.evaluation.conversations import read_conversation
from gaugeway.evaluation.conversations.openai import as_chat_calls
from gaugeway.evaluation.personal_data import FINDERS, MAX_LETTERS, Kind, find

MAX_DEPTH = 200
"""Of JSON that is looked into."""
MAX_PATTERN_BYTES = 1 << 20


class Uncertain(Exception):
    """A text cannot be redacted so that nothing is left for certain."""


class Rule(Struct, frozen=True):
    """A rule that can be applied."""

    replacement: str
    kind: Kind | None = None
    region: str | None = None
    pattern: Pattern | None = None

    def apply(self, text: str) -> str:
        """The text without what the rule is about."""
        if self.pattern is not None:
            return self.pattern.sub(self._replace, text)
        if self.kind is None:
            return text
        if len(text) > MAX_LETTERS:
            raise Uncertain
        pieces: list[str] = []
        end = 0
        for start, stop in find(self.kind, text, self.region):
            pieces += [text[end:start], self.replacement]
            end = stop
        return "".join([*pieces, text[end:]]) if pieces else text

    def _replace(self, match: Match) -> str:
        return self.replacement if match.group() else ""


def rules_of(redactions: Sequence[Redaction], path: Path = ()) -> list[Rule]:
    """Rules as they were asked for, checked; BadInput with the path of the first wrong one."""
    return [_rule(redaction, (*path, index)) for index, redaction in enumerate(redactions)]


def _rule(redaction: Redaction, path: Path) -> Rule:
    if bool(redaction.kind) == bool(redaction.pattern):
        raise BadInput("Expected either kind or pattern", path)
    if redaction.kind:
        if redaction.kind not in FINDERS:
            known = " | ".join(f"'{kind}'" for kind in FINDERS)
            message = f"Invalid enum value. Expected {known}, received '{redaction.kind[:80]}'"
            raise BadInput(message, (*path, "kind"))
        return Rule(redaction.replacement or f"[{redaction.kind}]", redaction.kind, redaction.region or None)
    try:
        pattern = compile_linear(redaction.pattern, max_bytes=MAX_PATTERN_BYTES)
    except ValueError as problem:
        raise BadInput(str(problem), (*path, "pattern")) from problem
    return Rule(redaction.replacement or "[redacted]", pattern=pattern)


class Redacted(Struct, frozen=True):
    """A log with things taken out of it."""

    record: LogRecord
    bodies: Bodies | None
    changed: bool
    dropped: int  # bodies that are not kept


def redact(rules: Sequence[Rule], record: LogRecord, bodies: Bodies | None) -> Redacted:
    """Apply the rules to everything that a caller or a provider wrote."""
    if not rules:
        return Redacted(record, bodies, changed=False, dropped=0)
    cleaner = _Cleaner(rules)
    clean_record, dropped = _record(cleaner, record), 0
    if bodies is not None:
        request = _whole(cleaner, bodies.request, cut=bodies.request_cut)
        response, content_type = _response(cleaner, record, bodies)
        dropped = (bodies.request is not None and request is None) + (
            bodies.response is not None and response is None
        )
        bodies = Bodies(
            request=request,
            response=response,
            request_cut=bodies.request_cut and request is not None,
            response_cut=bodies.response_cut and response is not None,
        )
        clean_record = structs.replace(clean_record, response_content_type=content_type)
    return Redacted(clean_record, bodies, cleaner.changed, dropped)


def _record(cleaner: _Cleaner, record: LogRecord) -> LogRecord:
    """Its columns that are free text. One that is too long to be certain about is left out."""

    def clean(text: str | None) -> str | None:
        try:
            return None if text is None else cleaner.text(text)
        except Uncertain:
            return None

    metadata = None
    if record.metadata is not None:
        pairs = ((key, value, cleaner.scalar(value)) for key, value in record.metadata.items())
        metadata = {key: value if clean_value is None else clean_value for key, value, clean_value in pairs}
    return structs.replace(
        record,
        event_id=clean(record.event_id),
        user_agent=clean(record.user_agent),
        error=clean(record.error),
        attempts=tuple(structs.replace(each, error=clean(each.error)) for each in record.attempts),
        metadata=metadata,
    )


def _response(cleaner: _Cleaner, record: LogRecord, bodies: Bodies) -> tuple[bytes | None, str | None]:
    """The answer, and its content type."""
    body, content_type = bodies.response, record.response_content_type
    is_stream = "event-stream" in (content_type or "") or (body or b"").lstrip()[:6] in (b"data: ", b"event:")
    if body is None or not is_stream:
        return _whole(cleaner, body, cut=bodies.response_cut), content_type
    answer = read_conversation(record, Bodies(response=body, response_cut=bodies.response_cut)).answer
    if answer is None:
        return None, content_type
    return _whole(cleaner, _as_chat_completion(record.model, answer), cut=False), "application/json"


def _as_chat_completion(model: str, answer: Message) -> bytes:
    message: dict[str, Any] = {"role": answer.role, "content": answer.text}
    if answer.refusal is not None:
        message["refusal"] = answer.refusal
    if answer.tool_calls:
        message["tool_calls"] = as_chat_calls(answer.tool_calls)
    whole = {"object": "chat.completion", "model": model, "choices": [{"index": 0, "message": message}]}
    return json.dumps(whole, ensure_ascii=False).encode(errors="replace")


def _whole(cleaner: _Cleaner, body: bytes | None, *, cut: bool) -> bytes | None:
    """A body without what is taken out; None where that cannot be certain, or there is none."""
    if body is None or cut:
        return None
    try:
        text = body.decode()
        if text.lstrip()[:1] in ("{", "[", '"'):
            clean = cleaner.json(text)
            return body if clean is None else clean.encode()
        return cleaner.text(text).encode()
    except (Uncertain, ValueError, RecursionError):
        return None


class _Cleaner:
    """Applies rules, and remembers whether anything changed."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = rules
        self.changed = False

    def text(self, text: str) -> str:
        """A plain text."""
        clean = text
        for rule in self._rules:
            clean = rule.apply(clean)
        self.changed = self.changed or clean != text
        return clean

    def scalar(self, value: str | float) -> str | None:
        """A value of the metadata, or a number; None where it stays as it is."""
        if isinstance(value, bool):
            return None
        text = value if isinstance(value, str) else repr(value)
        try:
            clean = self.text(text)
        except Uncertain:
            return ""
        return None if clean == text else clean

    def json(self, text: str) -> str | None:
        """JSON text; None where nothing is taken out of it. ValueError where it is none."""
        value, doubled = _load(text)
        clean = self._value(value, 0)
        if clean == value and not doubled:
            return None
        return _dump(clean)

    def _value(self, value: Any, depth: int) -> Any:
        if depth > MAX_DEPTH:
            raise Uncertain
        if isinstance(value, dict):
            items = cast("dict[str, Any]", value).items()
            found = {self._string(key, depth): self._value(each, depth + 1) for key, each in items}
            if len(found) < len(items):  # two keys became one
                raise Uncertain
            return found
        if isinstance(value, list):
            return [self._value(each, depth + 1) for each in cast("list[Any]", value)]
        if isinstance(value, str):
            return self._string(value, depth)
        if isinstance(value, bool) or value is None:
            return value
        clean = self.scalar(value)
        return value if clean is None else clean

    def _string(self, text: str, depth: int) -> str:
        """A text, which may be JSON itself: a tool's arguments."""
        if text.lstrip()[:1] in ("{", "["):
            try:
                inner, doubled = _load(text)
            except ValueError:
                return self.text(text)
            clean = self._value(inner, depth + 1)
            if clean != inner or doubled:
                return _dump(clean)
        return self.text(text)


def _load(text: str) -> tuple[Any, bool]:
    """JSON, and whether an object in it has a key twice: what the first of them says would not be looked at."""
    doubled = False

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal doubled
        as_dict = dict(found)
        doubled = doubled or len(as_dict) < len(found)
        return as_dict

    value = json.loads(text, object_pairs_hook=pairs, parse_constant=_refuse)
    return value, doubled


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no JSON")
