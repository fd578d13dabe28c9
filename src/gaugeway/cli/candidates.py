"""Candidates on the command line: what replays and shadows are told alike."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from gaugeway.core.errors import BadInput

Models = Annotated[
    list[str] | None,
    typer.Option(
        "--model", metavar="PROVIDER/MODEL", help="A candidate; may be repeated. Default: the logged model."
    ),
]
CandidateFiles = Annotated[
    list[Path] | None,
    typer.Option("--candidate", metavar="FILE", help="A candidate as JSON, as the API takes it; may be repeated."),
]
SystemFile = Annotated[
    Path | None, typer.Option("--system", metavar="FILE", help="A system prompt in the place of the logged one.")
]
AppendedFile = Annotated[
    Path | None, typer.Option("--append-system", metavar="FILE", help="What is put behind the system prompt.")
]
Parameters = Annotated[
    list[str] | None,
    typer.Option(
        "--parameter",
        metavar="NAME=JSON",
        help="Of the request, e.g. temperature=0; null takes it out. Repeatable.",
    ),
]
Price = Annotated[
    str | None,
    typer.Option("--price", metavar="IN,OUT", help="Dollars a token, where no price is known for the model."),
]

Through = Annotated[
    str,
    typer.Option(
        "--through", metavar="ID", help="The gateway that the calls go through, and that logs them: another one."
    ),
]
JudgedBy = Annotated[
    list[str] | None,
    typer.Option(
        "--evaluator",
        metavar="NAME|ID",
        help="By which both answers are judged, one by one; may be repeated. Default: none.",
    ),
]
ForGate = Annotated[
    bool,
    typer.Option("--gate", help="Exit with 0 if all candidates pass, 1 if one is worse, 3 if it cannot be told."),
]
Margins = Annotated[
    list[str] | None,
    typer.Option(
        "--margin",
        metavar="EVALUATOR=AMOUNT",
        help="How much worse still passes, e.g. 'speed=10%'; may be repeated.",
    ),
]
UnknownCostToo = Annotated[
    bool, typer.Option("--accept-unknown-cost", help="Also send what nobody knows the price of.")
]


def read_candidates(
    *,
    models: Sequence[str] | None,
    files: Sequence[Path] | None,
    system: Path | None,
    append_system: Path | None,
    parameters: Sequence[str] | None,
    price: str | None,
) -> list[dict[str, Any]]:
    """What the API is asked for; the logged model where no other is named. BadInput."""
    for model in models or []:
        if not all(model.partition("/")):
            raise BadInput(f"--model {model!r}: expected PROVIDER/MODEL, such as openai/gpt-5-mini")
    common = _common(system, append_system, parameters or [], price)
    found = [{"model": one, **common} for one in models or []] + [_read_candidate(one) for one in files or []]
    return found or [common]


def _common(
    system: Path | None, append_system: Path | None, parameters: Sequence[str], price: str | None
) -> dict[str, Any]:
    """What all candidates named by --model have in common."""
    found: dict[str, Any] = {}
    for name, file in (("system", system), ("append_system", append_system)):
        if file is not None:
            found[name] = _read(file)
    if parameters:
        found["parameters"] = dict(map(_parameter, parameters))
    if price is not None:
        into, _, out = price.partition(",")
        try:
            found["cost_per_token_in"], found["cost_per_token_out"] = float(into), float(out)
        except ValueError as problem:
            raise BadInput(
                f"--price {price!r}: expected IN,OUT in dollars a token, e.g. 0.000001,0.000004"
            ) from problem
    return found


def _parameter(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise BadInput(f"--parameter {text!r}: expected NAME=JSON, e.g. temperature=0")
    try:
        return name, msgspec.json.decode(value)
    except msgspec.DecodeError:
        return name, value  # a word


def _read_candidate(file: Path) -> dict[str, Any]:
    try:
        return msgspec.json.decode(_read(file), type=dict[str, Any])
    except msgspec.MsgspecError as problem:
        raise BadInput(f"--candidate {file}: no JSON object: {problem}") from problem


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise BadInput(f"{file}: cannot be read: {problem}") from problem
