"""The demo's traffic: real chats through the official OpenAI client, and what went differently on purpose."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from enum import StrEnum
from typing import Any

import msgspec
import openai
from msgspec import Struct

from gaugeway.core.money import plain
from gaugeway.demo.upstream import Upstream

PRICE_IN = Decimal("0.15") / 1_000_000
PRICE_OUT = Decimal("0.60") / 1_000_000
PRICE_IN_WORDS = "$0.15 per million tokens in and $0.60 per million tokens out"
"""Made up: a model on one's own processor has no price a token. Sent with `cf-aig-custom-cost`."""

ANSWER_TOKENS = 24
LONG_ANSWER_TOKENS = 400
QUESTIONS = (
    "Write one short sentence about the sea.",
    "What do bees make?",
    "What is 2 plus 2?",
    "Give me one tip for sleeping well.",
    "Name three colours of the rainbow.",
    "Write one short sentence about trains.",
    "Why is the sky blue?",
    "What do cats like to eat?",
    "Say something kind.",
    "What is a library?",
    "Write one short sentence about winter.",
    "What is bread made of?",
)
FEEDBACK = (1, 1, -1, None)
"""Thumbs of the answered chats, again and again."""


class Kind(StrEnum):
    """What a chat is meant to show."""

    WHOLE = "at once"
    STREAMED = "streamed"
    BAD_REQUEST = "bad request"
    UNKNOWN_PATH = "unknown path"
    HUNG_UP = "hung up"


class Chat(Struct, frozen=True, kw_only=True):
    """One request to send."""

    kind: Kind
    question: str
    priced: bool
    metadata: dict[str, str | int | float | bool] | None = None
    feedback: int | None = None  # the thumb it will get, -1 | 1


class Sent(Struct, frozen=True, kw_only=True):
    """A request that was sent, and what the client saw of it."""

    chat: Chat
    log_id: str | None  # from the answer's cf-aig-log-id
    status: int
    seconds: float
    tokens_in: int | None = None  # as the answer's usage said; None: it said nothing
    tokens_out: int | None = None
    text: str = ""


def plan(count: int) -> list[Chat]:
    """`count` chats that are answered, and three that are not: each kind of failure leaves one log, too."""
    questions, thumbs = itertools.cycle(QUESTIONS), itertools.cycle(FEEDBACK)
    chats = [
        Chat(
            kind=Kind.STREAMED if index % 2 else Kind.WHOLE,
            question=next(questions),
            priced=index % 3 != 2,
            metadata={"team": "support" if index % 4 == 0 else "search", "turn": index} if index % 2 == 0 else None,
            feedback=next(thumbs),
        )
        for index in range(count)
    ]
    odd = [Kind.BAD_REQUEST, Kind.UNKNOWN_PATH, Kind.HUNG_UP]
    return chats + [Chat(kind=kind, question=next(questions), priced=True) for kind in odd]


def send_all(chats: list[Chat], base_url: str, upstream: Upstream, check: Callable[[], None]) -> Iterator[Sent]:
    """Send them one after the other. `check` is called before each, to fail early where a server has ended."""
    client = openai.OpenAI(
        base_url=base_url,
        api_key="a-local-model-needs-no-key",
        max_retries=0,  # each chat is one request, so that the logs can be counted
        timeout=60.0,
        # a proxy in the environment is for the world outside, not for this machine
        http_client=openai.DefaultHttpxClient(trust_env=False),
    )
    senders = {
        Kind.WHOLE: _send_whole,
        Kind.STREAMED: _send_streamed,
        Kind.BAD_REQUEST: _send_bad_request,
        Kind.UNKNOWN_PATH: _send_to_unknown_path,
        Kind.HUNG_UP: _send_and_hang_up,
    }
    with client:
        for chat in chats:
            check()
            yield senders[chat.kind](client, chat, upstream.model)


