"""One grader over one item: a result in any case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec

from gaugeway.core.embeddings import Vector
from gaugeway.core.errors import GaugewayError
from gaugeway.core.evals import GraderResult
from gaugeway.core.graders import (
    EMBEDDING_MODEL,
    Grader,
    LabelModel,
    Multi,
    PythonGrader,
    ScoreModel,
    StringCheck,
    TextSimilarity,
    calculate,
    text_of,
)
from gaugeway.core.judging import JudgeFailed
from gaugeway.core.sandbox import Returned
from gaugeway.evaluation.evals.similarity import similarity
from gaugeway.evaluation.evals.templates import filled
from gaugeway.evaluation.judging.asking import read_verdict
from gaugeway.evaluation.scoring.marks import shortened
from gaugeway.evaluation.statistics.cosine import cosine

Message = dict[str, str]
MAX_TOKENS = 1_000
"""Tokens of a grading model's verdict, if the grader does not say."""
FAULTS = (GaugewayError, LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError)
"""What an item's own data can raise, whatever shape somebody gave it: an error of that item, and of no other."""


class GradeFailed(GaugewayError):
    """A grader's own function gave no score; the message says why."""


class Ask(Protocol):
    """Ask a model for JSON of a shape; GaugewayError where it gives no answer."""

    async def __call__(
        self, model: str, messages: Sequence[Message], schema: dict[str, Any], parameters: Mapping[str, Any]
    ) -> str: ...

    async def embedding(self, model: str, text: str) -> Vector:
        """A text's vector by a model of embeddings; GaugewayError where it gives none."""
        ...


class Run(Protocol):
    """Call a grader's own function in the sandbox; GaugewayError where none can be had."""

    async def __call__(self, grader: PythonGrader, arguments: Sequence[object]) -> Returned: ...


async def grade(grader: Grader, namespaces: Mapping[str, Any], ask: Ask, run: Run) -> GraderResult:
    """What the grader says of an item; what hinders it is its result too. Raises what stores and cancelling do."""
    kind = grader.__struct_config__.tag
    try:
        score, passed, note = await _graded(grader, namespaces, ask, run)
    except FAULTS as problem:
        return GraderResult(
            name=grader.name,
            type=str(kind),
            passed=False,
            score=0.0,
            note=shortened(str(problem) or type(problem).__name__),
            errored=True,
        )
    return GraderResult(name=grader.name, type=str(kind), passed=passed, score=score, note=shortened(note))


async def _graded(grader: Grader, namespaces: Mapping[str, Any], ask: Ask, run: Run) -> tuple[float, bool, str]:
    """Score, whether it passes, and what was found."""
    match grader:
        case StringCheck():
            ok = checked(grader.operation, filled(grader.input, namespaces), filled(grader.reference, namespaces))
            return float(ok), ok, ""
        case TextSimilarity():
            texts = filled(grader.input, namespaces), filled(grader.reference, namespaces)
            if grader.asks_a_model:
                score = await _cosine(grader, texts, ask)
            else:
                score = similarity(grader.evaluation_metric, *texts)
            return score, score >= grader.pass_threshold, ""
        case LabelModel():
            return await _labelled(grader, namespaces, ask)
        case ScoreModel():
            return await _scored(grader, namespaces, ask)
        case PythonGrader():
            return await _called(grader, namespaces, run)
        case Multi():
            return await _combined(grader, namespaces, ask, run)


async def _cosine(grader: TextSimilarity, texts: tuple[str, str], ask: Ask) -> float:
    model = grader.embedding_model or EMBEDDING_MODEL
    if not all(text.strip() for text in texts):
        raise JudgeFailed("an empty text has no embedding")
    try:
        return cosine(*[await ask.embedding(model, text) for text in texts])
    except (JudgeFailed, ValueError) as problem:
        raise JudgeFailed(f"{model}: {problem}") from problem


def checked(operation: str, text: str, reference: str) -> bool:
    """A string check: equal, not equal, or the reference within the text, in its case or in any."""
    match operation:
        case "eq":
            return text == reference
        case "ne":
            return text != reference
        case "like":
            return reference in text
        case _:
            return reference.casefold() in text.casefold()


async def _labelled(grader: LabelModel, namespaces: Mapping[str, Any], ask: Ask) -> tuple[float, bool, str]:
    schema = _schema(label={"enum": list(grader.labels)})
    verdict = await _verdict(grader, namespaces, ask, schema, {"max_completion_tokens": MAX_TOKENS})
    ok = verdict["label"] in grader.passing_labels
    return float(ok), ok, f"{verdict['label']}: {verdict['reasoning']}"


async def _scored(grader: ScoreModel, namespaces: Mapping[str, Any], ask: Ask) -> tuple[float, bool, str]:
    low, high = grader.range
    schema = _schema(result={"type": "number"})  # bounds are not in everybody's structured outputs
    told: dict[str, Any] = {"max_completion_tokens": MAX_TOKENS}
    if grader.sampling_params is not None:
        sent = msgspec.to_builtins(grader.sampling_params)
        told |= {
            "max_completion_tokens" if name == "max_completions_tokens" else name: value
            for name, value in sent.items()
            if value is not None
        }
    verdict = await _verdict(grader, namespaces, ask, schema, told)
    score = float(verdict["result"])
    if not low <= score <= high:
        raise JudgeFailed(f"{grader.model} gave {score:g}, which is not within {low:g} to {high:g}")
    return score, score >= grader.threshold, verdict["reasoning"]


async def _verdict(
    grader: LabelModel | ScoreModel,
    namespaces: Mapping[str, Any],
    ask: Ask,
    schema: dict[str, Any],
    parameters: Mapping[str, Any],
) -> dict[str, Any]:
    messages = [{"role": turn.role, "content": filled(text_of(turn), namespaces)} for turn in grader.input]
    try:
        return read_verdict(await ask(grader.model, messages, schema, parameters), schema)
    except JudgeFailed as problem:
        raise JudgeFailed(f"{grader.model}: {problem}") from problem


async def _called(grader: PythonGrader, namespaces: Mapping[str, Any], run: Run) -> tuple[float, bool, str]:
    returned = await run(grader, [namespaces.get("sample", {}), namespaces["item"]])
    if returned.problem:
        raise GradeFailed(returned.problem)
    if returned.value is None:
        raise GradeFailed("grade() returned None: it has to be a number")
    score = float(returned.value)
    return score, score >= grader.pass_threshold, returned.reason


async def _combined(grader: Multi, namespaces: Mapping[str, Any], ask: Ask, run: Run) -> tuple[float, bool, str]:
    found = {name: await grade(part, namespaces, ask, run) for name, part in grader.graders.items()}
    errors = [f"{name}: {one.note}" for name, one in found.items() if one.errored]
    if errors:
        raise JudgeFailed("; ".join(errors))
    score = calculate(grader.calculate_output, {name: one.score for name, one in found.items()})
    note = ", ".join(f"{name} {one.score:.3g}" for name, one in found.items())
    return score, score >= grader.pass_threshold, note


def _schema(**properties: dict[str, Any]) -> dict[str, Any]:
    """First the reasons, then what follows from them."""
    told = {"reasoning": {"type": "string"}, **properties}
    return {"type": "object", "properties": told, "required": list(told), "additionalProperties": False}
