"""Items of snapshots as lines of files, and back: plain, and in the shapes of OpenAI's evals and fine-tuning."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Sequence
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from math import isfinite
from typing import Any, cast

from gaugeway.core import ids
from gaugeway.core.errors import BadInput, Path
from gaugeway.core.model import Bodies, LogRecord, Outcome, Scope, Usage
from gaugeway.core.samples import Message
from gaugeway.core.snapshot_hashes import content, item_hash
from gaugeway.core.snapshots import CHAT, EVALS, MAX_EXPECTED, PLAIN, Imported, Redaction, SnapshotItem
from gaugeway.core.texts import is_text
from gaugeway.evaluation.conversations import read_conversation
from gaugeway.evaluation.conversations.openai import as_chat_calls
from gaugeway.evaluation.freezing.redaction import rules_of

MAX_NUMBER = 1 << 53
HALF = "The text holds half of a surrogate pair, which is no character"

Line = dict[str, Any]


class Lines:
    """An Interchange."""

    def line(self, form: str, item: SnapshotItem, record: LogRecord, bodies: Bodies | None) -> Line | str:
        """See Interchange."""
        if form == PLAIN:
            return {
                "log_id": ids.to_text(item.log_id),
                "hash": item.hash,
                "expected": item.expected,
                "content": content(record, bodies),
            }
        conversation = read_conversation(record, bodies)
        asked = _asked(bodies) or [_message(each) for each in conversation.messages]
        if not asked:
            return "its request is in a format that is not read"
        if form == EVALS:
            if item.expected is None:
                return "it has no expected answer"
            return {"input": asked, "ideal": item.expected}
        if item.expected is not None:
            return {"messages": [*asked, {"role": "assistant", "content": item.expected}]}
        if conversation.answer is None:
            return f"it has neither an expected answer nor one of its own: {conversation.problem}"
        return {"messages": [*asked, _message(conversation.answer)]}

    def read(self, form: str, line: Line, scope: Scope, log_id: bytes) -> Imported | None:
        """See Interchange."""
        reader = {PLAIN: _read_plain, EVALS: _read_evals, CHAT: _read_chat}[form]
        return reader(line, scope, log_id)

    def answer(self, record: LogRecord, bodies: Bodies | None) -> str:
        """See Interchange."""
        conversation = read_conversation(record, bodies)
        answer = conversation.answer
        if answer is None:
            raise BadInput(f"It has no answer that could be expected: {conversation.problem}")
        return answer.text if answer.text or not answer.tool_calls else _calls(answer)

    def check(self, redactions: Sequence[Redaction], path: Path) -> None:
        """See Interchange."""
        rules_of(redactions, path)


def _asked(bodies: Bodies | None) -> list[Any] | None:
    """The messages of a request for chat completions as they are; None where it is none."""
    if bodies is None or bodies.request is None or bodies.request_cut:
        return None
    try:
        request: object = json.loads(bodies.request)
    except (ValueError, RecursionError):
        return None
    if not isinstance(request, dict) or "system" in request:
        return None
    messages = cast("Line", request).get("messages")
    if not isinstance(messages, list) or not all(isinstance(each, dict) for each in cast("list[Any]", messages)):
        return None
    return cast("list[Any]", messages)


def _message(message: Message) -> Line:
    said: Line = {"role": message.role, "content": message.text}
    if message.tool_calls:
        said["content"] = message.text or None
        said["tool_calls"] = as_chat_calls(message.tool_calls)
    return said


def _calls(message: Message) -> str:
    """Tool calls as the evaluator `tool_call_match` expects them."""
    calls: list[Line] = []
    for call in message.tool_calls:
        try:
            arguments: object = json.loads(call.arguments)
        except ValueError:
            arguments = call.arguments
        calls.append({"name": call.name, "arguments": arguments})
    return json.dumps(calls, ensure_ascii=False)


def _read_evals(line: Line, scope: Scope, log_id: bytes) -> Imported:
    asked = line.get("input")
    messages = [{"role": "user", "content": asked}] if isinstance(asked, str) else asked
    ideal = line.get("ideal")
    if isinstance(ideal, list) and len(cast("list[Any]", ideal)) == 1:
        ideal = cast("list[Any]", ideal)[0]
    if isinstance(ideal, list):
        raise BadInput("An item has one expected answer here, and this line has several", ("ideal",))
    _check_messages(messages, ("input",))
    return _asking({"messages": messages}, _expected(ideal, ("ideal",)), scope, log_id)


def _read_chat(line: Line, scope: Scope, log_id: bytes) -> Imported:
    messages = line.get("messages")
    _check_messages(messages, ("messages",))
    said = cast("list[Line]", messages)
    expected = None
    if said[-1].get("role") == "assistant":
        expected = _said(said[-1], ("messages", len(said) - 1))
        said = said[:-1]
        _check_messages(said, ("messages",))
    return _asking({**line, "messages": said}, expected, scope, log_id)


def _said(message: Line, path: Path) -> str:
    """What an assistant's message says: its text, or its tool calls."""
    if message.get("content"):
        return _expected(message["content"], (*path, "content")) or ""
    calls = message.get("tool_calls")
    if not isinstance(calls, list):
        raise BadInput("The assistant's last message has neither text nor tool calls", path)
    found: list[Line] = []
    for call in cast("list[Any]", calls):
        function: object = cast("Line", call).get("function") if isinstance(call, dict) else None
        if not isinstance(function, dict):
            raise BadInput("Expected tool calls of functions", (*path, "tool_calls"))
        named = cast("Line", function)
        arguments = named.get("arguments")
        with suppress(ValueError):  # a text that is no JSON stays one
            arguments = json.loads(arguments) if isinstance(arguments, str) else arguments
        found.append({"name": named.get("name"), "arguments": arguments})
    return json.dumps(found, ensure_ascii=False)


