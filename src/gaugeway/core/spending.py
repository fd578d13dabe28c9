"""Spend limits: which of a gateway's rules count a request, and what a ledger is asked (contract 5.9). Pure.

A rule is a budget of dollars in a window of seconds. It may count only some models, providers or metadata values,
and may have one budget for each value of metadata keys (partitions): then every value has a bucket of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import ROUND_DOWN, Decimal
from typing import Any, Protocol

import msgspec
from msgspec import Struct

from gaugeway.core.errors import GaugewayError
from gaugeway.core.model import Metadata, Scope
from gaugeway.core.money import PICO, plain, to_pico

SLOTS = 120
"""Parts of a window in which spending is summed up: how finely a sliding window slides."""

MAX_LIMIT = 4_000_000
"""Dollars. Sums of 10^-12 dollars must fit 63 bits."""

FOR_EVER_S = 100 * 365 * 86_400
"""The window of money that does not come back with time."""


class Budget(Struct, frozen=True):
    """One bucket of one rule: what may be spent in how long."""

    scope: Scope
    rule_id: str
    partition: tuple[tuple[str, str], ...]  # metadata key and value, by key; empty: the rule has one bucket for all
    limit: int  # 10^-12 dollars
    window: int  # seconds
    sliding: bool  # in any span of that length; else in each window, counted from 1970-01-01T00:00Z

    def begins(self, now_ms: int) -> int:
        """The ms after which spending counts at a moment."""
        length = self.window * 1000
        return now_ms - length if self.sliding else now_ms // length * length

    def slot(self, at_ms: int) -> tuple[int, int]:
        """The part of the window that holds a moment: from, and until (exclusive), in ms."""
        length = self.window * 1000
        number = at_ms * SLOTS // length
        return number * length // SLOTS, -(-(number + 1) * length // SLOTS)

    @property
    def described(self) -> str:
        """The rule in Cloudflare's words."""
        dollars = plain(Decimal(self.limit).scaleb(-12))
        technique = "sliding" if self.sliding else "fixed"
        return f"rule '{self.rule_id}' (cost limit {dollars} per {self.window}s, {technique})"


def purse_of(scope: Scope, name: str, cap: Decimal, window_s: int = FOR_EVER_S) -> Budget:
    """What calls of the program's own may spend: a cap of dollars, for good or in each window of so many seconds.

    `name` is unlike any other's of the scope. The purse outlives runs and processes. Of a cap with more than the 12
    decimals that money is counted in, the rest is left out: it is not to be passed.
    """
    limit = to_pico(cap.quantize(PICO, rounding=ROUND_DOWN)) or 0
    return Budget(scope, name, (), limit, window_s, sliding=False)


class NoRoom(GaugewayError):
    """A purse has no room for what a call may cost. Nothing was sent."""


class Overspent(Struct, frozen=True):
    """Why a reservation was refused."""

    budget: Budget
    spent: int  # 10^-12 dollars that count now
    reserved: int  # held by requests whose cost is not settled
    wait_ms: (
        int | None
    )  # until there is room, as far as it depends on the window; None: the limit is too low for it


class Spent(Struct, frozen=True):
    """The state of one bucket at one moment, in 10^-12 dollars."""

    rule_id: str
    partition: tuple[tuple[str, str], ...]
    spent: int
    reserved: int  # held by requests in flight
    unsettled: int  # held by requests whose process died: nobody knows what they cost
    frees_at: int | None  # ms when the oldest of it leaves the window; None: nothing is in it


