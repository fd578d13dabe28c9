"""What a function says that a user wrote. It is called in a sandbox (evaluation/sandbox/)."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from gaugeway.core import ids
from gaugeway.core.metrics import Direction
from gaugeway.core.samples import ItemEvaluator, Message, NotApplicable, Sample
from gaugeway.core.sandbox import PythonScorer
from gaugeway.core.timestamps import to_rfc3339
from gaugeway.evaluation.expected import ExpectedKey, ExpectedText, find_expected


class Python(PythonScorer, frozen=True, kw_only=True):
    """`score(sample)`, where `sample` is a dict of plain values. docs/evaluators.md names what is in it."""

    needs_answer: Annotated[
        bool, Meta(description="Skip logs without an answer that can be read; false: `answer` is None for them.")
    ] = True
    expected: ExpectedText = None
    expected_key: ExpectedKey = "expected"

    def argument(self, sample: Sample) -> dict[str, object]:
        """See PythonScorer."""
        answer = sample.answer if self.needs_answer else sample.conversation.answer
        log = sample.log
        return {
            "answer": None if answer is None else answer.text,
            "tool_calls": [] if answer is None else _tool_calls(answer),
            "refusal": None if answer is None else answer.refusal,
            "problem": sample.conversation.problem,
            "messages": [
                {"role": one.role, "text": one.text, "tool_calls": _tool_calls(one)}
                for one in sample.conversation.messages
            ],
            "expected": self._expected(sample),
            "metadata": log.metadata or {},
            "feedback": log.feedback,
            "score": log.score,
            "id": ids.to_text(log.id),
            "created_at": to_rfc3339(log.created_at),
            "provider": log.provider,
            "model": log.model,
            "success": log.success,
            "cached": log.cached,
            "status_code": log.status_code,
            "duration": log.duration,
            "first_byte_ms": log.first_byte_ms,
            "tokens_in": log.usage.tokens_in,
            "tokens_out": log.usage.tokens_out,
            "cost": None if log.cost is None else float(log.cost),
        }

    def _expected(self, sample: Sample) -> str | None:
        try:
            return find_expected(sample, self.expected_key, self.expected)
        except NotApplicable:
            return None


def _tool_calls(message: Message) -> list[dict[str, str]]:
    return [{"name": call.name, "arguments": call.arguments} for call in message.tool_calls]


EVALUATOR = ItemEvaluator(
    id="python",
    name="Your own Python",
    type="python",
    version="1",
    description="What a Python function of yours says of each log, with figure, unit and direction as declared."
    " By itself: Neither is better.",
    unit="as declared",
    direction=Direction.NEITHER,
    scorer=Python,
)