def _check_messages(messages: object, path: Path) -> None:
    if not isinstance(messages, list) or not messages:
        raise BadInput("Expected messages: a list of {role, content} with at least one in it", path)
    for index, each in enumerate(cast("list[Any]", messages)):
        if not isinstance(each, dict) or not isinstance(cast("Line", each).get("role"), str):
            raise BadInput("Expected a message: {role, content}", (*path, index))


def _asking(request: Line, expected: str | None, scope: Scope, log_id: bytes) -> Imported:
    """A request that nobody has answered yet."""
    body = json.dumps(request, ensure_ascii=False, allow_nan=False).encode(errors="replace")
    model = request.get("model")
    record = LogRecord(
        account_id=scope.account_id,
        gateway_id=scope.gateway_id,
        id=log_id,
        provider="imported",
        model=model if isinstance(model, str) and is_text(model) else "",
        path="chat/completions",
        outcome=Outcome.SUCCESS,
        duration=0,
        request_content_type="application/json",
        request_size=len(body),
    )
    return Imported(record=record, bodies=Bodies(request=body), expected=expected)


def _expected(value: object, path: Path) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise BadInput("Expected text", path)
    if not is_text(value):
        raise BadInput(HALF, path)
    if len(value) > MAX_EXPECTED:
        raise BadInput(f"An expected answer has at most {MAX_EXPECTED} characters", path)
    return value


def _read_plain(line: Line, scope: Scope, log_id: bytes) -> Imported | None:
    if line.get("erased") is True:
        return None
    said = line.get("content")
    if not isinstance(said, dict):
        raise BadInput("Expected an object with what an export has under content", ("content",))
    fields = _Fields(cast("Line", said))
    request, response = fields.body("request"), fields.body("response")
    metadata = fields.metadata()
    record = LogRecord(
        account_id=scope.account_id,
        gateway_id=scope.gateway_id,
        id=log_id,
        provider=fields.text("provider") or "unknown",
        outcome=fields.outcome(),
        duration=fields.number("duration") or 0,
        model=fields.text("model") or "",
        model_type=fields.text("model_type"),
        path=fields.text("path") or "",
        method=fields.text("method") or "POST",
        request_type=fields.text("request_type"),
        status_code=fields.number("status_code"),
        event_id=fields.text("event_id"),
        user_agent=fields.text("user_agent"),
        authentication=fields.flag("authentication"),
        first_byte_ms=fields.number("first_byte_ms"),
        usage=Usage(tokens_in=fields.number("tokens_in"), tokens_out=fields.number("tokens_out")),
        cost=fields.money("cost"),
        cost_saved=fields.money("cost_saved"),
        request_content_type=fields.text("request_content_type"),
        response_content_type=fields.text("response_content_type"),
        request_size=len(request or b""),
        response_size=len(response or b""),
        metadata=metadata,
        error=fields.text("error"),
        feedback=fields.feedback(),
        score=fields.score(),
    )
    bodies = Bodies(
        request=request,
        response=response,
        request_cut=fields.flag("request_cut"),
        response_cut=fields.flag("response_cut"),
    )
    fields.refuse_others()
    claimed = line.get("hash")
    if claimed is not None and claimed != item_hash(content(record, bodies)):
        raise BadInput("The content is not what this hash was computed of", ("hash",))
    return Imported(record=record, bodies=bodies, expected=_expected(line.get("expected"), ("expected",)))