def _headers(chat: Chat) -> dict[str, str]:
    headers: dict[str, str] = {}
    if chat.metadata is not None:
        headers["cf-aig-metadata"] = msgspec.json.encode(chat.metadata).decode()
    if chat.priced:
        price = f'{{"per_token_in": {plain(PRICE_IN)}, "per_token_out": {plain(PRICE_OUT)}}}'
        headers["cf-aig-custom-cost"] = price
    return headers


def _send_whole(client: openai.OpenAI, chat: Chat, model: str) -> Sent:
    started = time.monotonic()
    raw = client.chat.completions.with_raw_response.create(
        model=model,
        messages=[{"role": "user", "content": chat.question}],
        max_tokens=ANSWER_TOKENS,
        temperature=0,
        extra_headers=_headers(chat),
    )
    answer = raw.parse()
    return Sent(
        chat=chat,
        log_id=raw.headers.get("cf-aig-log-id"),
        status=raw.status_code,
        seconds=time.monotonic() - started,
        tokens_in=answer.usage.prompt_tokens if answer.usage else None,
        tokens_out=answer.usage.completion_tokens if answer.usage else None,
        text=answer.choices[0].message.content or "",
    )


def _send_streamed(client: openai.OpenAI, chat: Chat, model: str) -> Sent:
    started = time.monotonic()
    raw = client.chat.completions.with_raw_response.create(
        model=model,
        messages=[{"role": "user", "content": chat.question}],
        max_tokens=ANSWER_TOKENS,
        temperature=0,
        stream=True,
        stream_options={"include_usage": True},
        extra_headers=_headers(chat),
    )
    text, tokens_in, tokens_out = "", None, None
    for chunk in raw.parse():
        for choice in chunk.choices:
            text += choice.delta.content or ""
        if chunk.usage:
            tokens_in, tokens_out = chunk.usage.prompt_tokens, chunk.usage.completion_tokens
    return Sent(
        chat=chat,
        log_id=raw.headers.get("cf-aig-log-id"),
        status=raw.status_code,
        seconds=time.monotonic() - started,
        tokens_in=tokens_in,
        tokens_out=tokens_out,
        text=text,
    )


def _send_and_hang_up(client: openai.OpenAI, chat: Chat, model: str) -> Sent:
    started = time.monotonic()
    raw = client.chat.completions.with_raw_response.create(
        model=model,
        messages=[{"role": "user", "content": chat.question}],
        max_tokens=LONG_ANSWER_TOKENS,
        temperature=0,
        stream=True,
        stream_options={"include_usage": True},
        extra_body={"ignore_eos": True},  # so that it is still writing when we go
        extra_headers=_headers(chat),
    )
    stream, text = raw.parse(), ""
    for chunk in stream:
        text += chunk.choices[0].delta.content or "" if chunk.choices else ""
        if text:
            break
    stream.close()
    return Sent(
        chat=chat,
        log_id=raw.headers.get("cf-aig-log-id"),
        status=raw.status_code,
        seconds=time.monotonic() - started,
        text=text,
    )


def _send_bad_request(client: openai.OpenAI, chat: Chat, model: str) -> Sent:
    body = {"model": model, "messages": chat.question}  # a list is wanted
    return _refused(client, chat, "/chat/completions", body)


def _send_to_unknown_path(client: openai.OpenAI, chat: Chat, model: str) -> Sent:
    return _refused(client, chat, "/chat/suggestions", {"model": model, "prompt": chat.question})


def _refused(client: openai.OpenAI, chat: Chat, path: str, body: dict[str, Any]) -> Sent:
    started = time.monotonic()
    try:
        client.post(path, cast_to=object, body=body, options={"headers": _headers(chat)})
    except openai.APIStatusError as error:
        return Sent(
            chat=chat,
            log_id=error.response.headers.get("cf-aig-log-id"),
            status=error.status_code,
            seconds=time.monotonic() - started,
            text=error.message,
        )
    return Sent(chat=chat, log_id=None, status=200, seconds=time.monotonic() - started)
