"""Panels of judges: several models give their verdict on the same log, and the panel's is made of theirs.

Each member is asked what a single judge of its kind would be asked, and its verdict is kept as that one's. A member
that gives none counts for nothing; the panel decides where at least the quorum has given one, and fails the log
elsewhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from typing import Annotated, ClassVar, Literal

from msgspec import Meta, Struct, structs

from gaugeway.core.estimates import Measure
from gaugeway.core.judging import (
    JudgeScorer,
    MaxTokens,
    ModelName,
    ModelScorer,
    RateIn,
    RateOut,
    ResponseFormat,
    Temperature,
    TokensField,
    Verdict,
)
from gaugeway.core.samples import MISS, PASS, Mark
from gaugeway.core.votes import Vote

MAX_MEMBERS = 9


class Member(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A judging model, and how it is called."""

    model: ModelName
    max_tokens: MaxTokens = 500
    tokens_field: TokensField = "max_completion_tokens"
    response_format: ResponseFormat = "json_schema"
    temperature: Temperature = None
    cost_per_token_in: RateIn = None
    cost_per_token_out: RateOut = None


Tie = Annotated[
    Literal["miss", "pass", "skip"],
    Meta(description="What becomes of a log on which the panel is split evenly."),
]


class JudgePanel(ModelScorer, frozen=True, kw_only=True):
    """A scorer that asks several models. Subclasses add the fields of their KIND of judge, `said` and `decide`."""

    KIND: ClassVar[type[JudgeScorer]]
    MEASURE: ClassVar[Measure] = Measure.NOMINAL

    members: Annotated[
        tuple[Member, ...],
        Meta(description="The judging models, each once.", min_length=2, max_length=MAX_MEMBERS),
    ]
    quorum: Annotated[
        Annotated[int, Meta(ge=1, le=MAX_MEMBERS)] | None,
        Meta(description="Members that must give a verdict, else the log fails. Default: more than half."),
    ] = None

    def __post_init__(self) -> None:
        """ValueError for a panel that cannot be one, and for what its kind of judge refuses."""
        models = [member.model for member in self.members]
        twice = [model for model, times in Counter(models).items() if times > 1]
        if twice:
            raise ValueError(f"{twice[0]} is named twice, and would agree with itself: name each model once")
        if self.quorum is not None and self.quorum > len(models):
            raise ValueError(f"quorum is {self.quorum}, and there are {len(models)} members only")
        _ = self.judges

    @cached_property
    def judges(self) -> tuple[JudgeScorer, ...]:
        """A judge for each member, in their order."""
        common = {"gateway_id": self.gateway_id, "max_cost": self.max_cost}
        own = {name: getattr(self, name) for name in _added(self.KIND)}
        return tuple(self.KIND(**common, **own, **structs.asdict(member)) for member in self.members)

    @property
    def needed(self) -> int:
        """How many members must give a verdict."""
        return len(self.members) // 2 + 1 if self.quorum is None else self.quorum

    def conclude(self, votes: Sequence[Vote]) -> Mark:
        """The panel's mark from all members' votes, or why there is none."""
        given = [vote for vote in votes if vote.score is not None]
        if len(given) >= self.needed:
            return structs.replace(self.decide(given), votes=tuple(votes))
        why = "; ".join(f"{vote.model}: {vote.note}" for vote in votes if vote.score is None)
        note = f"{len(given)} of {len(votes)} members gave a verdict, and it takes {self.needed}: {why}"
        return Mark(failed=True, note=note, votes=tuple(votes))

    def said(self, verdict: Verdict) -> str:
        """A member's verdict in a word."""
        raise NotImplementedError

    def decide(self, given: Sequence[Vote]) -> Mark:
        """The panel's mark from those votes that have a score; there is one at least."""
        raise NotImplementedError


class PassingPanel(JudgePanel, frozen=True, kw_only=True):
    """Passes where more of the members say so than say otherwise."""

    tie: Tie = "miss"

    def decide(self, given: Sequence[Vote]) -> Mark:
        """By majority of those who gave a verdict."""
        passes = sum(vote.score == PASS for vote in given)
        note = f"{passes} of {len(given)} members let it pass"
        if 2 * passes == len(given):
            return split(self.tie, note)
        return Mark(PASS if 2 * passes > len(given) else MISS, note=note)


def split(tie: Tie, note: str) -> Mark:
    """The mark of a log on which the panel is split evenly."""
    if tie == "skip":
        return Mark(note=f"the panel is split: {note}")
    return Mark(PASS if tie == "pass" else MISS, note=f"{note}: split, which counts as a {tie}")


def _added(kind: type[JudgeScorer]) -> list[str]:
    """The parameters of a kind of judge beside those that all judges have."""
    return [name for name in kind.__struct_fields__ if name not in JudgeScorer.__struct_fields__]
