"""Record: from an Exchange that is over to the LogRecord that stays. Runs on every path, and awaits nothing."""

from __future__ import annotations

from time import perf_counter

import msgspec
from msgspec import Struct

from gaugeway.core.model import Bodies, Logged, LogRecord, Outcome, Usage
from gaugeway.core.ports import LogSink
from gaugeway.core.provider import Reported
from gaugeway.proxy.cache_policy import HIT
from gaugeway.proxy.decoding import decode_body
from gaugeway.proxy.exchange import Exchange

_NOTHING = Reported()
_NO_USAGE = Usage()
_HIT_USAGE = Usage(tokens_in=0, tokens_out=0)
REDACTED = b"[redacted]"
UNIVERSAL = "Universal"
_NO_BODIES = frozenset((Outcome.REFUSED, Outcome.RATE_LIMITED))
"""Whoever is turned away at the door leaves no bodies: nobody else can then fill the store with them."""


_PLAIN = (b"", b"identity")


class _Answer(Struct):
    """What came back, as the log sees it."""

    body: bytes = b""  # decoded; head and tail, where it was too long
    is_cut: bool = False
    content_type: str = ""
    problem: str | None = None  # what hindered reading it
    reported: Reported = _NOTHING


class Recording:
    """Makes the log and hands it to the sink."""

    def __init__(self, sink: LogSink, log_body_cap: int) -> None:
        self._sink = sink
        self._cap = log_body_cap

    def record(self, exchange: Exchange) -> None:
        """The exchange's one log, unless collection is off."""
        if not exchange.collects_log:
            return
        if exchange.target is not None and exchange.target.secrets:
            exchange.secrets += exchange.target.secrets  # an upstream may repeat what it was sent
        answer = self._read_answer(exchange)
        record = _without_secrets(self._build(exchange, answer), exchange.secrets)
        bodies = None
        if exchange.options.collect_log_payload and exchange.outcome not in _NO_BODIES:
            bodies = self._bodies(exchange, answer)
        self._sink.put(Logged(record, bodies))

    def _read_answer(self, exchange: Exchange) -> _Answer:
        answer = _Answer()
        transcript, reply = exchange.transcript, exchange.reply
        if transcript is None or reply is None:
            return answer
        coding = b""
        for name, value in reply.headers:
            if name == b"content-type":
                answer.content_type = value.decode("latin-1")
            elif name == b"content-encoding":
                coding = value.lower()
        answer.is_cut = transcript.is_cut
        if coding in _PLAIN:
            answer.body = transcript.head_and_tail()
        else:
            answer.body, complete, answer.problem = decode_body(coding, transcript.head(), self._cap)
            answer.is_cut = answer.is_cut or not complete
        native = None if exchange.compat is None else exchange.compat.native
        if exchange.compat is not None and exchange.target is not None and native is not None:
            read = exchange.target.provider.read_response
            answer.reported = read(exchange.rest, exchange.compat.native_type, native.head_and_tail())
        elif exchange.target is not None and (reply.incoming is not None or _is_readable_hit(exchange)):
            read = exchange.target.provider.read_response
            answer.reported = read(exchange.rest, answer.content_type, answer.body)
        return answer

    def _build(self, exchange: Exchange, answer: _Answer) -> LogRecord:
        reply, options, asked, gateway = exchange.reply, exchange.options, exchange.asked, exchange.gateway
        started, first_byte, transcript = exchange.started, exchange.first_byte, exchange.transcript
        reported, is_hit = answer.reported, exchange.cache_status == HIT
        return LogRecord(
            account_id=gateway.account_id,
            gateway_id=gateway.id,
            id=exchange.log_id,
            provider=exchange.slug or "unknown",
            outcome=exchange.outcome or Outcome.INTERNAL_ERROR,
            duration=round((perf_counter() - started) * 1000),
            model=asked.model,
            model_type=asked.model_type,
            path=exchange.rest if exchange.compat is None else exchange.compat.path,
            method=exchange.method,
            request_type=UNIVERSAL if exchange.steps or not exchange.slug else None,
            status_code=reply.status if reply is not None and exchange.reply_started else None,
            step=exchange.step,
            event_id=options.event_id,
            user_agent=exchange.user_agent,
            authentication=exchange.authenticated,
            first_byte_ms=None if first_byte is None else round((first_byte - started) * 1000),
            usage=_HIT_USAGE if is_hit else reported.usage or _NO_USAGE,
            usage_saved=reported.usage if is_hit else None,
            response_model=None if reported.model == asked.model else reported.model,
            custom_cost=options.custom_cost,
            request_content_type=exchange.content_type or None,
            response_content_type=answer.content_type or None,
            request_size=exchange.universal_size or len(exchange.body),
            response_size=0 if transcript is None else transcript.size,
            metadata=options.metadata,
            attempts=tuple(exchange.attempts),
            error=exchange.error or answer.problem,
        )

    def _bodies(self, exchange: Exchange, answer: _Answer) -> Bodies:
        cap, request, response = self._cap, exchange.body, answer.body
        for secret in exchange.secrets:
            if secret in request:
                request = request.replace(secret, REDACTED)
            if secret in response:
                response = response.replace(secret, REDACTED)
        return Bodies(
            request=request[:cap],
            response=response[:cap] if exchange.reply_started else None,
            request_cut=len(request) > cap,
            response_cut=answer.is_cut or len(response) > cap,
        )


def _is_readable_hit(exchange: Exchange) -> bool:
    """Whether a kept answer went downstream in the provider's own words, and not translated from them."""
    return exchange.cache_status == HIT and (exchange.compat is None or exchange.compat.translated is None)


def _without_secrets(record: LogRecord, secrets: list[bytes]) -> LogRecord:
    """The record without the request's own credentials, in whichever text a client has put one."""
    shown = (
        f"{record.path}\n{record.model}\n{record.user_agent}\n{record.event_id}\n{record.metadata}\n{record.error}"
        f"\n{record.request_content_type}\n{record.response_content_type}\n{record.response_model}\n{record.provider}"
    )
    if len(record.attempts) > 1:  # of a single one the error says the same
        shown += "\n".join([attempt.error for attempt in record.attempts if attempt.error])
    for secret in secrets:
        if secret.decode("latin-1") in shown:
            return _redacted(record, secrets)
    return record


def _redacted(record: LogRecord, secrets: list[bytes]) -> LogRecord:
    """Rare, so thorough rather than quick: through JSON, where every text of the record is."""
    text = msgspec.json.encode(record)
    for secret in secrets:
        text = text.replace(msgspec.json.encode(secret.decode("latin-1"))[1:-1], REDACTED)
    return msgspec.json.decode(text, type=LogRecord)
