"""The answer that a log should have had, for the evaluators that compare."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from gaugeway.core.judging import JudgeScorer
from gaugeway.core.samples import NotApplicable, Sample, Scorer

ExpectedText = Annotated[
    Annotated[str, Meta(max_length=100_000)] | None,
    Meta(description="The expected answer of every log that has none of its own."),
]
ExpectedKey = Annotated[
    str,
    Meta(description="The metadata key under which a log has its expected answer.", min_length=1, max_length=256),
]


class Comparing(Scorer, frozen=True, kw_only=True):
    """A scorer that needs an expected answer: the sample's own, else the log's metadata, else the parameter."""

    expected: ExpectedText = None
    expected_key: ExpectedKey = "expected"

    def expected_of(self, sample: Sample) -> str:
        """The expected answer; NotApplicable where there is none."""
        return find_expected(sample, self.expected_key, self.expected)


class ComparingJudge(JudgeScorer, frozen=True, kw_only=True):
    """A judge that needs an expected answer, found in the same way."""

    expected: ExpectedText = None
    expected_key: ExpectedKey = "expected"

    def expected_of(self, sample: Sample) -> str:
        """The expected answer; NotApplicable where there is none."""
        return find_expected(sample, self.expected_key, self.expected)


def find_expected(sample: Sample, key: str, of_all: str | None) -> str:
    """The sample's own expected answer, else the log's metadata under that key, else that of all; NotApplicable."""
    if sample.expected is not None:
        return sample.expected
    of_log = (sample.log.metadata or {}).get(key)
    if of_log is not None:
        return of_log if isinstance(of_log, str) else msgspec.json.encode(of_log).decode()
    if of_all is None:
        raise NotApplicable(f"there is no expected answer: the log's metadata has no {key!r}")
    return of_all


def quoted(text: str, limit: int = 60) -> str:
    """A piece of somebody's text for a note."""
    return repr(text if len(text) <= limit else text[: limit - 1] + "…")


def collapsed(text: str) -> str:
    """Runs of white space as one blank, none at the ends."""
    return " ".join(text.split())
