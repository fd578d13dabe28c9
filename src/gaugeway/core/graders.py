"""Graders of OpenAI's Evals API: what each is told, as its API spells it. In words: docs/evals.md."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from math import ceil, exp, floor, isfinite, log, sqrt
from typing import Annotated, Any, Literal, TypeAlias, cast

import msgspec
from msgspec import Meta, Struct

from gaugeway.core.errors import BadInput, Path
from gaugeway.core.sandbox import Source

Text = Annotated[str, Meta(max_length=100_000)]
GraderName = Annotated[str, Meta(min_length=1, max_length=256)]
Finite = Annotated[float, Meta(ge=-1e9, le=1e9)]

MAX_CRITERIA = 50
MAX_FORMULA = 1_000  # characters
EMBEDDING_MODEL = "text-embedding-3-small"
"""The model of embeddings behind `cosine` where none is named."""
PREFIX = "openai/"
"""Whose a model is that names no provider: these clients name OpenAI's by their bare names."""


class Part(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of a message. Images and audio are refused: they are not handed on."""

    type: Literal["input_text", "output_text", "text"]
    text: Text


class Turn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A message with places for what an item holds: `{{item.question}}`."""

    role: Literal["system", "developer", "user", "assistant"]
    content: Text | Part | tuple[Text | Part, ...]
    type: Literal["message"] = "message"


class Sampling(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a grading model is sampled."""

    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    seed: int | None = None
    reasoning_effort: str | None = None
    max_completions_tokens: Annotated[int, Meta(ge=1, le=65_536)] | None = None


class StringCheck(Struct, frozen=True, kw_only=True, tag="string_check", forbid_unknown_fields=True):
    """Compares two texts. `like` looks for the reference within the input, `ilike` whatever their case."""

    name: GraderName
    input: Text
    reference: Text
    operation: Literal["eq", "ne", "like", "ilike"]


class TextSimilarity(Struct, frozen=True, kw_only=True, tag="text_similarity", forbid_unknown_fields=True):
    """How alike two texts are, 0 to 1; passes from `pass_threshold` on.

    `cosine` is from -1 to 1, by the vectors of `embedding_model`: a field of ours, because OpenAI does not say
    which model its own takes.
    """

    name: GraderName
    input: Text
    reference: Text
    evaluation_metric: Literal[
        "fuzzy_match", "bleu", "gleu", "cosine", "rouge_1", "rouge_2", "rouge_3", "rouge_4", "rouge_5", "rouge_l"
    ]
    pass_threshold: Finite = 0.5
    embedding_model: Annotated[str, Meta(min_length=1, max_length=256)] | None = None  # None: EMBEDDING_MODEL

    @property
    def asks_a_model(self) -> bool:
        """Whether embeddings are needed."""
        return self.evaluation_metric == "cosine"


class LabelModel(Struct, frozen=True, kw_only=True, tag="label_model", forbid_unknown_fields=True):
    """A model chooses one of the labels; some of them pass."""

    name: GraderName
    model: Annotated[str, Meta(min_length=1, max_length=256)]
    input: Annotated[tuple[Turn, ...], Meta(min_length=1, max_length=50)]
    labels: Annotated[tuple[GraderName, ...], Meta(min_length=2, max_length=100)]
    passing_labels: Annotated[tuple[GraderName, ...], Meta(min_length=1, max_length=100)]


class ScoreModel(Struct, frozen=True, kw_only=True, tag="score_model", forbid_unknown_fields=True):
    """A model gives a number within `range`; it passes from `pass_threshold` on, else from the middle of it."""

    name: GraderName
    model: Annotated[str, Meta(min_length=1, max_length=256)]
    input: Annotated[tuple[Turn, ...], Meta(min_length=1, max_length=50)]
    range: tuple[Finite, Finite] = (0.0, 1.0)
    pass_threshold: Finite | None = None
    sampling_params: Sampling | None = None

    @property
    def threshold(self) -> float:
        """From where on it passes."""
        return sum(self.range) / 2 if self.pass_threshold is None else self.pass_threshold


class PythonGrader(Struct, frozen=True, kw_only=True, tag="python", forbid_unknown_fields=True):
    """A function `grade(sample, item)` of the caller's, called in a sandbox; passes from `pass_threshold` on."""

    name: GraderName
    source: Source
    image_tag: None = None  # which of OpenAI's images: there is one Python here, this server's
    pass_threshold: Finite = 0.5


class Multi(Struct, frozen=True, kw_only=True, tag="multi", forbid_unknown_fields=True):
    """Several graders, and a formula over their scores by name: `0.7 * right + 0.3 * polite`."""

    name: GraderName
    graders: Annotated[dict[str, Simple], Meta(min_length=1, max_length=20)]
    calculate_output: Annotated[str, Meta(min_length=1, max_length=MAX_FORMULA)]
    pass_threshold: Finite = 0.5


Simple: TypeAlias = StringCheck | TextSimilarity | LabelModel | ScoreModel | PythonGrader
Grader: TypeAlias = Simple | Multi

_REFUSED_METRICS = {
    "meteor": "meteor needs a dictionary of synonyms, which is not part of this server: use gleu or rouge",
}


def read_graders(criteria: Sequence[Any], path: Path) -> tuple[Grader, ...]:
    """The graders that testing criteria ask for; BadInput that points at the first wrong part."""
    if not criteria:
        raise BadInput("Expected one criterion at least", path)
    if len(criteria) > MAX_CRITERIA:
        raise BadInput(f"At most {MAX_CRITERIA} criteria are accepted, received {len(criteria)}", path)
    found = tuple(_read(criterion, (*path, index)) for index, criterion in enumerate(criteria))
    names = [grader.name for grader in found]
    for index, name in enumerate(names):
        if name in names[:index]:
            raise BadInput("Two criteria have this name", (*path, index, "name"))
    return found


def _read(criterion: Any, path: Path) -> Grader:
    _refuse_what_is_not_done(criterion, path)
    try:
        grader = msgspec.convert(criterion, Grader)
    except msgspec.ValidationError as problem:
        raise located(problem, path) from None
    _check(grader, path)
    return grader


def _refuse_what_is_not_done(criterion: Any, path: Path) -> None:
    """What the API knows and this server does not, said in so many words."""
    if not isinstance(criterion, dict):
        return
    told = cast("dict[str, Any]", criterion)
    metric = str(told.get("evaluation_metric"))
    if metric in _REFUSED_METRICS:
        raise BadInput(_REFUSED_METRICS[metric], (*path, "evaluation_metric"))
    if told.get("type") == "python" and told.get("image_tag") is not None:
        raise BadInput(
            "There are no images here, only this server's own Python: leave it out", (*path, "image_tag")
        )
    parts: Any = told.get("graders")
    if isinstance(parts, dict):
        for name, part in cast("dict[str, Any]", parts).items():
            _refuse_what_is_not_done(part, (*path, "graders", name))


def _check(grader: Grader, path: Path) -> None:
    match grader:
        case LabelModel():
            _check_labels(grader, path)
        case ScoreModel():
            if grader.range[0] >= grader.range[1]:
                raise BadInput("Expected two numbers, the lower one first", (*path, "range"))
        case TextSimilarity():
            _check_similarity(grader, path)
        case Multi():
            for name, part in grader.graders.items():
                if not name.isidentifier():
                    raise BadInput(
                        "A name that a formula can use has letters, digits and _ only", (*path, "graders")
                    )
                _check(part, (*path, "graders", name))
            try:
                calculate(grader.calculate_output, dict.fromkeys(grader.graders, 0.5))
            except ArithmeticError:
                pass  # with other scores it may go well
            except ValueError as problem:
                raise BadInput(str(problem), (*path, "calculate_output")) from None
        case _:
            pass


def _check_labels(grader: LabelModel, path: Path) -> None:
    strange = [label for label in grader.passing_labels if label not in grader.labels]
    if strange:
        raise BadInput(f"'{strange[0]}' is none of the labels", (*path, "passing_labels"))
    if len(set(grader.labels)) < len(grader.labels):
        raise BadInput("Each label is named once", (*path, "labels"))


def _check_similarity(grader: TextSimilarity, path: Path) -> None:
    if grader.embedding_model is not None and not grader.asks_a_model:
        message = f"{grader.evaluation_metric} asks no model: leave it out, or use cosine"
        raise BadInput(message, (*path, "embedding_model"))


def python_graders(graders: Sequence[Grader], path: Path) -> Iterator[tuple[PythonGrader, Path]]:
    """Those whose source is a caller's, also within others, with where it stands."""
    for index, grader in enumerate(graders):
        if isinstance(grader, PythonGrader):
            yield grader, (*path, index, "source")
        elif isinstance(grader, Multi):
            for name, part in grader.graders.items():
                if isinstance(part, PythonGrader):
                    yield part, (*path, index, "graders", name, "source")


def text_of(turn: Turn) -> str:
    """A message's text parts, joined."""
    parts = turn.content if isinstance(turn.content, tuple) else (turn.content,)
    return "\n".join(part if isinstance(part, str) else part.text for part in parts)


def model_ref(model: str) -> str:
    """A model as the OpenAI-compatible endpoint takes it: `{provider}/{model}`."""
    return model if "/" in model else PREFIX + model


def located(problem: msgspec.ValidationError, path: Path) -> BadInput:
    """What msgspec found, at its place: `Expected …  - at `$.input[0].role`` becomes a path."""
    message, _, place = str(problem).partition(" - at `$")
    known, _, _ = place.rstrip("`").partition("[...]")  # the value of some key: msgspec does not say of which
    steps = [step for step in known.replace("[", ".[").split(".") if step]
    return BadInput(message, (*path, *(int(step[1:-1]) if step.startswith("[") else step for step in steps)))


_FUNCTIONS = {
    "min": min,
    "max": max,
    "abs": abs,
    "floor": floor,
    "ceil": ceil,
    "exp": exp,
    "sqrt": sqrt,
    "log": log,
}
_MAX_POWER = 64


def calculate(formula: str, scores: Mapping[str, float]) -> float:
    """A formula of numbers, names of scores, + - * / ** and min, max, abs, floor, ceil, exp, sqrt, log.

    ValueError where it is none, or its value is no finite number; ArithmeticError as Python's arithmetic raises it.
    """
    try:
        tree = ast.parse(formula, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ValueError("Expected a formula, such as 0.5 * a + 0.5 * b") from None
    value = _value(tree.body, scores)
    if not isfinite(value):
        raise ValueError("The formula's value is not finite")
    return value


def _value(node: ast.expr, scores: Mapping[str, float]) -> float:
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return float(number)
        case ast.Name(id=name):
            if name not in scores:
                raise ValueError(f"The formula names '{name}', which is none of the graders")
            return scores[name]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand, scores)
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return _value(operand, scores)
        case ast.BinOp(left=left, op=operator, right=right):
            return _combined(operator, _value(left, scores), _value(right, scores))
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if name in _FUNCTIONS and arguments:
            return float(_FUNCTIONS[name](*[_value(argument, scores) for argument in arguments]))
        case _:
            raise ValueError(
                f"The formula may have numbers, names of graders, + - * / ** and {', '.join(_FUNCTIONS)}"
            )


def _combined(operator: ast.operator, left: float, right: float) -> float:
    match operator:
        case ast.Add():
            return left + right
        case ast.Sub():
            return left - right
        case ast.Mult():
            return left * right
        case ast.Div():
            return left / right
        case ast.Pow():
            if abs(right) > _MAX_POWER or (left < 0 and right != int(right)):
                raise ValueError(f"A power is of at most {_MAX_POWER}, and of a negative number whole")
            return left**right
        case _:
            raise ValueError("The formula may have + - * / ** only")
