"""What is sent to a candidate, and why some requests cannot be."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from gaugeway.core.model import Bodies, LogRecord
from gaugeway.core.replays import Candidate, Reason
from gaugeway.evaluation.replaying.requests import Unfaithful, call_of, read_logged
from support.some_logs import a_log

CHAT = "v1/chat/completions"
HELLO = {"role": "user", "content": "Hello"}


def record(path: str = CHAT, **fields: Any) -> LogRecord:
    return a_log(path=path, model="gpt-5", **fields)


def sent(asked: dict[str, Any], path: str = CHAT, **candidate: Any) -> dict[str, Any]:
    logged = read_logged(record(path), Bodies(request=msgspec.json.encode(asked)))
    return msgspec.json.decode(call_of(logged, Candidate(label="c", **candidate)).body)


def why_not(body: object, path: str = CHAT, **fields: Any) -> Reason:
    raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
    with pytest.raises(Unfaithful) as caught:
        read_logged(record(path), Bodies(request=raw, **fields))
    assert str(caught.value)
    return caught.value.reason


def test_unchanged_but_for_the_model_and_streaming() -> None:
    asked = {
        "model": "gpt-5",
        "messages": [HELLO],
        "temperature": 0.1,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    assert sent(asked, model="anthropic/claude") == {
        "model": "anthropic/claude",
        "messages": [HELLO],
        "temperature": 0.1,
    }
    assert sent(asked)["model"] == "openai/gpt-5"


@pytest.mark.parametrize(
    ("path", "endpoint"),
    [
        ("v1/chat/completions", "chat/completions"),
        ("compat/chat/completions", "chat/completions"),
        ("deployments/x/chat/completions", "chat/completions"),
        ("v1/messages", "messages"),
        ("compat/v1/messages", "messages"),
        ("responses", "responses"),
    ],
)
def test_each_format_goes_to_its_own_endpoint(path: str, endpoint: str) -> None:
    asked = {"messages": [HELLO], "input": "Hello"}
    logged = read_logged(record(path), Bodies(request=msgspec.json.encode(asked)))
    assert call_of(logged, Candidate(label="c")).endpoint == endpoint


KIND, BRIEF = {"role": "system", "content": "Be kind."}, {"role": "system", "content": "Be brief."}


@pytest.mark.parametrize(
    ("messages", "candidate", "expected"),
    [
        ([KIND, HELLO], {"system": "Be brief."}, [BRIEF, HELLO]),
        ([KIND, {"role": "developer", "content": "x"}, HELLO], {"system": "Be brief."}, [BRIEF, HELLO]),
        ([HELLO], {"system": "Be brief."}, [BRIEF, HELLO]),
        ([HELLO, KIND], {"system": "Be brief."}, [BRIEF, HELLO, KIND]),
        ([HELLO], {"append_system": "Be brief."}, [BRIEF, HELLO]),
        ([KIND, HELLO], {"append_system": "Now."}, [{"role": "system", "content": "Be kind.\n\nNow."}, HELLO]),
        (
            [{"role": "system", "content": [{"type": "text", "text": "A"}]}, HELLO],
            {"append_system": "B"},
            [{"role": "system", "content": [{"type": "text", "text": "A"}, {"type": "text", "text": "B"}]}, HELLO],
        ),
        (
            [KIND, HELLO],
            {"system": "Be brief.", "append_system": "Now."},
            [{"role": "system", "content": "Be brief.\n\nNow."}, HELLO],
        ),
    ],
)
def test_the_system_prompt_of_a_chat(messages: list[Any], candidate: dict[str, Any], expected: list[Any]) -> None:
    assert sent({"messages": messages}, **candidate)["messages"] == expected


def test_the_system_prompt_of_messages_and_responses() -> None:
    messages = {"messages": [HELLO], "system": "Be kind."}
    assert sent(messages, "v1/messages", append_system="Now.")["system"] == "Be kind.\n\nNow."
    assert sent({"messages": [HELLO]}, "v1/messages", system="Be brief.")["system"] == "Be brief."
    asked = {"input": [KIND, HELLO], "instructions": "Be nice.", "store": True}
    found = sent(asked, "v1/responses", system="Be brief.")
    assert (found["instructions"], found["input"], found["store"]) == ("Be brief.", [HELLO], False)


def test_parameters_and_the_one_limit_of_tokens() -> None:
    asked = {"messages": [HELLO], "max_completion_tokens": 900, "top_p": 0.5}
    found = sent(asked, parameters={"max_tokens": 10, "top_p": None, "seed": 1})
    assert {"max_tokens": 10, "seed": 1}.items() <= found.items()
    assert not {"max_completion_tokens", "top_p"} & found.keys()
    assert sent({"input": "x"}, "v1/responses", parameters={"max_tokens": 10})["max_output_tokens"] == 10
    assert sent({"messages": []}, "v1/messages", parameters={"max_output_tokens": 10})["max_tokens"] == 10
    assert "max_tokens" not in sent(asked | {"max_tokens": 4}, parameters={"max_tokens": None})


IMAGE = {"type": "image_url", "image_url": {"url": "https://images.example/a.png"}}
INLINE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"messages": [HELLO], "tools": [{"type": "web_search"}]}, Reason.SERVER_STATE),
        ({"messages": [HELLO], "mcp_servers": [{"url": "https://x.example"}]}, Reason.SERVER_STATE),
        ({"messages": [{"role": "user", "content": [{"type": "file", "file_id": "f1"}]}]}, Reason.SERVER_STATE),
        ({"messages": [{"role": "user", "content": [IMAGE]}]}, Reason.LINKED_CONTENT),
        ({"messages": [HELLO], "note": "[redacted]"}, Reason.REDACTED),
        ({"prompt": "Hello"}, Reason.NOT_A_CHAT),
        ([1, 2], Reason.NOT_A_CHAT),
        (b"{", Reason.NOT_A_CHAT),
        (b'{"messages":' + b"[" * 5000 + b"]" * 5000 + b"}", Reason.NOT_A_CHAT),
    ],
)
def test_what_would_not_be_the_same_request(asked: object, reason: Reason) -> None:
    assert why_not(asked) is reason


def test_what_a_log_lacks() -> None:
    good = {"messages": [HELLO]}
    assert why_not(good, request_cut=True) is Reason.BODY_CUT
    assert why_not(good, "v1/embeddings") is Reason.NOT_A_CHAT
    assert why_not({"input": "x", "previous_response_id": "r"}, "v1/responses") is Reason.SERVER_STATE
    with pytest.raises(Unfaithful) as caught:
        read_logged(record(), None)
    assert caught.value.reason is Reason.NO_BODIES
    with pytest.raises(Unfaithful) as caught:
        read_logged(record(), Bodies())
    assert caught.value.reason is Reason.NO_BODIES


def test_tools_of_ones_own_and_inline_images_can_be_replayed() -> None:
    call = {
        "role": "assistant",
        "tool_calls": [
            {"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"url": "https://x"}'}}
        ],
    }
    asked = {
        "messages": [HELLO, call, {"role": "tool", "content": "3"}, {"role": "user", "content": [INLINE]}],
        "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}],
    }
    assert sent(asked)["messages"] == asked["messages"]
