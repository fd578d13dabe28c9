"""Prices that an account sets itself: for its custom providers (contract 1.11), or in place of public ones. Pure.

A rule has dollars for each unit of a bucket: `input_tokens`, `input_cached_tokens` … A bucket without a price of
its own costs what the one costs that it is part of: cached, written, audio, image and video tokens are input
tokens, reasoning and audio ones output tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Literal, Protocol

from msgspec import Struct

from gaugeway.core.model import LogRecord, Usage
from gaugeway.core.ports import Page
from gaugeway.core.worst_case import Bound

ModelRule = Literal["equals", "starts-with", "contains"]
_ZERO = Decimal(0)
_PARTS_TOO = frozenset({"cache_writes_for_12_hours"})
_CLOSENESS = {"equals": 2, "starts-with": 1, "contains": 0}


class TokenPricing(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Dollars for one of each. None: as the bucket that it is part of."""

    input_tokens: Decimal | None = None
    output_tokens: Decimal | None = None
    input_cached_tokens: Decimal | None = None  # read from the provider's prompt cache
    input_cache_creation_tokens: Decimal | None = None  # written to it
    input_text_tokens: Decimal | None = None  # input tokens that are nothing else
    input_image_tokens: Decimal | None = None
    input_audio_tokens: Decimal | None = None
    input_video_tokens: Decimal | None = None
    input_image_count: Decimal | None = None
    output_image_count: Decimal | None = None
    output_reasoning_tokens: Decimal | None = None
    total_tokens: Decimal | None = None  # for every token, in place of prices for input and output

    def cost(self, usage: Usage) -> tuple[Decimal | None, str | None]:
        """Dollars for a usage, or None and why that cannot be told."""
        unreported = self._unreported(usage)
        if unreported is not None:
            return None, f"the provider reported no {unreported}, which the account's own price needs"
        into, out, others = usage.tokens_in or 0, usage.tokens_out or 0, usage.other_units or {}
        apart = next((name for name, number in others.items() if number and self._leaves_out(name)), None)
        if apart is not None:
            return None, f"the account's own price says nothing of {apart.replace('_', ' ')}"
        if self.total_tokens is not None:
            cost = (into + out) * self.total_tokens
        else:
            parts = (
                (usage.cached_tokens_in or 0, self.input_cached_tokens),
                (usage.cache_write_tokens or 0, self.input_cache_creation_tokens),
                (usage.audio_tokens_in or 0, self.input_audio_tokens),
                (others.get("input_image_tokens", 0), self.input_image_tokens),
                (others.get("input_video_tokens", 0), self.input_video_tokens),
            )
            plain = self.input_tokens if self.input_tokens is not None else self.input_text_tokens or _ZERO
            text = plain if self.input_text_tokens is None else self.input_text_tokens
            rest = into - sum(int(number) for number, _ in parts)
            if rest < 0:
                return None, "the provider reported more tokens of several kinds than input tokens"
            thought = usage.reasoning_tokens or 0
            if thought > out:
                return None, "the provider reported more reasoning tokens than output tokens"
            spoken = self.output_tokens or _ZERO
            reasoned = spoken if self.output_reasoning_tokens is None else self.output_reasoning_tokens
            cost = rest * text + sum(int(number) * (plain if rate is None else rate) for number, rate in parts)
            cost += (out - thought) * spoken + thought * reasoned
        for name, rate in self._images():
            cost += Decimal(int(others[name])) * rate
        return cost, None

    def at_most(self, bound: Bound) -> tuple[Decimal | None, str | None]:
        """Dollars for the most that a request uses, or None and why that cannot be told."""
        if self._images():
            return None, "the account's own price is by image, and how many there will be is not known"
        into, out = self._highest("input"), self._highest("output")
        if (bound.tokens_in is None and into) or (bound.tokens_out is None and out):
            return (
                None,
                "its input refers to more than its body holds" if bound.tokens_in is None else "send max_tokens",
            )
        return (bound.tokens_in or 0) * into + (bound.tokens_out or 0) * bound.answers * out, None

    def _leaves_out(self, name: str) -> bool:
        """Whether a unit is neither a part of the tokens nor priced: a search, a second, a page ..."""
        is_part = name.startswith(("input_", "output_", "cache_")) and name.endswith("_tokens")
        return not is_part and name not in _PARTS_TOO and getattr(self, name, None) is None

    def _highest(self, direction: str) -> Decimal:
        if self.total_tokens is not None:
            return self.total_tokens
        names = (name for name in self.__struct_fields__ if name.startswith(direction) and name.endswith("_tokens"))
        rates = (getattr(self, name) for name in names)
        return max((rate for rate in rates if rate is not None), default=_ZERO)

    def _images(self) -> list[tuple[str, Decimal]]:
        counts = (("input_image_count", self.input_image_count), ("output_image_count", self.output_image_count))
        return [(name, rate) for name, rate in counts if rate is not None]

    def _unreported(self, usage: Usage) -> str | None:
        """What has a price and was not reported, which is not the same as none."""
        others = usage.other_units or {}
        missing = next((name for name, rate in self._images() if rate and name not in others), None)
        if missing is not None:
            return missing.replace("_", " ")
        if usage.tokens_in is None and self._highest("input"):
            return "input tokens"
        return "output tokens" if usage.tokens_out is None and self._highest("output") else None


