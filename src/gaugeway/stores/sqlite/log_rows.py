"""A LogRecord as a row of `logs`, and back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import ROUND_FLOOR, Context, Decimal, Inexact
from typing import Any, TypeVar

import apsw
import msgspec

from gaugeway.core.model import Attempt, CustomCost, LogRecord, Outcome, RouteTaken, Scope, Usage
from gaugeway.core.ports import LogChange
from gaugeway.stores.sqlite import metadata_text
from gaugeway.stores.sqlite.connection import Connection
from gaugeway.stores.sqlite.words import Word, Words

OUTCOMES: tuple[Outcome, ...] = (
    Outcome.SUCCESS,
    Outcome.CACHED,
    Outcome.REFUSED,
    Outcome.RATE_LIMITED,
    Outcome.SPEND_LIMITED,
    Outcome.BLOCKED,
    Outcome.UPSTREAM_ERROR,
    Outcome.TIMEOUT,
    Outcome.STREAM_CUT,
    Outcome.CLIENT_GONE,
    Outcome.INTERNAL_ERROR,
)
"""An outcome's code is its place here: append only. The successes are 0 and 1 (index `failures`)."""

_OUTCOME_CODES = {outcome: code for code, outcome in enumerate(OUTCOMES)}

AUTHENTICATION, USAGE_ESTIMATED, BODIES_LOST = 1, 2, 4

COLUMNS = (
    "gw, id, cost, duration, feedback, outcome, provider, model, tokens_in, tokens_out, first_byte_ms, score,"
    " status_code, flags, model_type, request_type, request_content_type, response_content_type, user_agent,"
    " path, metadata_keys, metadata_values, event_id, pid, rest, cost_fraction"
)
INSERT = f"INSERT INTO logs VALUES({','.join('?' * (COLUMNS.count(',') + 1))})"
"""Without names, as COLUMNS are in the table's order: the statement is looked up by its text for every row."""

SELECT = f"SELECT {COLUMNS} FROM logs"  # noqa: S608 - constants

MAX_NUMBER = (1 << 62) - 1
"""Larger counts are nonsense, and two of them could not be added: they are stored as not known."""

MAX_FRACTION = 100
"""Decimals of a cost beyond 1e-12 dollars that are kept."""

LARGEST_COST = (1 << 63) - 1
"""In 1e-12 dollars: 9.2 million dollars for one request."""

_EXACT = Context(prec=MAX_FRACTION + 40, traps=[Inexact])

Row = Sequence[Any]
Encode = Callable[[LogRecord, int, int | None], Row]


class Rest(msgspec.Struct, frozen=True, array_like=True):
    """What nothing filters, orders or sums. Stored by position: append only, each new field with a default."""

    method: str
    step: int
    request_size: int
    response_size: int
    attempts: tuple[Attempt, ...]
    cached_tokens_in: int | None
    cache_write_tokens: int | None
    cache_write_1h_tokens: int | None
    reasoning_tokens: int | None
    audio_tokens_in: int | None
    audio_tokens_out: int | None
    reported_cost: Decimal | None
    custom_cost: CustomCost | None
    response_model: str | None
    cost_reason: str | None
    error: str | None
    cost_saved: Decimal | None = None
    route: RouteTaken | None = None
    priced_by: str | None = None
    byok_alias: str | None = None


_encode_rest = msgspec.msgpack.Encoder().encode
decode_rest = msgspec.msgpack.Decoder(Rest).decode


def cost_columns(cost: Decimal) -> tuple[int, str | None] | None:
    """Whole 1e-12 dollars (rounded down) and the decimal digits beyond them; None where they do not fit.

    Ordering by both columns, NULL digits first, is ordering by the amount.
    """
    if not cost:
        return 0, None
    if not cost.is_finite() or cost.adjusted() > 7:
        return None
    try:
        scaled = _EXACT.scaleb(cost, 12)
    except Inexact:
        return None
    whole = int(scaled)
    digits = None
    if scaled != whole:
        whole, digits = split_cost(cost)
        if len(digits) > MAX_FRACTION:
            return None
    return (whole, digits) if abs(whole) <= LARGEST_COST else None


def split_cost(cost: Decimal) -> tuple[int, str]:
    """Whole 1e-12 dollars, rounded down, and the decimal digits beyond them, of any finite amount."""
    exact = Context(prec=len(cost.as_tuple().digits) + abs(cost.adjusted()) + 20)
    scaled = exact.scaleb(cost, 12)
    whole = scaled.to_integral_value(ROUND_FLOOR, exact)
    fraction = format(exact.subtract(scaled, whole), "f")
    return int(whole), fraction.partition(".")[2].rstrip("0")


def cost_of(whole: int | None, fraction: str | None) -> Decimal | None:
    """The exact dollars of the two columns."""
    if whole is None:
        return None
    number = whole if fraction is None else whole * 10 ** len(fraction) + int(fraction)
    text = str(abs(number))
    return Decimal((number < 0, tuple(map(int, text)), -12 - len(fraction or "")))


