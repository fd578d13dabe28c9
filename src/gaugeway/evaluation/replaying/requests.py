"""From what was logged to what is sent to a candidate, or why that would not be the same request. Pure.

A request is sent in the format that it came in, to the OpenAI-compatible endpoint, which translates it where the
candidate speaks another one. It is sent without streaming: what is said, and what it costs, is the same.
"""

from __future__ import annotations

from typing import Any, cast

import msgspec
from msgspec import Struct

from gaugeway.core.errors import GaugewayError
from gaugeway.core.model import Bodies, LogRecord
from gaugeway.core.replays import Call, Candidate, Reason

Object = dict[str, Any]

REDACTED = b"[redacted]"
"""What stands in a logged body where a credential was."""

CHAT, RESPONSES, MESSAGES = "chat/completions", "responses", "messages"
_LIMITS = {
    CHAT: ("max_completion_tokens", "max_tokens"),
    RESPONSES: ("max_output_tokens",),
    MESSAGES: ("max_tokens",),
}
"""What each format calls the limit of an answer's tokens."""
_ANY_LIMIT = ("max_tokens", "max_completion_tokens", "max_output_tokens")
_STATE = (
    "previous_response_id",
    "conversation",
    "container",
    "mcp_servers",
    "context_management",
    "web_search_options",
    "search_parameters",
    "cached_content",
    "prompt",
    "background",
    "file_id",
    "item_reference",
)
"""Parameters that mean something which a server has kept, or goes and finds."""
_URLS = ("url", "image_url", "file_url", "video_url", "audio_url", "document_url")
MAX_DEPTH = 100