class _Fields:
    """An item's content, field by field, each checked."""

    def __init__(self, said: Line) -> None:
        self._said = said
        self._taken: set[str] = set()

    def _take(self, name: str, *kinds: type, what: str) -> Any:
        self._taken.add(name)
        value = self._said.get(name)
        if value is None or (isinstance(value, kinds) and (bool in kinds or not isinstance(value, bool))):
            return value
        raise BadInput(f"Expected {what}", ("content", name))

    def text(self, name: str) -> str | None:
        value = self._take(name, str, what="text")
        if value is not None and not is_text(value):
            raise BadInput(HALF, ("content", name))
        return value

    def flag(self, name: str) -> bool:
        return bool(self._take(name, bool, what="true or false"))

    def number(self, name: str) -> int | None:
        value = self._take(name, int, what="a whole number")
        if value is not None and not 0 <= value < MAX_NUMBER:
            raise BadInput("Expected a whole number that is not negative", ("content", name))
        return value

    def money(self, name: str) -> Decimal | None:
        value = self._take(name, str, what="dollars as a decimal text")
        try:
            amount = None if value is None else Decimal(value)
        except InvalidOperation:
            amount = Decimal("NaN")
        if amount is not None and not (amount.is_finite() and 0 <= amount < 1_000_000 and len(str(value)) < 60):
            raise BadInput("Expected dollars as a decimal text", ("content", name))
        return amount

    def outcome(self) -> Outcome:
        value = self.text("outcome") or Outcome.SUCCESS.value
        if value not in [outcome.value for outcome in Outcome]:
            raise BadInput(f"There is no outcome '{value[:80]}'", ("content", "outcome"))
        return Outcome(value)

    def feedback(self) -> int | None:
        value = self._take("feedback", int, what="-1 or 1")
        if value not in (None, -1, 1):
            raise BadInput("Expected -1 or 1", ("content", "feedback"))
        return value

    def score(self) -> float | None:
        value = self._take("score", int, float, what="a number from 0 to 100")
        if value is not None and not 0 <= value <= 100:
            raise BadInput("Expected a number from 0 to 100", ("content", "score"))
        return None if value is None else float(value)

    def metadata(self) -> dict[str, str | int | float | bool] | None:
        value: dict[str, Any] | None = self._take("metadata", dict, what="an object")
        for key, each in (value or {}).items():
            if not isinstance(each, str | int | float | bool) or (isinstance(each, int) and abs(each) >= 1 << 63):
                raise BadInput("Expected text, a number, true or false", ("content", "metadata", key))
            if isinstance(each, float) and not isfinite(each):
                raise BadInput("Expected a finite number", ("content", "metadata", key))
            if not is_text(key) or (isinstance(each, str) and not is_text(each)):
                raise BadInput(HALF, ("content", "metadata", key))
        return value

    def body(self, name: str) -> bytes | None:
        value = self._take(name, str, dict, what='text, or {"base64": text}')
        if isinstance(value, dict):
            try:
                return b64decode(cast("Line", value).get("base64", "-"), validate=True)
            except (ValueError, TypeError) as problem:
                raise BadInput("Expected base64", ("content", name, "base64")) from problem
        return None if value is None else value.encode(errors="replace")

    def refuse_others(self) -> None:
        """BadInput where there is something that would be lost."""
        for name in self._said:
            if name not in self._taken:
                raise BadInput("Unrecognized key: an export has no such field", ("content", name))
