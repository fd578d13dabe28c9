"""What an item-wise evaluator sees of a log, and what it says of it: Sample → Score.

A `Scorer` is an evaluator with its parameters filled in: a Struct whose fields *are* the parameters, so that they
are declared, checked and described (JSON Schema) in one place. An `ItemEvaluator` is what the world sees of it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Protocol, cast

import msgspec
from msgspec import Struct

from gaugeway.core.errors import BadInput, GaugewayError, Path
from gaugeway.core.metrics import Direction
from gaugeway.core.model import Bodies, LogRecord
from gaugeway.core.ports import Evaluator
from gaugeway.core.votes import Vote

PASS, MISS = 100.0, 0.0
"""What a log that passes, or does not, adds to a share in percent."""


class NotApplicable(GaugewayError):
    """A log lacks what the evaluator needs; the message says what. The log is skipped, and counts for nothing."""


class ToolCall(Struct, frozen=True):
    """A function that the model wants called."""

    name: str
    arguments: str  # JSON text, as it came


class Message(Struct, frozen=True):
    """One turn of a conversation, whatever API it came by."""

    role: str  # system | user | assistant | tool, or the API's own word
    text: str = ""  # its text parts, joined
    tool_calls: tuple[ToolCall, ...] = ()
    refusal: str | None = None  # what the API itself marks as a refusal: the text, or the reason it gives


class Conversation(Struct, frozen=True):
    """What was said, read from a log's bodies."""

    messages: tuple[Message, ...] = ()  # of the request, in order
    answer: Message | None = None  # None: there is none that can be read, and `problem` says why
    problem: str = ""


class Sample(Struct, frozen=True, kw_only=True):
    """One item to be judged. `log` carries feedback, score and metadata as they stand now."""

    log: LogRecord
    conversation: Conversation = Conversation(problem="the bodies were not read")
    expected: str | None = None  # the answer that this item should have had, where its dataset says so

    @property
    def answer(self) -> Message:
        """What the model said; NotApplicable where there is nothing that could be judged."""
        if self.conversation.answer is None:
            raise NotApplicable(self.conversation.problem or "the log has no answer")
        return self.conversation.answer

    @property
    def text(self) -> str:
        """The text of the answer, "" where the model said nothing; NotApplicable where it only calls tools."""
        answer = self.answer
        if not answer.text and answer.tool_calls:
            raise NotApplicable("the answer has no text, only tool calls")
        return answer.text


class Score(Struct, frozen=True):
    """An evaluator's mark for one sample, in the evaluator's unit."""

    value: float
    note: str = ""  # for people: what was found, e.g. the first difference


def passed(ok: bool, note: str = "") -> Score:
    """The score of a yes-or-no question."""
    return Score(PASS if ok else MISS, note)


class Figure(StrEnum):
    """What an evaluation makes of the scores: their mean; a SHARE is the mean of PASS and MISS, in percent."""

    MEAN = "mean"
    SHARE = "share"


class Scorer(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, dict=True):
    """An evaluator with its parameters. Subclasses add fields, and `score`.

    `__post_init__` raises ValueError for parameters that make no sense together. What is costly to derive from
    them is a `functools.cached_property`.
    """

    def score(self, sample: Sample) -> Score | None:
        """The mark; None or NotApplicable: the sample lacks what is needed. Anything else raised is a failure."""
        raise NotImplementedError

    def declared(self, evaluator: ItemEvaluator) -> ItemEvaluator:
        """Its evaluator as these parameters make it: its unit, figure and direction may be theirs to say."""
        return evaluator


class ItemEvaluator(Struct, frozen=True, kw_only=True):
    """An evaluation type that looks at each log by itself."""

    id: str
    name: str
    version: str
    description: str
    unit: str
    scorer: type[Scorer]
    type: str = "code"
    figure: Figure = Figure.MEAN
    direction: Direction = Direction.HIGHER
    reads_bodies: bool = True

    @property
    def needs_parameters(self) -> bool:
        """Whether it can only be used as a custom evaluation type, which gives it its parameters."""
        return any(field.required for field in msgspec.structs.fields(self.scorer))

    def parameters_schema(self) -> dict[str, Any]:
        """The JSON Schema of its parameters: one object, nothing referred to."""
        schema = msgspec.json.schema(self.scorer)
        return _told_whole(schema, schema["$defs"])

    def configured(self, parameters: dict[str, Any], path: Path = ()) -> Scorer:
        """The scorer with these parameters; BadInput that names, below `path`, what is wrong with them."""
        try:
            return msgspec.convert(parameters, self.scorer)
        except msgspec.ValidationError as problem:
            message, _, where = str(problem).partition(" - at `$")
            parts = where.rstrip("`").replace("[", ".").replace("]", "").split(".")
            inner = tuple(int(part) if part.isdigit() else part for part in parts if part)
            raise BadInput(message, (*path, *inner)) from problem

    def declared(self, parameters: dict[str, Any]) -> ItemEvaluator:
        """This evaluator as the parameters make it; as it is where they do not fit it."""
        try:
            return self.configured(parameters).declared(self)
        except BadInput:
            return self


def _told_whole(schema: Any, known: dict[str, Any]) -> Any:
    """The schema with the objects in the places where they are referred to, without the names of our types."""
    if isinstance(schema, list):
        return [_told_whole(one, known) for one in cast("list[Any]", schema)]
    if not isinstance(schema, dict):
        return schema
    told = cast("dict[str, Any]", schema)
    reference = told.get("$ref")
    if reference is None:
        return {key: _told_whole(value, known) for key, value in told.items() if key != "$defs"}
    named = known[str(reference).rpartition("/")[2]]
    return {key: _told_whole(value, known) for key, value in named.items() if key not in ("title", "description")}


AnyEvaluator = Evaluator | ItemEvaluator
"""One that the store computes over columns, or one that looks at each log."""


class Mark(Struct, frozen=True, array_like=True):
    """What became of one sample under one scorer: a score, or why there is none."""

    score: float | None = None
    failed: bool = False  # without a score: whether the evaluator failed, rather than had nothing to judge
    note: str = ""
    votes: tuple[Vote, ...] = ()  # of a panel's members, in their order


class Work(Struct, frozen=True, array_like=True):
    """A log to be judged by the scorers of these numbers."""

    record: LogRecord
    bodies: Bodies | None  # None: not kept, or not needed
    expected: str | None
    scorers: tuple[int, ...]


class Scoring(Protocol):
    """Where the scorers of one run work: beside the server, because they use the processor and may be anybody's.

    Methods block; call them from a thread.
    """

    def score(self, work: Work) -> list[Mark]:
        """A mark by each scorer asked for, in that order. Whatever a scorer does, there is a mark."""
        ...

    def close(self) -> None:
        """End the run; from any thread, also while it scores."""
        ...
