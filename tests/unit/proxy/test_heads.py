"""What is remembered of a request's headers is what sorting them anew would find, and is shared with nobody."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaugeway.core.errors import GatewayError
from gaugeway.proxy import heads
from gaugeway.proxy.exchange import Credential, Headers
from gaugeway.proxy.headers import sort_request
from gaugeway.proxy.heads import Head, Heads, head_of

TOKEN = b"gw_0123456789"
SENT: Headers = [
    (b"host", b"gateway"),
    (b"authorization", b"Bearer sk-0123456789"),
    (b"cf-aig-authorization", b"Bearer " + TOKEN),
    (b"cf-aig-metadata", b'{"user": "u"}'),
    (b"content-length", b"12"),
    (b"content-type", b"application/json"),
    (b"user-agent", b"test"),
]

_names = st.sampled_from(
    [b"accept", b"authorization", b"connection", b"cf-aig-metadata", b"cf-aig-event-id", b"x-api-key", b"x-own"]
)
_values = st.sampled_from([b"a", b"x-own", b"keep-alive", b"Bearer sk-0123456789", b"{}", b'{"a": 1}'])
_headers = st.lists(st.tuples(_names, _values), max_size=5)


def fields(head: Head) -> tuple[object, ...]:
    return tuple(getattr(head, name) for name in head.__struct_fields__)


def sorted_anew(sent: Headers) -> tuple[object, ...] | str:
    try:
        return fields(head_of(sort_request(sent)))
    except GatewayError as problem:
        return problem.message


@given(st.lists(_headers, max_size=6), st.integers(0, 99))
def test_what_is_remembered_is_what_would_be_found(requests: list[Headers], size: int) -> None:
    known = Heads()
    for sent in requests + requests:
        found: tuple[object, ...] | str
        try:
            head, length = known.sort([*sent, (b"content-length", b"%d" % size)])
            found = fields(head)
            assert length == size
        except GatewayError as problem:
            found = problem.message
        assert found == sorted_anew(sent)


def test_only_the_length_differs_between_requests() -> None:
    known = Heads()
    shorter = [pair if pair[0] != b"content-length" else (b"content-length", b"7") for pair in SENT]
    (first, size), (second, other) = known.sort(SENT), known.sort(shorter)
    assert (size, other) == (12, 7)
    assert fields(first) == fields(second)
    assert first.credentials == (
        Credential(TOKEN, None),
        Credential(b"sk-0123456789", (b"authorization", b"Bearer sk-0123456789")),
    )
    assert known.sort([])[1] is None


@pytest.mark.parametrize("times", [1, 2])
def test_what_one_request_changes_no_other_sees(times: int) -> None:
    known = Heads()
    for _ in range(times):
        head, _size = known.sort(SENT)
        head.upstream.append((b"x-own", b"1"))
        head.options.collect_log = False
        head.secrets.clear()
        head.user_agent = "other"
    assert fields(known.sort(SENT)[0]) == sorted_anew(SENT)


def test_a_header_that_is_refused_is_refused_each_time() -> None:
    known = Heads()
    for _ in range(2):
        with pytest.raises(GatewayError):
            known.sort([(b"cf-aig-collect-log", b"perhaps")])


def test_the_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heads, "MOST_KNOWN", 3)
    known = Heads()
    for number in range(10):
        assert known.sort([(b"x-trace", b"%d" % number)])[0].upstream == [(b"x-trace", b"%d" % number)]
        assert len(known) <= 3
    known.sort([(b"x-large", b"x" * heads.LARGEST_KNOWN)])
    assert len(known) == 1
