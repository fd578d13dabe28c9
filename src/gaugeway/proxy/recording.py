"""Record: from an Exchange that is over to the LogRecord that stays. Runs on every path, and awaits nothing."""

from __future__ import annotations

from operator import attrgetter
from time import perf_counter
from typing import TypeVar, cast

from msgspec import Struct
from msgspec.structs import replace

from gaugeway.core.model import Bodies, Logged, LogRecord, Outcome, Usage
from gaugeway.core.ports import LogSink
from gaugeway.core.provider import Provider, Reported, header_figures_of
from gaugeway.proxy.cache_policy import HIT
from gaugeway.proxy.decoding import decode_body
from gaugeway.proxy.estimating import ESTIMATED_KINDS, has_come, with_estimate
from gaugeway.proxy.exchange import Exchange, SessionFigures
from gaugeway.proxy.redaction import REDACTED, redacted
from gaugeway.proxy.soundness import fault_of
from gaugeway.proxy.spending import Spending

T = TypeVar("T")

_NOTHING = Reported()
_NO_USAGE = Usage()
_HIT_USAGE = Usage(tokens_in=0, tokens_out=0)
UNIVERSAL = "Universal"
WEBSOCKETS = "WebSockets"
OK = 200
UNKNOWN = "unknown"
"""The provider of a request that came to none, or of a dynamic route that no model has answered well."""
_NO_BODIES = frozenset((Outcome.REFUSED, Outcome.RATE_LIMITED, Outcome.SPEND_LIMITED))
"""Whoever is turned away at the door leaves no bodies: nobody else can then fill the store with them."""


_PLAIN = (b"", b"identity")
MAX_NOTES = 16
"""Of one kept answer; a client that names its own keys can ask for it by several paths."""


class _Answer(Struct):
    """What came back, as the log sees it."""

    body: bytes = b""  # decoded; head and tail, where it was too long
    is_cut: bool = False
    content_type: str = ""
    problem: str | None = None  # what hindered reading it
    reported: Reported = _NOTHING


class Recording:
    """Makes the log and hands it to the sink."""

    def __init__(self, sink: LogSink, log_body_cap: int, spending: Spending) -> None:
        self._sink = sink
        self._cap = log_body_cap
        self._spending = spending

    def record(self, exchange: Exchange) -> None:
        """The exchange's one log, unless collection is off; and what it cost, to its spend limits, in any case."""
        if not exchange.collects_log and exchange.hold is None:
            return
        if exchange.target is not None and exchange.target.secrets:
            exchange.secrets += exchange.target.secrets  # an upstream may repeat what it was sent
        answer = self._read_answer(exchange)
        if exchange.outcome is Outcome.SUCCESS:
            _look_closer(exchange, answer)
        record = self._build(exchange, answer)
        if has_come(record, exchange, answer.body) and record.model_type in ESTIMATED_KINDS:
            record = with_estimate(record, exchange, answer.body)
        if exchange.hold is not None:
            record = self._spending.settle(exchange, exchange.hold, record, answer.body)
            if not exchange.collects_log:
                return
        record = _without_secrets(record, exchange.secrets, is_provider=exchange.target is not None)
        bodies = None
        if exchange.options.collect_log_payload and exchange.outcome not in _NO_BODIES:
            bodies = self._bodies(exchange, answer)
        self._sink.put(Logged(record, bodies))

    def _read_answer(self, exchange: Exchange) -> _Answer:
        answer = _Answer()
        if exchange.session is not None:
            return _of_session(exchange, exchange.session)
        transcript, reply = exchange.transcript, exchange.reply
        if transcript is None or reply is None:
            return answer
        said = dict(reply.headers)
        answer.content_type = said.get(b"content-type", b"").decode("latin-1")
        coding = said.get(b"content-encoding", b"").lower()
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
            answer.reported = _read_native(exchange, exchange.target.provider, answer)
        if answer.reported.usage is None and exchange.target is not None and reply.incoming is not None:
            figures = header_figures_of(exchange.target.provider)
            if figures is not None:
                answer.reported = replace(answer.reported, usage=figures.read_headers(reply.headers))
        return answer

    def _build(self, exchange: Exchange, answer: _Answer) -> LogRecord:
        reply, options, asked, gateway = exchange.reply, exchange.options, exchange.asked, exchange.gateway
        started, first_byte, transcript = exchange.started, exchange.first_byte, exchange.transcript
        reported, is_hit = answer.reported, exchange.cache_status == HIT
        provider, model, response_model = exchange.slug or UNKNOWN, asked.model, reported.model
        if exchange.route is not None and exchange.route.all_failed:
            provider, model, response_model = UNKNOWN, exchange.route.name, reported.model or asked.model
        session = exchange.session
        sent = (exchange.universal_size or len(exchange.body)) if session is None else session.sent
        received = session.received if session is not None else 0 if transcript is None else transcript.size
        return LogRecord(
            account_id=gateway.account_id,
            gateway_id=gateway.id,
            id=exchange.log_id,
            provider=provider,
            outcome=exchange.outcome or Outcome.INTERNAL_ERROR,
            duration=round((perf_counter() - started) * 1000),
            model=model,
            model_type=asked.model_type,
            path=exchange.rest if exchange.compat is None else exchange.compat.path,
            method=exchange.method,
            request_type=_request_type(exchange),
            status_code=reply.status if reply is not None and exchange.reply_started else None,
            step=exchange.step,
            event_id=options.event_id,
            user_agent=exchange.user_agent,
            authentication=exchange.authenticated,
            first_byte_ms=None if first_byte is None else round((first_byte - started) * 1000),
            usage=_HIT_USAGE if is_hit else reported.usage or _NO_USAGE,
            usage_saved=reported.usage if is_hit else None,
            response_model=None if response_model == model else response_model,
            cost_reason=None if session is None else _why_no_cost(exchange, session),
            custom_cost=options.custom_cost,
            request_content_type=exchange.content_type or None,
            response_content_type=answer.content_type or None,
            route=None if exchange.route is None else exchange.route.taken,
            request_size=sent,
            response_size=received,
            metadata=options.metadata,
            byok_alias=None if exchange.stored_key is None else exchange.stored_key.config.alias,
            attempts=tuple(exchange.attempts),
            error=exchange.error or answer.problem,
        )

    def _bodies(self, exchange: Exchange, answer: _Answer) -> Bodies:
        cap = self._cap
        request, response = redacted(exchange.body, exchange.secrets), redacted(answer.body, exchange.secrets)
        return Bodies(
            request=request[:cap],
            response=response[:cap] if exchange.reply_started else None,
            request_cut=len(request) > cap or (exchange.session is not None and exchange.session.sent_cut),
            response_cut=answer.is_cut or len(response) > cap,
        )


