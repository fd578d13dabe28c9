"""What an answer used that broke off before its provider said it: estimated from the bytes, and marked so."""

from __future__ import annotations

from msgspec.structs import replace

from gaugeway.core import estimating
from gaugeway.core.model import LogRecord, Outcome
from gaugeway.core.provider import framing_of
from gaugeway.proxy.exchange import Exchange

BROKEN_OFF = frozenset((Outcome.CLIENT_GONE, Outcome.STREAM_CUT, Outcome.TIMEOUT, Outcome.INTERNAL_ERROR))
"""How an answer ends without its last words, where providers report their figures."""

FIRST_UNBILLED = 300
"""Redirects and errors cost nothing, unless they report what they used."""

ESTIMATED_KINDS = frozenset(("chat", "completions"))
"""Kinds of answers whose text is what is billed."""


def has_come(record: LogRecord, exchange: Exchange, answer: bytes) -> bool:
    """Whether an answer of the provider's broke off after some of it had come; `answer` is that."""
    reply = exchange.reply
    if record.outcome not in BROKEN_OFF or not answer or reply is None or reply.incoming is None:
        return False
    return reply.status < FIRST_UNBILLED


def with_estimate(record: LogRecord, exchange: Exchange, answer: bytes) -> LogRecord:
    """The record with the figures that the provider did not report estimated; as it is where it reported all.

    `answer` is what came of it, as the downstream got it.
    """
    request = exchange.body if exchange.compat is None else exchange.compat.body
    seen = record.response_size
    framing = None if exchange.target is None else framing_of(exchange.target.provider)
    if framing is not None and answer:
        plain = framing.unframed(record.response_content_type or "", answer)
        answer, seen = plain, seen * len(plain) // len(answer)
    usage = estimating.completed(record.usage, request, answer, seen=seen)
    return record if usage is record.usage else replace(record, usage=usage, usage_estimated=True)
