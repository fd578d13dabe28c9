"""A run's data source: which items, and whether a model is to answer them."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Annotated, Any, Literal

import msgspec
from pydantic import Field, ValidationError

from gaugeway.core.errors import BadInput, Path
from gaugeway.core.evals import MAX_ITEMS, Eval, RunItem
from gaugeway.management.validation import Body, relocated

Model = Annotated[str, Field(min_length=1, max_length=256)]
Seconds = Annotated[int, Field(ge=0, le=2**33)]


class Line(Body):
    """One item, and the answer that it may come with."""

    item: dict[str, Any]
    sample: dict[str, Any] | None = None


class FileContent(Body):
    """The lines of a JSONL file, as they are."""

    type: Literal["file_content"]
    content: Annotated[list[Line], Field(min_length=1, max_length=MAX_ITEMS)]


class FileId(Body):
    """A file that was uploaded, whose lines are read now: the run does not need it any more."""

    type: Literal["file_id"]
    id: Annotated[str, Field(max_length=256)]


class Logs(Body):
    """Logs of the gateway that succeeded. The rest of OpenAI's conditions on responses are refused by name."""

    type: Literal["stored_completions", "responses"]
    metadata: dict[str, str | int | float | bool] | None = None
    model: Model | None = None
    created_after: Seconds | None = None
    created_before: Seconds | None = None
    limit: Annotated[int, Field(ge=1, le=MAX_ITEMS)] | None = None
    reasoning_effort: None = None
    temperature: None = None
    top_p: None = None
    instructions_search: None = None
    tools: None = None
    users: None = None


class Template(Body):
    """Messages with places for what an item holds."""

    type: Literal["template"]
    template: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=50)]


class ItemReference(Body):
    """Messages that an item holds: `item.input`."""

    type: Literal["item_reference"]
    item_reference: Annotated[str, Field(pattern=r"^item\.[^{}]+$", max_length=256)]


class SamplingParams(Body):
    """How the model is sampled."""

    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    seed: int | None = None
    max_completion_tokens: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    reasoning_effort: str | None = None
    response_format: dict[str, Any] | None = None
    text: dict[str, Any] | None = None
    tools: list[dict[str, Any]] | None = None


class DataSource(Body):
    """What a run is over."""

    type: Literal["jsonl", "completions", "responses"]
    source: Annotated[FileContent | FileId | Logs, Field(discriminator="type")]
    input_messages: Annotated[Template | ItemReference, Field(discriminator="type")] | None = None
    model: Model | None = None
    sampling_params: SamplingParams | None = None

    def kept(self, tested: Eval) -> dict[str, Any]:
        """As it is shown later: with what the eval says of its logs; items that came with it are kept apart."""
        told = self.model_dump(exclude_none=True)
        if isinstance(self.source, FileContent):
            told["source"] = {"type": "file_content", "content": []}
        elif isinstance(self.source, Logs) and tested.data_source_config.get("metadata"):
            told["source"]["metadata"] = tested.data_source_config["metadata"] | (self.source.metadata or {})
        return told


def items_of(
    source: DataSource, tested: Eval, content_of: Callable[[str], bytes | None], path: Path
) -> list[RunItem]:
    """The items that came with it, or are in the file that it names; BadInput where anything does not fit the eval.

    `content_of`: what is in a file of that id; None where there is none.
    """
    _check(source, tested, path)
    match source.source:
        case FileContent(content=lines):
            _check_items(lines, tested.data_source_config, (*path, "source", "content"))
        case FileId(id=file_id):
            where = (*path, "source", "id")
            content = content_of(file_id)
            if content is None:
                raise BadInput("This gateway has no file with that id", where)
            lines = _lines_of(content, where)
            _check_items(lines, tested.data_source_config, where)
        case _:
            return []
    return [RunItem(place=place, item=line.item, sample=line.sample) for place, line in enumerate(lines)]


def _lines_of(content: bytes, path: Path) -> list[Line]:
    """The items of a file in JSON Lines."""
    found: list[Line] = []
    for number, text in enumerate(content.removeprefix(codecs.BOM_UTF8).split(b"\n"), 1):
        if not text.strip():
            continue
        if len(found) == MAX_ITEMS:
            raise BadInput(f"At most {MAX_ITEMS} items are accepted, and the file has more", path)
        try:
            found.append(Line.model_validate(msgspec.json.decode(text)))
        except (msgspec.MsgspecError, UnicodeDecodeError) as problem:
            raise BadInput(f"Line {number} is no JSON: {problem}", path) from problem
        except RecursionError as problem:
            raise BadInput(f"Line {number} is nested too deep", path) from problem
        except ValidationError as problem:
            first = relocated(problem, (*path, len(found)))
            raise BadInput(f"Line {number} is no item: {first.message}", first.path) from problem
    if not found:
        raise BadInput("There is no line in the file", path)
    return found


def _check(source: DataSource, tested: Eval, path: Path) -> None:
    of_logs, wants_logs = isinstance(source.source, Logs), tested.data_source_config["type"] != "custom"
    if of_logs != wants_logs:
        expected = "stored_completions or responses" if wants_logs else "file_content or file_id"
        raise BadInput(f"The eval's data source expects {expected} here", (*path, "source", "type"))
    if source.type == "jsonl" and (of_logs or source.model or source.input_messages):
        raise BadInput(
            "A run of the type 'jsonl' has file_content or a file_id, and asks no model", (*path, "type")
        )
    if (source.model is None) != (source.input_messages is None):
        missing = "input_messages" if source.model else "model"
        raise BadInput("A model and input_messages are given both or not at all", (*path, missing))
    if source.sampling_params is not None and source.model is None:
        raise BadInput("There is no model that could be sampled", (*path, "sampling_params"))


def _check_items(lines: list[Line], config: Mapping[str, Any], path: Path) -> None:
    validators: Any = import_module("jsonschema.validators")
    exceptions: Any = import_module("jsonschema.exceptions")
    schema = config["item_schema"]
    try:
        validators.Draft202012Validator.check_schema(schema)
        validator = validators.Draft202012Validator(schema)
        for place, line in enumerate(lines):
            for problem in validator.iter_errors(line.item):
                where = tuple(problem.absolute_path)
                raise BadInput(
                    f"The item does not fit the eval's item_schema: {problem.message[:300]}",
                    (*path, place, "item", *where),
                )
    except (exceptions.SchemaError, exceptions._WrappedReferencingError) as problem:  # noqa: SLF001
        raise BadInput(f"The eval's item_schema is no JSON Schema: {problem.message[:300]}", path) from None
