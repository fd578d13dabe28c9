"""What is taken out of logs, wherever it stands; what cannot be certain is not kept."""

from __future__ import annotations

import json

import pytest
from msgspec import structs

from gaugeway.core.errors import BadInput
from gaugeway.core.model import Attempt, Bodies
from gaugeway.core.snapshots import Redaction
from gaugeway.evaluation.freezing.redaction import redact, rules_of
from support.laboratory import log

EMAIL = (Redaction(kind="email"),)
SECRET = (Redaction(pattern="sk-[a-z0-9]+", replacement="[key]"),)
RECORD = structs.replace(log(), response_content_type="application/json")


def cleaned(body: bytes, rules=EMAIL, **fields) -> bytes | None:
    """The request without it."""
    redacted = redact(rules_of(rules), RECORD, Bodies(request=body, **fields))
    assert redacted.bodies is not None
    assert redacted.dropped == (redacted.bodies.request is None)
    return redacted.bodies.request


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('{"a": "me@example.com!"}', '{"a":"[email]!"}'),
        (r'{"a": "me\u0040example.com"}', '{"a":"[email]"}'),
        ('["x", ["me@example.com"], {"me@example.com": 1}]', '["x",["[email]"],{"[email]":1}]'),
        (r'{"arguments": "{\"to\": \"me\\u0040example.com\"}"}', r'{"arguments":"{\"to\":\"[email]\"}"}'),
        ('{"a": "me@example.com", "a": "x"}', '{"a":"x"}'),
        ('{"a": 1, "b": "plain"}', '{"a": 1, "b": "plain"}'),
        ("no JSON, me@example.com", "no JSON, [email]"),
        ("x@example.com me@example.com", "[email] [email]"),
        ("", ""),
    ],
)
def test_texts(before: str, after: str) -> None:
    assert cleaned(before.encode()) == after.encode()


@pytest.mark.parametrize(
    "body",
    [
        b'{"a": ',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"a": NaN}',
        b'{"a@b.de": 1, "c@d.de": 2}',
        json.dumps(["x" * 100_001]).encode(),
    ],
)
def test_what_cannot_be_certain_is_dropped(body: bytes) -> None:
    assert cleaned(body) is None


def test_a_body_that_was_cut_is_dropped() -> None:
    assert cleaned(b'{"a": "b"}', request_cut=True) is None


def test_numbers_are_looked_at() -> None:
    rules = (Redaction(kind="credit_card"), Redaction(pattern="^42$"))
    assert cleaned(b'{"a": 4111111111111111, "b": 42, "c": 7, "d": true}', rules) == (
        b'{"a":"[credit_card]","b":"[redacted]","c":7,"d":true}'
    )


def test_patterns_with_their_replacement() -> None:
    assert cleaned("ü sk-abc1 ü sk-x".encode(), SECRET) == "ü [key] ü [key]".encode()
    assert cleaned(b"abc", (Redaction(pattern="x*"),)) == b"abc", "nothing at all is not replaced"
    assert cleaned(b"a-1", (Redaction(pattern="[0-9]", replacement=r"\0"),)) == rb"a-\0"


def test_columns() -> None:
    record = structs.replace(
        RECORD,
        event_id="me@example.com",
        user_agent="me@example.com",
        error="told me@example.com",
        metadata={"user": "me@example.com", "n": 5, "ok": True},
        attempts=(Attempt(provider="p", step=0, status_code=500, duration=1, error="me@example.com"),),
    )
    found = redact(rules_of(EMAIL), record, None)
    assert found.changed
    assert "example.com" not in repr(found.record)
    assert found.record.metadata == {"user": "[email]", "n": 5, "ok": True}
    assert structs.replace(found.record, id=RECORD.id).provider == record.provider


def test_a_stream_becomes_one_answer() -> None:
    pieces = ["My address is me@exam", "ple.com, and", " no other"]
    events = [json.dumps({"choices": [{"index": 0, "delta": {"content": piece}}]}) for piece in pieces]
    stream = "".join(f"data: {event}\n\n" for event in events) + "data: [DONE]\n\n"
    record = structs.replace(RECORD, response_content_type="text/event-stream")
    found = redact(rules_of(EMAIL), record, Bodies(response=stream.encode()))
    assert found.bodies is not None
    message = json.loads(found.bodies.response or b"")["choices"][0]["message"]
    assert message == {"role": "assistant", "content": "My address is [email], and no other"}
    assert found.record.response_content_type == "application/json"
    unread = redact(rules_of(EMAIL), record, Bodies(response=b"data: {}\n\n"))
    assert (unread.bodies, unread.dropped) == (Bodies(), 1)


def test_without_rules_nothing_is_touched() -> None:
    bodies = Bodies(request=b"\xff", request_cut=True)
    found = redact([], RECORD, bodies)
    assert (found.record, found.bodies, found.changed, found.dropped) == (RECORD, bodies, False, 0)


@pytest.mark.parametrize(
    ("rule", "path"),
    [
        (Redaction(), ("body", 0)),
        (Redaction(kind="email", pattern="x"), ("body", 0)),
        (Redaction(kind="name"), ("body", 0, "kind")),
        (Redaction(pattern="("), ("body", 0, "pattern")),
        (Redaction(pattern="(x{1000}){1000}"), ("body", 0, "pattern")),
    ],
)
def test_wrong_rules(rule: Redaction, path: tuple[str | int, ...]) -> None:
    with pytest.raises(BadInput) as caught:
        rules_of([rule], ("body",))
    assert caught.value.path == path