def encoder(words: Words) -> Encode:
    """What makes rows of logs, given a log, its gateway's number and its payload's. Within `Words.adding`."""
    provider, model, model_type = words[Word.PROVIDER], words[Word.MODEL], words[Word.MODEL_TYPE]
    request_type, user_agent = words[Word.REQUEST_TYPE], words[Word.USER_AGENT]
    asked, answered = words[Word.REQUEST_CONTENT_TYPE], words[Word.RESPONSE_CONTENT_TYPE]
    path, metadata_keys = words[Word.PATH], words[Word.METADATA_KEYS]

    def encode(log: LogRecord, gw: int, pid: int | None) -> Row:
        usage = log.usage
        tokens_in, tokens_out = usage.tokens_in, usage.tokens_out
        cost = cost_reason = fraction = None
        if log.cost is not None:
            columns = cost_columns(log.cost)
            if columns is None:
                cost_reason = f"a cost of {log.cost:.6g} dollars is outside what can be kept exactly"
            else:
                cost, fraction = columns
        keys, values = metadata_text.to_columns(log.metadata) if log.metadata else (None, None)
        return (
            gw,
            log.id,
            cost,
            log.duration,
            log.feedback or None,
            _OUTCOME_CODES[log.outcome],
            provider[log.provider],
            model[log.model],
            tokens_in if tokens_in is None or tokens_in <= MAX_NUMBER else None,
            tokens_out if tokens_out is None or tokens_out <= MAX_NUMBER else None,
            log.first_byte_ms,
            log.score,
            log.status_code,
            log.authentication + 2 * log.usage_estimated + 4 * log.bodies_lost,
            model_type[log.model_type],
            request_type[log.request_type],
            asked[log.request_content_type],
            answered[log.response_content_type],
            user_agent[log.user_agent],
            path[log.path],
            metadata_keys[keys],
            values,
            log.event_id,
            pid,
            _encode_rest(
                (
                    log.method,
                    log.step,
                    log.request_size,
                    log.response_size,
                    log.attempts and [_short(attempt) for attempt in log.attempts],
                    usage.cached_tokens_in,
                    usage.cache_write_tokens,
                    usage.cache_write_1h_tokens,
                    usage.reasoning_tokens,
                    usage.audio_tokens_in,
                    usage.audio_tokens_out,
                    usage.reported_cost,
                    log.custom_cost,
                    log.response_model,
                    cost_reason or log.cost_reason,
                    log.error,
                    log.cost_saved,
                    log.route,
                    log.priced_by,
                    log.byok_alias,
                )
            ),
            fraction,
        )

    return encode


def changed_columns(change: LogChange, words: Words) -> dict[str, Any]:
    """The columns that a PATCH sets. Within `Words.adding`."""
    columns: dict[str, Any] = {}
    if "feedback" in change.fields:
        columns["feedback"] = change.feedback or None
    if "score" in change.fields:
        columns["score"] = change.score
    if "metadata" in change.fields:
        keys, values = metadata_text.to_columns(change.metadata)
        columns["metadata_keys"] = words[Word.METADATA_KEYS][keys]
        columns["metadata_values"] = values
    return columns


def decode(row: Row, scope: Scope, connection: Connection, words: Words) -> LogRecord:
    """The log of a row that `SELECT` gave."""
    text = words.text
    (_, id_, cost, duration, feedback, outcome, provider, model, tokens_in, tokens_out, first_byte_ms) = row[:11]
    (score, status_code, flags, model_type, request_type, asked, answered, user_agent, path) = row[11:20]
    (keys, values, event_id, _, packed, fraction) = row[20:]
    rest = decode_rest(packed)
    return LogRecord(
        account_id=scope.account_id,
        gateway_id=scope.gateway_id,
        id=id_,
        provider=_present(text(connection, Word.PROVIDER, provider)),
        outcome=OUTCOMES[int(outcome)],
        duration=duration,
        model=_present(text(connection, Word.MODEL, model)),
        model_type=text(connection, Word.MODEL_TYPE, model_type),
        path=_present(text(connection, Word.PATH, path)),
        method=rest.method,
        request_type=text(connection, Word.REQUEST_TYPE, request_type),
        status_code=status_code,
        step=rest.step,
        event_id=event_id,
        user_agent=text(connection, Word.USER_AGENT, user_agent),
        authentication=bool(flags & AUTHENTICATION),
        first_byte_ms=first_byte_ms,
        usage=Usage(
            tokens_in=tokens_in,
            tokens_out=tokens_out,
            cached_tokens_in=rest.cached_tokens_in,
            cache_write_tokens=rest.cache_write_tokens,
            cache_write_1h_tokens=rest.cache_write_1h_tokens,
            reasoning_tokens=rest.reasoning_tokens,
            audio_tokens_in=rest.audio_tokens_in,
            audio_tokens_out=rest.audio_tokens_out,
            reported_cost=rest.reported_cost,
        ),
        usage_estimated=bool(flags & USAGE_ESTIMATED),
        response_model=rest.response_model,
        cost=cost_of(cost, fraction),
        cost_reason=rest.cost_reason,
        cost_saved=rest.cost_saved,
        custom_cost=rest.custom_cost,
        request_content_type=text(connection, Word.REQUEST_CONTENT_TYPE, asked),
        response_content_type=text(connection, Word.RESPONSE_CONTENT_TYPE, answered),
        request_size=rest.request_size,
        response_size=rest.response_size,
        metadata=metadata_text.from_columns(text(connection, Word.METADATA_KEYS, keys), values),
        attempts=rest.attempts,
        error=rest.error,
        bodies_lost=bool(flags & BODIES_LOST),
        feedback=feedback,
        score=score,
        route=rest.route,
        priced_by=rest.priced_by,
        byok_alias=rest.byok_alias,
    )


T = TypeVar("T")


def _short(attempt: Attempt) -> Attempt | tuple[str, int, int | None, int, str | None]:
    """An attempt without what hardly any has."""
    if attempt.may_be_billed or attempt.usage is not None:
        return attempt
    return attempt.provider, attempt.step, attempt.status_code, attempt.duration, attempt.error


def _present(value: T | None) -> T:
    if value is None:
        raise apsw.CorruptError("a log lacks a column that every log has")
    return value
