"""When another attempt is made, and how long before it. Pure: no clock, no chance, no waiting of its own."""

from __future__ import annotations

import re
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TypeVar

from msgspec import Struct

from gaugeway.core.errors import BadInput, CircuitOpen, Side, UpstreamFailure
from gaugeway.core.model import Gateway

T = TypeVar("T")

MAX_ATTEMPTS = 5
MAX_DELAY_MS = 60_000
"""The longest wait before an attempt. An upstream that asks for more is not asked again."""
MAX_REQUEST_TIMEOUT_MS = 3_600_000
DEFAULT_DELAY_MS = 500
DEFAULT_BACKOFF = "exponential"
BACKOFFS = ("constant", "linear", "exponential")
JITTER = 0.25
"""The part of a wait by which chance may lengthen it, so that clients which failed together part again."""

_RETRIED = frozenset((408, 409, 429))


class RetryWishes(Struct, frozen=True, kw_only=True):
    """What a request or a step asks for. None: not said, so the next level's word holds."""

    max_attempts: int | None = None
    delay_ms: int | None = None
    backoff: str | None = None
    timeout_ms: int | None = None  # until the answer's first byte


NO_WISHES = RetryWishes()


class RetryPolicy(Struct, frozen=True, kw_only=True):
    """What holds for one target."""

    attempts: int = 1  # in all
    delay_ms: int = DEFAULT_DELAY_MS
    backoff: str = DEFAULT_BACKOFF
    timeout_ms: int | None = None  # of each attempt, until its answer's first byte

    def limit(self, *, last: bool) -> float | None:
        """Seconds that an attempt has until its first byte; None: as long as the server's own timers give it.

        The very last attempt of one that was tried before waits for its answer (contract 5.3): there is
        nothing left to gain by giving up. A request with a single attempt is held to its timeout.
        """
        if self.timeout_ms is None or (last and self.attempts > 1):
            return None
        return self.timeout_ms / 1000


def settle(wishes: RetryWishes, gateway: Gateway) -> RetryPolicy:
    """The policy from what the request (or its step) says and else its gateway.

    Raises BadInput for a delay or backoff that nothing could ever follow.
    """
    attempts = gateway.retry_max_attempts if wishes.max_attempts is None else wishes.max_attempts
    if attempts is None and (wishes.delay_ms is not None or wishes.backoff is not None):
        said = "cf-aig-backoff" if wishes.delay_ms is None else "cf-aig-retry-delay"
        raise BadInput(
            f"{said} has nothing to act on, as neither the request nor the gateway asks for a second attempt:"
            " send cf-aig-max-attempts too",
            ("headers", said),
        )
    return RetryPolicy(
        attempts=_or(attempts, 1),
        delay_ms=_or(wishes.delay_ms, _or(gateway.retry_delay, DEFAULT_DELAY_MS)),
        backoff=_or(wishes.backoff, _or(gateway.retry_backoff, DEFAULT_BACKOFF)),
        timeout_ms=wishes.timeout_ms,
    )


def _or(said: T | None, otherwise: T) -> T:
    return otherwise if said is None else said


def is_retried(status: int) -> bool:
    """Whether an answer with that status may be followed by another attempt at the same target."""
    return status in _RETRIED or 500 <= status <= 599


def is_worth_retrying(failure: UpstreamFailure) -> bool:
    """Whether another attempt could end otherwise: not where the gateway itself forbids the way, or bars it."""
    return failure.side is not Side.POLICY and not isinstance(failure, CircuitOpen)


def wait_ms(policy: RetryPolicy, failed: int, hint: float | None, chance: float) -> float | None:
    """Milliseconds before the next attempt, after so many failed ones; None: the upstream wants to be left alone.

    `hint` is what the upstream asked for (see `asked_for`), `chance` a random number in [0, 1).
    """
    growth = {"constant": 1, "linear": failed, "exponential": 2 ** (failed - 1)}[policy.backoff]
    wait = min(policy.delay_ms * growth, MAX_DELAY_MS)
    if hint is not None:
        if hint > MAX_DELAY_MS:
            return None
        wait = max(wait, hint)
    return min(wait * (1 + JITTER * chance), MAX_DELAY_MS)


def asked_for(status: int, headers: list[tuple[bytes, bytes]], now_ms: int) -> float | None:
    """Milliseconds that an answer asks to be waited; None where it does not say, or not legibly.

    `retry-after-ms`, else `Retry-After` (seconds or a date), else, on a 429, the reset of whichever of OpenAI's
    limits is used up (`x-ratelimit-reset-requests: 6m0s`).
    """
    said = {name: value.decode("latin-1").strip() for name, value in headers if name in _HINTS}
    if (exact := said.get(b"retry-after-ms")) and _NUMBER.fullmatch(exact):
        return float(exact)
    if after := said.get(b"retry-after"):
        wait = float(after) * 1000 if _NUMBER.fullmatch(after) else _until(after, now_ms)
        if wait is not None:
            return wait
    if status != 429:
        return None
    used_up = [said.get(reset, "") for remaining, reset in _RESETS if said.get(remaining) == "0"]
    waits = [wait for text in used_up if (wait := _duration_ms(text)) is not None]
    return max(waits, default=None)


_RESETS = (
    (b"x-ratelimit-remaining-requests", b"x-ratelimit-reset-requests"),
    (b"x-ratelimit-remaining-tokens", b"x-ratelimit-reset-tokens"),
)
_HINTS = frozenset((b"retry-after", b"retry-after-ms", *(name for pair in _RESETS for name in pair)))
_NUMBER = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,12})?")
_PART = r"([0-9]{1,9}(?:\.[0-9]{1,12})?)(ms|s|m|h|d)"
_DURATION = re.compile(rf"(?:{_PART}){{1,5}}")
_UNITS_MS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


def _duration_ms(text: str) -> float | None:
    """`1m30s`, `450ms` …: how Go writes a duration, which is what OpenAI's headers hold."""
    if not _DURATION.fullmatch(text):
        return None
    return sum(float(number) * _UNITS_MS[unit] for number, unit in re.findall(_PART, text))


def _until(date: str, now_ms: int) -> float | None:
    try:
        moment = parsedate_to_datetime(date)
    except (ValueError, OverflowError, IndexError, TypeError):
        return None
    if moment.tzinfo is None:  # asctime's form and "-0000", both of which mean GMT
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, moment.timestamp() * 1000 - now_ms)