def _look_closer(exchange: Exchange, answer: _Answer) -> None:
    """A success of HTTP's, of which the provider says within its answer that it is none.

    What asks for an answer can fail; what reads an old one (GET) only shows how that has failed.
    """
    reply = exchange.reply
    if exchange.method != "POST" or reply is None or reply.incoming is None or answer.problem:
        return
    if reply.status == OK:
        fault = fault_of(answer.content_type, answer.body, is_cut=answer.is_cut)
        if fault is not None:
            exchange.outcome, exchange.error = fault


def _request_type(exchange: Exchange) -> str | None:
    if exchange.over_socket:
        return WEBSOCKETS
    return UNIVERSAL if exchange.steps or not exchange.slug else None


def _why_no_cost(exchange: Exchange, session: SessionFigures) -> str | None:
    """A sum of figures of which some are missing is no cost, unless the client has said the total itself."""
    said = exchange.options.custom_cost
    return None if said is not None and said.total_cost is not None else session.gap


def _of_session(exchange: Exchange, session: SessionFigures) -> _Answer:
    transcript = exchange.transcript
    return _Answer(
        body=b"" if transcript is None else transcript.head_and_tail(),
        is_cut=session.received_cut or (transcript is not None and transcript.is_cut),
        reported=session.reported,
    )


def _read_native(exchange: Exchange, provider: Provider, answer: _Answer) -> Reported:
    """What the provider reports in its own words. Of a kept answer it is read once, however often it is given."""
    if exchange.hit is None:
        return provider.read_response(exchange.rest, answer.content_type, answer.body)
    notes, name = exchange.hit.notes, f"{provider.slug}/{exchange.rest}"
    found = notes.get(name)
    if found is None:
        found = provider.read_response(exchange.rest, answer.content_type, answer.body)
        if not answer.is_cut and len(notes) < MAX_NOTES:
            notes[name] = found
    return found


def _is_readable_hit(exchange: Exchange) -> bool:
    """Whether a kept answer went downstream in the provider's own words, and not translated from them."""
    return exchange.cache_status == HIT and (exchange.compat is None or exchange.compat.translated is None)


_texts_of = attrgetter(
    "path",
    "model",
    "user_agent",
    "event_id",
    "error",
    "request_content_type",
    "response_content_type",
    "response_model",
    "provider",
)


def _without_secrets(record: LogRecord, secrets: list[bytes], *, is_provider: bool) -> LogRecord:
    """The record without the request's own credentials, in whichever text a client has put one."""
    shown = "\n".join(filter(None, _texts_of(record)))
    if record.metadata:
        shown += "".join([f"\n{key}\n{value}" for key, value in record.metadata.items()])
    if len(record.attempts) > 1:  # of a single one the error says the same
        shown += "\n".join([attempt.error for attempt in record.attempts if attempt.error])
    for secret in secrets:
        if secret.decode("latin-1") in shown:
            return _redacted(record, secrets, is_provider=is_provider)
    return record


def _redacted(record: LogRecord, secrets: list[bytes], *, is_provider: bool) -> LogRecord:
    """Each text that a client or an upstream has written.

    A gateway's name stays what it is, also where a key is the same word, and so does a provider's that there is.
    """
    words = [secret.decode("latin-1") for secret in secrets]

    def clean(text: T) -> T:
        for word in words if isinstance(text, str) else ():
            text = cast("T", cast("str", text).replace(word, REDACTED.decode()))
        return text

    metadata = record.metadata
    return replace(
        record,
        provider=record.provider if is_provider else clean(record.provider),
        model=clean(record.model),
        path=clean(record.path),
        event_id=clean(record.event_id),
        user_agent=clean(record.user_agent),
        response_model=clean(record.response_model),
        cost_reason=clean(record.cost_reason),
        request_content_type=clean(record.request_content_type),
        response_content_type=clean(record.response_content_type),
        metadata=None if metadata is None else {clean(key): clean(value) for key, value in metadata.items()},
        attempts=tuple(
            replace(attempt, error=clean(attempt.error), model=clean(attempt.model)) for attempt in record.attempts
        ),
        error=clean(record.error),
    )