class SpendLedger(Protocol):
    """What was spent and what is reserved, exactly, over all processes. Raises StoreUnusable.

    `reserve` and `settle` are safe to call on an event loop: some ten microseconds.
    """

    def reserve(self, hold: bytes, budgets: Sequence[Budget], amount: int, at_ms: int) -> Overspent | None:
        """Hold an amount (10^-12 dollars) in every bucket, or in none: then the first that has no room.

        `hold` is unlike any other. It counts as spent until it is settled, whatever happens to its process.
        """
        ...

    def look(self, budget: Budget, at_ms: int) -> Overspent | None:
        """Whether a bucket has no room for anything more; holds nothing. None: it has. Some ten microseconds."""
        ...

    def settle(self, hold: bytes, budgets: Sequence[Budget], cost: int, at_ms: int) -> None:
        """Put the true cost in the place of what is held, at the moment `at_ms` of the reservation."""
        ...

    def buckets(self, scope: Scope, budgets: Mapping[str, Budget], now_ms: int) -> list[Spent]:
        """The buckets of those rules (by rule id; without partition) that hold anything, by rule and partition."""
        ...

    def give_back(self, scope: Scope, rule_id: str, now_ms: int) -> int:
        """Free what a rule's dead processes hold; how much, in 10^-12 dollars."""
        ...

    def forget(self, scope: Scope) -> None:
        """Everything of a gateway."""
        ...

    def tend(self, now_ms: int) -> None:
        """Say that this process lives, and drop what no window reaches. To be called every few seconds."""
        ...


class _Values(Struct):
    mode: str = "filter"
    values: list[str] = msgspec.field(default_factory=list[str])


class _SentRule(Struct, rename="camel"):
    id: str
    limit: float
    window: int
    enabled: bool = True
    technique: str = "sliding"
    metadata: dict[str, _Values] = msgspec.field(default_factory=dict[str, _Values])
    model: _Values | None = None
    provider: _Values | None = None


class _Sent(Struct):
    enabled: bool = False
    rules: list[_SentRule] = msgspec.field(default_factory=list[_SentRule])


class Rule(Struct, frozen=True):
    """One enabled rule, ready to be asked."""

    budget: Budget  # without a partition
    partitions: tuple[str, ...]  # metadata keys, sorted
    wanted: tuple[tuple[str, frozenset[str]], ...]  # metadata key → values that are counted
    models: frozenset[str] | None
    providers: frozenset[str] | None

    def bucket(self, provider: str, model: str, metadata: Mapping[str, str]) -> Budget | None:
        """The bucket that counts a request; None: this rule does not. Without a partition key it does not."""
        if self.providers is not None and provider not in self.providers:
            return None
        if self.models is not None and model not in self.models and f"{provider}/{model}" not in self.models:
            return None
        if any(metadata.get(key) not in values for key, values in self.wanted):
            return None
        if not self.partitions:
            return self.budget
        if any(key not in metadata for key in self.partitions):
            return None
        parts = tuple((key, metadata[key]) for key in self.partitions)
        return msgspec.structs.replace(self.budget, partition=parts)


def rules_of(scope: Scope, spend_limits: dict[str, Any] | None) -> tuple[Rule, ...]:
    """The rules of a gateway's setting that are in force; none where it is off."""
    if not spend_limits:
        return ()
    sent = msgspec.convert(spend_limits, _Sent)
    return tuple(_rule(scope, rule) for rule in sent.rules if rule.enabled) if sent.enabled else ()


def _rule(scope: Scope, sent: _SentRule) -> Rule:
    limit = to_pico(round(Decimal(repr(sent.limit)), 12)) or 0
    return Rule(
        budget=Budget(scope, sent.id, (), limit, sent.window, sent.technique == "sliding"),
        partitions=tuple(sorted(key for key, said in sent.metadata.items() if said.mode == "partition")),
        wanted=tuple(
            (key, frozenset(said.values)) for key, said in sorted(sent.metadata.items()) if said.mode == "filter"
        ),
        models=None if sent.model is None else frozenset(sent.model.values),
        providers=None if sent.provider is None else frozenset(sent.provider.values),
    )


def as_texts(metadata: Metadata | None) -> dict[str, str]:
    """Metadata as rules compare it: `true`, `7`, `1.5`, and texts as they are."""
    return {
        key: value if isinstance(value, str) else msgspec.json.encode(value).decode()
        for key, value in (metadata or {}).items()
    }
