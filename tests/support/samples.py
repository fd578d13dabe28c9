"""Samples for evaluators of single logs."""

from __future__ import annotations

from typing import Any

from msgspec import structs

from gaugeway.core.samples import Conversation, Mark, Message, Sample, ToolCall
from gaugeway.evaluation.evaluators import load
from gaugeway.evaluation.scoring.marks import mark
from support import laboratory as lab

EVALUATORS = {evaluator.id: evaluator for evaluator in load()}
SKIPPED = "skipped"


def sample(
    answer: str | Message | None = "",
    expected: str | None = None,
    *,
    question: str = "What is it?",
    calls: tuple[tuple[str, str], ...] = (),
    metadata: dict[str, Any] | None = None,
) -> Sample:
    """A log whose model gave that answer; `expected` is its dataset's."""
    if isinstance(answer, str):
        answer = Message("assistant", answer, tuple(ToolCall(*call) for call in calls))
    return Sample(
        log=structs.replace(lab.log(), metadata=metadata),
        conversation=Conversation((Message("user", question),), answer, "" if answer else "there is none"),
        expected=expected,
    )


def marked(evaluator_id: str, of: Sample, **parameters: Any) -> Mark:
    """What the evaluator says of it."""
    return mark(EVALUATORS[evaluator_id].configured(parameters), of)


def score(evaluator_id: str, of: Sample, **parameters: Any) -> float | str:
    """The score, or SKIPPED."""
    found = marked(evaluator_id, of, **parameters)
    assert not found.failed, found.note
    return SKIPPED if found.score is None else found.score