class PriceRule(Struct, frozen=True, kw_only=True):
    """One price of an account's own (contract 1.11; gateway and dates are extensions)."""

    account_id: str
    id: str  # UUIDv7 text
    model: str
    pricing: TokenPricing
    created_at: int
    modified_at: int
    custom_provider_id: str | None = None  # the custom provider's id …
    provider: str | None = None  # … or a built-in provider's slug
    gateway_id: str | None = None  # None: in all gateways
    model_rule: ModelRule = "equals"
    enable: bool = True
    weight: int = 0  # of several that match the heaviest holds
    changed_by: str = "manual"
    valid_from: int | None = None  # ms, inclusive; None: from ever
    valid_until: int | None = None  # ms, exclusive

    def matches_model(self, model: str) -> bool:
        """Whether the rule is about a model of that name."""
        match self.model_rule:
            case "equals":
                return model == self.model
            case "starts-with":
                return model.startswith(self.model)
            case "contains":
                return self.model in model

    def holds(self, gateway_id: str, at_ms: int) -> bool:
        """Whether the rule is in force in a gateway at a moment."""
        if not self.enable or self.gateway_id not in (None, gateway_id):
            return False
        return (self.valid_from is None or self.valid_from <= at_ms) and (
            self.valid_until is None or at_ms < self.valid_until
        )

    @property
    def rank(self) -> tuple[bool, int, int, int, str]:
        """Of several that match the greatest holds: the gateway's own, the heaviest, the closest, the newest."""
        return self.gateway_id is not None, self.weight, _CLOSENESS[self.model_rule], len(self.model), self.id


KnownRules = Sequence[tuple[str, PriceRule]]
"""Provider slugs (`openai`, `custom-mine`) and the rules about them."""

FindRules = Callable[[str], KnownRules]
"""The rules of an account; cheap."""


def rule_for(
    rules: KnownRules, provider: str, models: Iterable[str], gateway_id: str, at_ms: int
) -> PriceRule | None:
    """The rule that prices a model, whichever of its names one is about; None: the account has none for it."""
    names = [name for name in models if name]
    found = [
        rule
        for slug, rule in rules
        if slug == provider and rule.holds(gateway_id, at_ms) and any(map(rule.matches_model, names))
    ]
    return max(found, key=lambda rule: rule.rank, default=None)


def names_of(record: LogRecord) -> tuple[str, str]:
    """The names of the model that a record is about."""
    return record.model, record.response_model or ""


class PriceRuleStore(Protocol):
    """An account's own prices. A custom provider's go with it."""

    def create(self, rule: PriceRule) -> None:
        """NotFound without its account, its custom provider or its gateway."""
        ...

    def get(self, account_id: str, rule_id: str) -> PriceRule | None: ...
    def list(self, account_id: str, *, offset: int, limit: int) -> Page[PriceRule]:
        """Newest first."""
        ...

    def replace(self, rule: PriceRule) -> None:
        """NotFound where there is none of that id, or not what it is about."""
        ...

    def delete(self, account_id: str, rule_id: str) -> PriceRule:
        """The rule that was; NotFound."""
        ...

    def known(self, account_id: str) -> KnownRules:
        """All of an account, with the slugs that their providers have now. Remembered until anything changes.

        Not for several threads at once.
        """
        ...
