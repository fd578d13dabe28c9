"""Text in bodies is found as somebody would read it, however the body spells it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaugeway.core.body_text import Needles
from support.filter_oracle import readings


def has(body: bytes | str, *texts: str, in_pieces: bool = True) -> bool:
    body = body.encode() if isinstance(body, str) else body
    return Needles([text.casefold() for text in texts]).are_in(body, in_pieces=in_pieces)


def chunk(**delta: object) -> dict[str, object]:
    return {"id": "chatcmpl-1", "model": "gpt-x", "choices": [{"index": 0, "delta": delta}]}


def stream(*events: object, name: str = "") -> str:
    opening = f"event: {name}\n" if name else ""
    return "".join(f"{opening}data: {json.dumps(event)}\n\n" for event in events) + "data: [DONE]\n\n"


@pytest.mark.parametrize("ascii_only", [True, False])
@pytest.mark.parametrize(
    "text", ["Zürich", "日本", "grüß 😀", 'say "hi"', "two\nlines", "a\\b", "a/b", "tab\there"]
)
def test_json_escapes_do_not_hide_a_text(text: str, ascii_only: bool) -> None:
    body = json.dumps({"messages": [{"content": f"It is {text}, they say"}]}, ensure_ascii=ascii_only)
    assert has(body, text)
    assert has(body, text.upper())
    assert not has(body, text + "!")


def test_nor_do_those_of_json_in_a_text() -> None:
    arguments = json.dumps({"city": "Zürich", "note": 'a "word"'})
    assert has(json.dumps({"tool_calls": [{"function": {"arguments": arguments}}]}), "zürich")
    assert has(json.dumps({"tool_calls": [{"function": {"arguments": arguments}}]}), 'a "word"')


def test_what_is_written_is_found_as_it_is_written() -> None:
    assert has(r'{"a": "Z\u00fcrich"}', r"z\u00fcrich")
    assert has('{"a": 1}', '"a": 1')
    assert has("C:\\new", "c:\\new")


def test_case_is_ignored_in_every_script() -> None:
    assert has("STRASSE", "straße")
    assert has("straße", "STRASSE")
    assert has("ΣΊΣΥΦΟΣ", "σίσυφος")
    assert has("\u212a", "k"), "the Kelvin sign is a k"


def test_the_empty_text_is_in_every_body() -> None:
    assert has(b"", "")
    assert not has(b"", "a")
    assert not has(b"anything")


def test_bytes_that_are_no_text_are_no_obstacle() -> None:
    assert has(b"\xff\xfeGIF89a\x00 hidden \xc3", "hidden")
    assert not has(b"\xff\xfe", "hidden")


@pytest.mark.parametrize(
    "body",
    [
        stream(chunk(role="assistant"), chunk(content="Hel"), chunk(content="lo, "), chunk(content="Wörld")),
        stream(*({"type": "response.output_text.delta", "delta": one} for one in ("Hel", "lo, Wörld"))),
        stream(
            {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "Hel"}},
            {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "Hello, W"}},
            {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "p"}},
            {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "örld"}},
            name="content_block_delta",
        ),
        stream(*({"candidates": [{"content": {"parts": [{"text": one}]}}]} for one in ("Hello, W", "örld"))),
        json.dumps([{"candidates": [{"content": {"parts": [{"text": one}]}}]} for one in ("Hello, W", "örld")]),
        stream({"response": "Hello, "}, {"response": "Wörld"}),
        '{"message": {"content": "Hello, W"}}\n{"message": {"content": "\\u00f6rld"}}\n',
        stream(chunk(content="Hel"), chunk(content="lo, Wörld")).replace("\n", "\r\n"),
    ],
)  # fmt: skip
def test_a_text_that_is_spread_over_pieces_is_found(body: str) -> None:
    assert has(body, "hello, wörld")
    assert not has(body, "hello, wörld!")
    assert not has(body, "hello, wörld", in_pieces=False)


def test_choices_and_tool_calls_are_not_mixed_up() -> None:
    body = stream(
        {"choices": [{"index": 0, "delta": {"content": "red "}}]},
        {"choices": [{"index": 1, "delta": {"content": "blue "}}]},
        {"choices": [{"index": 0, "delta": {"content": "rose"}}]},
        {"choices": [{"index": 1, "delta": {"content": "sky"}}]},
        chunk(tool_calls=[{"index": 0, "function": {"arguments": '{"city": "Z\\u00'}}]),
        chunk(tool_calls=[{"index": 1, "function": {"arguments": '{"other": '}}]),
        chunk(tool_calls=[{"index": 0, "function": {"arguments": 'fcrich"}'}}]),
    )
    assert has(body, "red rose")
    assert has(body, "blue sky")
    assert has(body, "zürich")
    assert not has(body, "red blue")


def test_labels_that_every_piece_repeats_do_not_make_words() -> None:
    body = stream(*(chunk(role="assistant", content="x") for _ in range(3)))
    assert has(body, "assistant")
    assert not has(body, "tas"), "assistan[t as]sistant"
    assert not has(body, "gpt-xgpt-x")


@pytest.mark.parametrize(
    "body",
    ["[" * 5000, '{"a":' * 3000, 'data: {"a":1\ndata: {\ndata: {"b": "c"}', "[1, 2", "[1, null]", "data:\n" * 99],
)
def test_broken_and_hostile_bodies_are_read_as_far_as_they_go(body: str) -> None:
    assert has(body, body[:3])
    assert not has(body, "not there")


def test_deep_json_is_looked_into_only_so_far() -> None:
    deep = '{"a":' * 400 + '"Hel"' + "}" * 400
    assert not has(f"{deep}\n{deep}", "helhel")


TEXT = st.text(st.sampled_from('\\\\u00fcndDCbB8"/ \nüßK😀'), max_size=24)


@given(TEXT, TEXT.filter(bool))
def test_escapes_are_read_as_by_hand(body: str, text: str) -> None:
    expected = any(text.casefold() in reading.casefold() for reading in readings(body))
    assert has(body, text, in_pieces=False) is expected


@given(st.dictionaries(st.text(), st.text()), st.booleans())
def test_every_text_of_a_document_is_found(document: dict[str, str], ascii_only: bool) -> None:
    body = json.dumps(document, ensure_ascii=ascii_only).encode(errors="surrogatepass")
    for text in (*document, *document.values()):
        if not any("\ud800" <= each <= "\udfff" for each in text):
            assert has(body, text)
