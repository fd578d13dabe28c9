"""Models that judge: what they are asked, what they answer, and the scorers that ask them.

A judge's verdict is a JSON object of a known shape; anything else is no verdict. The text that is judged comes from
strangers: it is handed over as marked material and is never an instruction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any, Literal, Protocol

from msgspec import Meta, Struct

from gaugeway.core.errors import GaugewayError
from gaugeway.core.model import CustomCost, Scope
from gaugeway.core.money import to_pico
from gaugeway.core.samples import Sample, Score, Scorer
from gaugeway.core.spending import Budget

MAX_CAP = 100_000.0
"""Dollars that one evaluation type may spend in one evaluation at most."""


class JudgeFailed(GaugewayError):
    """There is no verdict; the message says why."""


class CapReached(JudgeFailed):
    """What may be spent has no room for another call: nothing more is asked about the log."""


class Question(Struct, frozen=True, kw_only=True):
    """What a judge is asked: trusted instructions, and marked material that is not."""

    system: str
    user: str
    schema: dict[str, Any]  # of the verdict
    prompt: str  # the prompt's name and version, e.g. "rubric.1"


Verdict = dict[str, Any]
"""A judge's answer, checked against the question's schema."""


class Purse(Struct, frozen=True):
    """Whose money a call is, and how much of it there is altogether. Its spending outlives runs and processes."""

    name: str
    cap: Decimal  # dollars
    daily: Budget | None = None  # what a call must have room in beside: a monitor's cap for a day


SPEND_CAP = "the spend cap of"
DAILY_CAP = "the daily spend cap of"
"""What the note of an item that was not judged begins with, where there was no money left for it."""


def daily_budget(scope: Scope, monitor_id: str, cap: Decimal) -> Budget:
    """What all judges of a monitor may spend in a day of UTC; `scope` is the monitor's gateway."""
    return Budget(scope, f"monitor {monitor_id}", (), to_pico(cap) or 0, 86_400, sliding=False)


class JudgeSettings(Struct, frozen=True, kw_only=True):
    """How a judge is called."""

    model: str  # "{provider}/{model}", as the OpenAI-compatible endpoint takes it
    gateway_id: str
    max_tokens: int
    tokens_field: str
    response_format: str
    temperature: float | None
    rates: CustomCost | None


class Judge(Protocol):
    """A model that can be asked, through the gateway itself."""

    async def ask(
        self,
        account_id: str,
        question: Question,
        settings: JudgeSettings,
        purse: Purse,
        metadata: Mapping[str, str],
    ) -> str:
        """The text of its answer. JudgeFailed: there is none, or the purse has no room for what it may cost."""
        ...

    async def at_most(self, account_id: str, question: Question, settings: JudgeSettings) -> Decimal:
        """What asking it can cost at most, in dollars; JudgeFailed where nobody can tell."""
        ...


class Forecast(Struct, frozen=True, kw_only=True):
    """What the models of one scorer would cost, in dollars. None: not known, and `unknown` or `note` says why."""

    position: int  # of the result, or of the evaluator of a replay
    sampled: int  # logs that were looked at; the figures stand for all of them
    calls: int  # what is known already is not left out
    known: int  # of them, those whose answers are kept already and cost nothing
    expected: Decimal | None  # of the others, as `note` supposes
    low: Decimal | None  # 95 % prediction interval under that same supposition
    high: Decimal | None
    worst_case: Decimal | None  # if every call cost the most that it can
    cap: Decimal  # never passed
    note: str  # what is supposed, and why there is no interval
    unknown: str = ""  # why there is no price


class VerdictStore(Protocol):
    """Verdicts that were given, so that the same question is not paid for twice."""

    def get(self, account_id: str, key: bytes) -> Verdict | None: ...
    def put(self, account_id: str, key: bytes, verdict: Verdict, now_ms: int) -> None:
        """One that is there already stays."""
        ...


ModelName = Annotated[
    str,
    Meta(
        description="The judging model as `{provider}/{model}`, e.g. `openai/gpt-5-mini`.",
        pattern="^[a-z0-9][a-zA-Z0-9_-]*/.+$",
        max_length=256,
    ),
]
MaxTokens = Annotated[int, Meta(description="Tokens that a verdict may have.", ge=16, le=8192)]
TokensField = Annotated[
    Literal["max_completion_tokens", "max_tokens"], Meta(description="What the model calls that limit.")
]
ResponseFormat = Annotated[
    Literal["json_schema", "json_object", "none"],
    Meta(description="How the model is told to answer in JSON; its answer is checked in any case."),
]
Temperature = Annotated[Annotated[float, Meta(ge=0, le=2)] | None, Meta(description="Sent where it is given.")]
Rate = Annotated[float, Meta(ge=0, le=1)] | None
RateIn = Annotated[
    Rate, Meta(description="Dollars a token, where no price is known for the model; 0 for one of your own.")
]
RateOut = Annotated[Rate, Meta(description="The same for the tokens of its answers.")]


class ModelScorer(Scorer, frozen=True, kw_only=True):
    """A scorer that asks models through the gateway, within a cap: a judge, a panel of them, or embeddings."""

    gateway_id: Annotated[
        str,
        Meta(
            description="The gateway that it is called through: another than the one that is evaluated.",
            min_length=1,
            max_length=64,
        ),
    ]
    max_cost: Annotated[
        float, Meta(description="Dollars that one evaluation may spend on it; never passed.", gt=0, le=MAX_CAP)
    ]

    def score(self, sample: Sample) -> Score | None:
        """It cannot be had here: models are asked, see `evaluation.judging`."""
        raise NotImplementedError


class JudgeScorer(ModelScorer, frozen=True, kw_only=True):
    """A scorer that asks one model. Subclasses add fields, `questions` and `conclude`."""

    model: ModelName
    max_tokens: MaxTokens = 500
    tokens_field: TokensField = "max_completion_tokens"
    response_format: ResponseFormat = "json_schema"
    temperature: Temperature = None
    cost_per_token_in: RateIn = None
    cost_per_token_out: RateOut = None

    def __post_init__(self) -> None:
        """ValueError where one of the two rates is missing."""
        if (self.cost_per_token_in is None) != (self.cost_per_token_out is None):
            raise ValueError("cost_per_token_in and cost_per_token_out are given both or not at all")

    @property
    def settings(self) -> JudgeSettings:
        """How the judge is called."""
        return JudgeSettings(
            model=self.model,
            gateway_id=self.gateway_id,
            max_tokens=self.max_tokens,
            tokens_field=self.tokens_field,
            response_format=self.response_format,
            temperature=self.temperature,
            rates=rates_of(self.cost_per_token_in, self.cost_per_token_out),
        )

    def questions(self, sample: Sample) -> Sequence[Question]:
        """What to ask about a sample; raises NotApplicable."""
        raise NotImplementedError

    def conclude(self, verdicts: Sequence[Verdict]) -> Score:
        """The score that the verdicts mean, one for each question, in order."""
        raise NotImplementedError


def rates_of(into: float | None, out: float | None) -> CustomCost | None:
    """Dollars a token, as they were written; None where they are not given."""
    if into is None or out is None:
        return None
    return CustomCost(per_token_in=Decimal(repr(into)), per_token_out=Decimal(repr(out)))
