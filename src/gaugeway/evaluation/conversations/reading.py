"""Tells the formats apart and reads a log's bodies."""

from __future__ import annotations

from typing import Any

import msgspec

from gaugeway.core.model import Bodies, LogRecord
from gaugeway.core.samples import Conversation, Message
from gaugeway.evaluation.conversations import anthropic, gemini, openai
from gaugeway.evaluation.conversations.shapes import Object, child, is_object, objects, text

NO_BODIES = "the log kept no bodies"
CUT = "the log kept only the beginning of the answer"


def read_conversation(record: LogRecord, bodies: Bodies | None) -> Conversation:
    """Who said what. Where the answer cannot be judged, `answer` is None and `problem` says why. Never raises."""
    if bodies is None:
        return Conversation(problem=NO_BODIES)
    messages = _messages(bodies)
    if not record.success:
        return Conversation(messages, problem=f"the request ended with {record.outcome}, without a whole answer")
    if bodies.response is None:
        return Conversation(messages, problem="the log kept no answer")
    if bodies.response_cut:
        return Conversation(messages, problem=CUT)
    try:
        answer, problem = _answer(bodies.response, record.response_content_type or "")
    except RecursionError:
        answer, problem = None, "the answer is nested too deeply"
    return Conversation(messages, answer, problem)


def _messages(bodies: Bodies) -> tuple[Message, ...]:
    """The request's messages; none where it cannot be read."""
    if bodies.request is None or bodies.request_cut:
        return ()
    try:
        request = _decode(bodies.request)
        return tuple(_messages_of(request)) if is_object(request) else ()
    except (ValueError, RecursionError):
        return ()


def _messages_of(request: Object) -> list[Message]:
    if "contents" in request:
        return gemini.messages_of(request)
    if "input" in request and "messages" not in request:
        return openai.responses_messages(request)
    if "system" in request or any(_is_anthropic(item) for item in objects(request.get("messages"))):
        return anthropic.messages_of(request)
    return openai.chat_messages(request)


def _is_anthropic(message: Object) -> bool:
    return any(part.get("type") in ("tool_use", "tool_result") for part in objects(message.get("content")))


def _answer(body: bytes, content_type: str) -> tuple[Message | None, str]:
    """The answer, or why there is none."""
    if "event-stream" in content_type or body.lstrip()[:6] in (b"data: ", b"event:"):
        found = _of_stream(_events(body))
    else:
        try:
            document = _decode(body)
        except ValueError:
            return None, "the answer is no JSON"
        # Gemini's stream without `alt=sse` is one list
        found = _of_document(document) if is_object(document) else gemini.answer_of(objects(document))
    return found, "" if found is not None else "the answer is in a format that is not read"


def _of_document(document: Object) -> Message | None:
    if "choices" in document:
        return openai.chat_answer(document)
    if "candidates" in document or "promptFeedback" in document:
        return gemini.answer_of([document])
    if "output" in document:
        return openai.responses_answer(document)
    if document.get("type") == "message":
        return anthropic.answer_of(document)
    result = child(document, "result")  # Workers AI
    return Message("assistant", result["response"]) if isinstance(result.get("response"), str) else None


def _of_stream(events: list[Object]) -> Message | None:
    for event in events[:8]:  # a stream may open with events that say nothing, a ping say
        if "choices" in event:
            return openai.chat_stream(events)
        if "candidates" in event or "promptFeedback" in event:
            return gemini.answer_of(events)
        kind = text(event.get("type"))
        if kind == "message_start":
            return anthropic.stream_of(events)
        if kind.startswith("response."):
            return openai.responses_stream(events)
        if isinstance(event.get("response"), str):  # Workers AI
            return Message("assistant", "".join(text(item.get("response")) for item in events))
    return None


def _events(body: bytes) -> list[Object]:
    """The JSON objects that a stream's events carry (WHATWG HTML, 9.2); others, such as [DONE], are passed over."""
    found: list[Object] = []
    data: list[bytes] = []
    for line in [*body.removeprefix(b"\xef\xbb\xbf").splitlines(), b""]:
        if line.startswith(b"data:"):
            data.append(line[5:].removeprefix(b" "))
        elif not line and data:
            try:
                event = _decode(b"\n".join(data))
            except ValueError:
                event = None
            if is_object(event):
                found.append(event)
            data = []
    return found


def _decode(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except UnicodeDecodeError as problem:
        raise ValueError("not UTF-8") from problem
