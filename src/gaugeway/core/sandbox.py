"""Python that users wrote: where it runs, and the evaluation types that are made of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, Protocol

from msgspec import Meta, Struct, structs

from gaugeway.core.metrics import Direction
from gaugeway.core.samples import Figure, ItemEvaluator, Sample, Score, Scorer

MAX_SOURCE = 100_000  # characters
PERCENT = "%"

Source = Annotated[str, Meta(min_length=1, max_length=MAX_SOURCE)]


class Function(Struct, frozen=True):
    """What a program has to define: `def score(sample)`."""

    name: str
    parameters: tuple[str, ...]


SCORE = Function("score", ("sample",))
"""Of an evaluation type."""
GRADE = Function("grade", ("sample", "item"))
"""Of a grader of OpenAI's Evals."""


class Returned(Struct, frozen=True):
    """What a call came to: a value, None where there is nothing to judge, or why it failed."""

    value: float | bool | None = None
    reason: str = ""  # the program's own words for its value
    problem: str = ""  # why there is no value, in words; "" where the call went well


class Program(Protocol):
    """One program, ready to be called. Each call begins anew: nothing of one is left for another.

    From any thread, one call at a time. GaugewayError where no sandbox can be had, or it was closed.
    """

    def call(self, arguments: Sequence[object]) -> Returned:
        """What the function returns for these; whatever it does instead is the problem."""
        ...

    def close(self) -> None:
        """End it; from any thread, also while it is called."""
        ...


class Sandbox(Protocol):
    """Where such programs run: no network, no files, no other processes, little time and memory."""

    @property
    def refusal(self) -> str:
        """Why none is run in this server; "" where they are."""
        ...

    def check(self, source: str, function: Function) -> str:
        """What is wrong with a source, with its line; "" where it can be compiled and has the function. Blocks.

        GaugewayError where no sandbox can be had.
        """
        ...

    def open(self, source: str, function: Function) -> Program:
        """The program; its process begins with the first call."""
        ...


class PythonScorer(Scorer, frozen=True, kw_only=True):
    """A scorer whose function a user wrote. It is called in a sandbox, and declares what its figure means."""

    source: Annotated[
        Source,
        Meta(description="Python that defines `score(sample)`; it runs with the standard library, in a sandbox."),
    ]
    figure: Annotated[
        Literal["share", "mean"],
        Meta(description="`share`: score() returns True or False, in percent; `mean`: it returns numbers."),
    ]
    direction: Annotated[Literal["lower", "higher", "neither"], Meta(description="What is better.")]
    unit: Annotated[
        Annotated[str, Meta(max_length=40)],
        Meta(description="What the numbers of a mean are in, e.g. `words`; a share is in percent."),
    ] = ""

    def __post_init__(self) -> None:
        """ValueError where unit and figure do not fit."""
        if self.figure == "mean" and not self.unit.strip():
            raise ValueError("a mean has a unit")
        if self.figure == "share" and self.unit not in ("", PERCENT):
            raise ValueError("a share is in percent: leave the unit out")

    def declared(self, evaluator: ItemEvaluator) -> ItemEvaluator:
        """See Scorer."""
        return structs.replace(
            evaluator,
            figure=Figure(self.figure),
            direction=Direction(self.direction),
            unit=PERCENT if self.figure == "share" else self.unit,
        )

    def score(self, sample: Sample) -> Score | None:
        """It is not called here: see `argument`."""
        raise NotImplementedError

    def argument(self, sample: Sample) -> dict[str, object]:
        """What the function is given for a sample; NotApplicable."""
        raise NotImplementedError
