"""About how many tokens: near for plain text, and never a figure of the provider's replaced."""

from __future__ import annotations

import json

import pytest

from gaugeway.core.estimating import completed, tokens_in, tokens_of, tokens_out
from gaugeway.core.model import Usage

TEXT = "The quick brown fox jumps over the lazy dog. " * 4  # 180 characters: 40 tokens by OpenAI's own count


@pytest.mark.parametrize(
    ("text", "tokens"),
    [("", 0), ("a", 1), ("abcd", 1), ("abcde", 2), (TEXT, 45), ("你好世界", 4), ("A" * 5000, 1000), ("é" * 3, 3)],
)
def test_of_a_text(text: str, tokens: int) -> None:
    assert tokens_of(text) == tokens


def test_of_a_request() -> None:
    body = json.dumps({"model": "gpt-4o", "messages": [{"role": "user", "content": TEXT}]}).encode()
    assert 45 <= tokens_in(body) <= 60
    assert tokens_in(b"not JSON at all") == 4
    assert tokens_in(b"[" * 100_000) > 0


def events(*documents: dict) -> bytes:
    return b"".join(b"data: " + json.dumps(one).encode() + b"\n\n" for one in documents)


@pytest.mark.parametrize(
    "answer",
    [
        events(*({"choices": [{"delta": {"content": TEXT[at : at + 9]}}]} for at in range(0, 180, 9))),
        events(
            {"type": "message_start", "message": {"content": [], "usage": {"input_tokens": 9}}},
            *(
                {"type": "content_block_delta", "delta": {"type": "text_delta", "text": TEXT[at : at + 9]}}
                for at in range(0, 180, 9)
            ),
        ),
        events(
            *({"type": "response.output_text.delta", "delta": TEXT[at : at + 9]} for at in range(0, 180, 9)),
            {"type": "response.output_text.done", "text": TEXT},
        ),
        events(
            *({"candidates": [{"content": {"parts": [{"text": TEXT[at : at + 9]}]}}]} for at in range(0, 180, 9))
        ),
        json.dumps({"choices": [{"message": {"role": "assistant", "content": TEXT}}]}).encode(),
        b'{"choices": [{"message": {"role": "assistant", "content": "' + TEXT.encode() + b'"}, "log',
    ],
    ids=["chat", "messages", "responses", "gemini", "json", "json cut"],
)
def test_of_an_answer(answer: bytes) -> None:
    assert tokens_out(answer) == 45


def test_an_answer_that_says_nothing_has_none() -> None:
    assert tokens_out(b"") == 0
    assert tokens_out(b'data: {"choices": [{"delta": {"role": "assistant"}}]}\n\n') == 0


def test_only_what_is_missing_is_estimated() -> None:
    whole = Usage(tokens_in=5, tokens_out=6)
    assert completed(whole, b"{}", b"", seen=0) is whole
    half = completed(Usage(tokens_in=5, cached_tokens_in=2), b"{}", b'{"text": "abcdefgh"}', seen=20)
    assert (half.tokens_in, half.cached_tokens_in, half.tokens_out) == (5, 2, 2)


def test_figures_of_nothing_at_all_are_none() -> None:
    made = completed(Usage(tokens_in=0, tokens_out=0), b'{"text": "abcd"}', b'{"text": "abcdefgh"}', seen=20)
    assert (made.tokens_in, made.tokens_out) == (2, 2)
    assert completed(Usage(tokens_in=0, tokens_out=7), b"{}", b"", seen=0).tokens_out == 7


def test_a_long_answer_of_which_the_middle_was_not_kept_is_scaled() -> None:
    kept = b'{"text": "abcdefgh"}'
    assert completed(Usage(tokens_in=1), b"", kept, seen=len(kept) * 10).tokens_out == 20
