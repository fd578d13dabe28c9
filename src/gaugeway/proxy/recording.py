"""Record: from an Exchange that is over to the LogRecord that stays. Runs on every path, and awaits nothing."""

from __future__ import annotations

from time import perf_counter

from gaugeway.core.model import Bodies, Logged, LogRecord, Outcome, Usage
from gaugeway.core.ports import LogSink
from gaugeway.core.provider import Reported
from gaugeway.proxy.decoding import decode_body
from gaugeway.proxy.exchange import Exchange

_NOTHING = Reported()
_NO_USAGE = Usage()
REDACTED = b"[redacted]"
_NO_BODIES = frozenset((Outcome.REFUSED,))
"""Whoever is turned away at the door leaves no bodies: nobody else can then fill the store with them."""


class Recording:
    """Makes the log and hands it to the sink."""

    def __init__(self, sink: LogSink, log_body_cap: int) -> None:
        self._sink = sink
        self._cap = log_body_cap

    def record(self, exchange: Exchange) -> None:
        """The exchange's one log, unless collection is off."""
        if not exchange.collects_log:
            return
        answer, answer_is_cut, undecoded = self._answer(exchange)
        record = self._build(exchange, self._reported(exchange, answer), undecoded)
        bodies = None
        if exchange.options.collect_log_payload and exchange.outcome not in _NO_BODIES:
            bodies = self._bodies(exchange, answer, cut=answer_is_cut)
        self._sink.put(Logged(record, bodies))

    def _answer(self, exchange: Exchange) -> tuple[bytes, bool, str | None]:
        """The answer's readable bytes (head and tail where it was too long), whether cut, and what hindered."""
        transcript = exchange.transcript
        if transcript is None or exchange.reply is None:
            return b"", False, None
        for name, value in exchange.reply.headers:
            if name == b"content-encoding" and value.lower() != b"identity":
                decoded, complete, problem = decode_body(value, transcript.head(), self._cap)
                return decoded, transcript.is_cut or not complete, problem
        return transcript.head_and_tail(), transcript.is_cut, None

    def _reported(self, exchange: Exchange, answer: bytes) -> Reported:
        reply = exchange.reply
        if exchange.target is None or reply is None or reply.incoming is None:
            return _NOTHING
        return exchange.target.provider.read_response(exchange.rest, _header(exchange, b"content-type"), answer)

    def _build(self, exchange: Exchange, reported: Reported, undecoded: str | None) -> LogRecord:
        reply, options, asked, gateway = exchange.reply, exchange.options, exchange.asked, exchange.gateway
        first_byte, transcript = exchange.first_byte, exchange.transcript
        error = exchange.error or undecoded
        response_model = reported.model
        return LogRecord(
            account_id=gateway.account_id,
            gateway_id=gateway.id,
            id=exchange.log_id,
            provider=exchange.slug,
            outcome=exchange.outcome or Outcome.INTERNAL_ERROR,
            duration=round((perf_counter() - exchange.started) * 1000),
            model=self._clean(exchange, asked.model),
            model_type=asked.model_type,
            path=self._clean(exchange, exchange.rest),
            method=exchange.method,
            status_code=reply.status if reply is not None and exchange.reply_started else None,
            step=exchange.step,
            event_id=options.event_id,
            user_agent=exchange.user_agent and self._clean(exchange, exchange.user_agent),
            authentication=exchange.authenticated,
            first_byte_ms=None if first_byte is None else round((first_byte - exchange.started) * 1000),
            usage=reported.usage or _NO_USAGE,
            response_model=None if response_model == asked.model else response_model,
            custom_cost=options.custom_cost,
            request_content_type=exchange.content_type or None,
            response_content_type=_header(exchange, b"content-type") or None,
            request_size=len(exchange.body),
            response_size=0 if transcript is None else transcript.size,
            metadata=options.metadata,
            attempts=tuple(exchange.attempts),
            error=error and self._clean(exchange, error),
        )

    def _clean(self, exchange: Exchange, text: str) -> str:
        """A text column without the request's own credentials."""
        for secret in exchange.secrets:
            plain = secret.decode("latin-1")
            if plain in text:
                text = text.replace(plain, REDACTED.decode())
        return text

    def _bodies(self, exchange: Exchange, answer: bytes, *, cut: bool) -> Bodies:
        request = exchange.body
        for secret in exchange.secrets:
            if secret in request:
                request = request.replace(secret, REDACTED)
            if secret in answer:
                answer = answer.replace(secret, REDACTED)
        return Bodies(
            request=request[: self._cap],
            response=answer[: self._cap] if exchange.reply_started else None,
            request_cut=len(request) > self._cap,
            response_cut=cut or len(answer) > self._cap,
        )


def _header(exchange: Exchange, wanted: bytes) -> str:
    if exchange.reply is not None:
        for name, value in exchange.reply.headers:
            if name == wanted:
                return value.decode("latin-1")
    return ""