class Unfaithful(GaugewayError):
    """What would be sent is not what was logged."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Logged(Struct, frozen=True):
    """A logged request that can be sent again."""

    endpoint: str
    fields: Object
    model: str  # the logged one, "{provider}/{model}"


def read_logged(record: LogRecord, bodies: Bodies | None) -> Logged:
    """The logged request; Unfaithful where it cannot be sent again as it was."""
    if bodies is None or bodies.request is None:
        raise Unfaithful(Reason.NO_BODIES, "the log kept no request body")
    if bodies.request_cut:
        raise Unfaithful(Reason.BODY_CUT, "the log kept only the beginning of the request")
    if REDACTED in bodies.request:
        raise Unfaithful(Reason.REDACTED, "a credential was taken out of the request")
    endpoint = _endpoint(record)
    try:
        fields: Any = msgspec.json.decode(bodies.request)
    except (ValueError, RecursionError) as problem:
        raise Unfaithful(Reason.NOT_A_CHAT, "the request is no JSON") from problem
    if not isinstance(fields, dict) or not isinstance(
        cast("Object", fields).get("input" if endpoint == RESPONSES else "messages"), list | str
    ):
        raise Unfaithful(Reason.NOT_A_CHAT, "the request has no messages")
    found = cast("Object", fields)
    _check_faithful(found)
    return Logged(endpoint, found, f"{record.provider}/{record.model}")


def call_of(logged: Logged, candidate: Candidate) -> Call:
    """What is sent to a candidate."""
    fields = dict(logged.fields)
    for name in ("stream", "stream_options"):
        fields.pop(name, None)
    _put_system(fields, logged.endpoint, candidate)
    _put_parameters(fields, logged.endpoint, candidate.parameters)
    if logged.endpoint == RESPONSES:
        fields["store"] = False  # a replay leaves nothing behind at the provider
    model = candidate.model or logged.model
    fields["model"] = model
    return Call(model=model, endpoint=logged.endpoint, body=msgspec.json.encode(fields), rates=candidate.rates)


def _endpoint(record: LogRecord) -> str:
    path = record.path.rstrip("/")
    for endpoint in (CHAT, RESPONSES, MESSAGES):
        if record.method == "POST" and (path == endpoint or path.endswith("/" + endpoint)):
            return endpoint
    raise Unfaithful(
        Reason.NOT_A_CHAT,
        f"{record.path[:80]!r} is no chat completion, response or message: only those can be sent to other models",
    )


def _check_faithful(fields: Object) -> None:
    tools = fields.get("tools")
    for tool in cast("list[Any]", tools) if isinstance(tools, list) else []:
        kind = cast("Object", tool).get("type", "custom") if isinstance(tool, dict) else ""
        if kind not in ("function", "custom"):
            raise Unfaithful(Reason.SERVER_STATE, f"the tool {str(kind)[:60]!r} belongs to its provider")
    for name in _STATE:
        if fields.get(name) not in (None, False, [], {}):
            raise Unfaithful(Reason.SERVER_STATE, f"{name!r} means what a server keeps or finds")
    _check_links(fields.get("messages", fields.get("input")), 0)


def _check_links(value: object, depth: int) -> None:
    """Raise where any part of the messages stands somewhere else."""
    if depth > MAX_DEPTH:
        raise Unfaithful(Reason.NOT_A_CHAT, "the messages are nested too deeply")
    if isinstance(value, list):
        for item in cast("list[object]", value):
            _check_links(item, depth + 1)
    elif isinstance(value, dict):
        part = cast("Object", value)
        if part.get("type") == "item_reference" or part.get("file_id"):
            raise Unfaithful(Reason.SERVER_STATE, "a message refers to what a server keeps")
        for name in _URLS:
            link = part.get(name)
            if isinstance(link, str) and not link.startswith("data:"):
                raise Unfaithful(
                    Reason.LINKED_CONTENT, "a message links to content that may be another by now, or gone"
                )
        for name, item in part.items():
            if name not in ("arguments", "input", "text"):  # a tool's own data are not ours to read
                _check_links(item, depth + 1)


# --- the system prompt ------------------------------------------------------------------------------------


def _put_system(fields: Object, endpoint: str, candidate: Candidate) -> None:
    if candidate.system is None and candidate.append_system is None:
        return
    if endpoint == CHAT:
        fields["messages"] = _with_system(fields["messages"], candidate)
        return
    name = "system" if endpoint == MESSAGES else "instructions"
    if candidate.system is not None:
        fields[name] = candidate.system
        if endpoint == RESPONSES and isinstance(fields.get("input"), list):
            fields["input"] = _after_system(fields["input"])
    if candidate.append_system is not None:
        fields[name] = _appended(fields.get(name), candidate.append_system)


def _with_system(messages: object, candidate: Candidate) -> list[Any]:
    """The messages of a chat with another system prompt: what system messages they begin with is one prompt."""
    given = cast("list[Any]", messages) if isinstance(messages, list) else []
    rest = _after_system(given)
    leading = given[: len(given) - len(rest)]
    if candidate.system is not None:
        leading = [{"role": "system", "content": candidate.system}]
    if candidate.append_system is not None:
        last = cast("Object", leading[-1]) if leading else {"role": "system", "content": None}
        leading = [*leading[:-1], last | {"content": _appended(last.get("content"), candidate.append_system)}]
    return [*leading, *rest]


def _after_system(items: list[Any]) -> list[Any]:
    for index, item in enumerate(items):
        if not isinstance(item, dict) or cast("Object", item).get("role") not in ("system", "developer"):
            return items[index:]
    return []


def _appended(content: object, more: str) -> object:
    if isinstance(content, list):
        return [*cast("list[Any]", content), {"type": "text", "text": more}]
    return f"{content}\n\n{more}" if isinstance(content, str) and content else more


def _put_parameters(fields: Object, endpoint: str, parameters: Object) -> None:
    for name, value in parameters.items():
        if name in _ANY_LIMIT:  # one limit, whatever the format calls it
            names = _LIMITS[endpoint]
            for known in _ANY_LIMIT:
                fields.pop(known, None)
            if value is not None:
                fields[name if name in names else names[0]] = value
        elif value is None:
            fields.pop(name, None)
        else:
            fields[name] = value
