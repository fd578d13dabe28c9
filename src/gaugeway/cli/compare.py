"""`gaugeway compare`: two or more evaluations, models, metadata values or times, side by side; and the CI gate."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from gaugeway.cli import comparison_report as report
from gaugeway.cli.client import Management
from gaugeway.cli.filters import is_group, parse_filter
from gaugeway.cli.options import AccountId, ApiToken, AsJson, BaseUrl, JUnitFile, MarkdownFile, connect
from gaugeway.cli.output import print_json
from gaugeway.core.comparisons import Gate
from gaugeway.core.errors import BadInput, GaugewayError
from gaugeway.core.query import as_sent

EXIT_CODES = {Gate.PASS: 0, Gate.WORSE: 1, Gate.CANNOT_TELL: 3}
"""Of `--gate`; 2 is for everything that keeps a comparison from being made."""
USUAL = ("cost", "speed", "error_rate", "human_feedback")
"""What sides that are no evaluations are compared by, unless said otherwise."""
METADATA = "metadata."
JOINED = " and "


def compare(
    *,
    sides: Annotated[
        list[str],
        typer.Argument(
            metavar="SIDE...",
            help="Two or more; the first is the baseline. An evaluation's name or id, or which logs:"
            " 'model=gpt-5-mini', 'metadata.prompt=v2', 'created_at>2026-11-01', joined by ' and '.",
            show_default=False,
        ),
    ],
    gateway: Annotated[str, typer.Option(metavar="ID", help="The gateway whose logs are compared.")],
    evaluator: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME|ID",
            help="What is compared; may be repeated. Default: what all the evaluations have in common, or"
            f" {', '.join(USUAL)}.",
        ),
    ] = None,
    filters: Annotated[
        list[str] | None,
        typer.Option(
            "--filter", metavar="EXPRESSION", help="Only logs that match, on every side; may be repeated."
        ),
    ] = None,
    margin: Annotated[
        list[str] | None,
        typer.Option(
            metavar="EVALUATOR=AMOUNT",
            help="How much worse still passes: in the evaluator's unit, or with % of the baseline's figure, e.g."
            " 'speed=10%'; may be repeated.",
        ),
    ] = None,
    pair_by: Annotated[
        str | None,
        typer.Option(
            metavar="KEY",
            help="event_id or metadata.KEY: logs with the same one are of one item; or none. Default: event_id, if"
            " most logs match.",
        ),
    ] = None,
    gate: Annotated[
        bool,
        typer.Option("--gate", help="Exit with 0 if all sides pass, 1 if one is worse, 3 if that cannot be told."),
    ] = False,
    markdown: MarkdownFile = None,
    junit: JUnitFile = None,
    base_url: BaseUrl = None,
    token: ApiToken = None,
    account: AccountId = None,
    as_json: AsJson = False,
) -> None:
    """Compare sides with the first one: differences, how sure they are, and a verdict in words.

    The verdict is better, worse, or cannot tell (and about how many more logs would). Nothing is kept in the
    server. Exit code 2 when no comparison could be made; the others with --gate only.
    """
    if len(sides) < 2:
        raise BadInput("name at least two sides; the first is the baseline")
    common = [parse_any(text) for text in filters or []]
    margins = dict(map(parse_margin, margin or []))
    management = connect(base_url, token, account)
    path = f"/gateways/{quote(gateway, safe='')}"
    known = _Evaluations(management, path)
    asked = [_side(text, common, known) for text in sides]
    types = _choose_types(management, evaluator or [], [known.found.get(text) for text in sides])
    body: dict[str, Any] = {"sides": asked, "evaluation_type_ids": types, "margins": margins}
    if pair_by is not None:
        body["pair_by"] = pair_by
    answer = management.post(f"{path}/comparisons", body)
    write_report(markdown, report.markdown(answer))
    write_report(junit, report.junit(answer))
    if as_json:
        print_json(answer)
    else:
        report.print_tables(answer)
    if gate:
        raise typer.Exit(EXIT_CODES[Gate(answer["gate"])])


class _Evaluations:
    """The gateway's evaluations, fetched when first needed."""

    def __init__(self, management: Management, path: str) -> None:
        self._management = management
        self._path = path
        self._all: list[dict[str, Any]] | None = None
        self.found: dict[str, dict[str, Any]] = {}

    def find(self, word: str) -> dict[str, Any]:
        """The evaluation of that name or id; BadInput where there is none, or it is not done."""
        if self._all is None:
            self._all = self._management.get_all(f"{self._path}/evaluations")
        for item in self._all:
            if word in (item["id"], item["name"]):
                if not item["processed"]:
                    raise BadInput(f"the evaluation {word!r} is not done yet")
                self.found[word] = item
                return item
        shown = ", ".join(repr(item["name"]) for item in self._all[:10]) or "none"
        raise BadInput(f"{word!r} is no evaluation of this gateway (there is: {shown}), nor one like 'model=gpt-5'")


def parse_any(text: str) -> dict[str, Any]:
    """A filter expression as a filter, or `metadata.KEY=VALUE` as an entry of the metadata."""
    key, equals, value = text.partition("=")
    if text.startswith(METADATA) and equals:
        name, wanted = key.strip().removeprefix(METADATA), value.strip()
        if not name or not wanted:
            raise BadInput(f"{text!r}: expected metadata.KEY=VALUE")
        return {"metadata": {name: wanted}}
    return {"filter": as_sent(parse_filter(text))}


def parse_margin(text: str) -> tuple[str, dict[str, Any]]:
    """`speed=10%`, `human_feedback=2.5`."""
    name, _, amount = text.partition("=")
    number = amount.strip().removesuffix("%")
    try:
        value = float(number)
    except ValueError:
        value = 0.0
    if not name.strip() or not 0 < value <= 1e15:
        raise BadInput(f"--margin {text!r}: expected EVALUATOR=AMOUNT above 0, such as speed=10% or cost=0.001")
    return name.strip(), {"amount": value, "unit": "percent" if amount.strip().endswith("%") else "absolute"}


def _side(text: str, common: Sequence[dict[str, Any]], known: _Evaluations) -> dict[str, Any]:
    parts = [*common]
    side: dict[str, Any] = {"label": text[:256], "filters": [], "metadata": {}}
    if is_group(text):  # alone, as what joins parts may stand in its texts
        parts.append(parse_any(text))
    elif any(sign in text for sign in "=<>~") or " eq " in text:
        parts += [parse_any(part) for part in text.split(JOINED)]
    else:
        side["evaluation_id"] = known.find(text)["id"]
    for part in parts:
        if "filter" in part:
            side["filters"].append(part["filter"])
        else:
            [[name, wanted]] = part["metadata"].items()
            if side["metadata"].setdefault(name, wanted) != wanted:
                raise BadInput(
                    f"{text!r}: metadata.{name} cannot be both {side['metadata'][name]!r} and {wanted!r}"
                )
    return side


def _choose_types(
    management: Management, wanted: Sequence[str], evaluations: Sequence[dict[str, Any] | None]
) -> list[str]:
    if wanted:
        known = management.get_all("/evaluation-types")
        chosen: list[str] = []
        for word in wanted:
            matches = [kind["id"] for kind in known if word in (kind["id"], kind["name"])]
            if not matches:
                names = ", ".join(kind["id"] for kind in known)
                raise BadInput(f"--evaluator: there is no evaluator {word!r} here; there is: {names}")
            chosen += [one for one in matches[:1] if one not in chosen]
        return chosen
    if None in evaluations:
        return list(USUAL)
    judged = [[row for row in item["results"] if row["direction"] != "neither"] for item in evaluations if item]
    of_each = [[row["evaluation_type_id"] for row in rows] for rows in judged]
    common = [one for one in of_each[0] if all(one in others for others in of_each)]
    if not common:
        raise BadInput("the evaluations have no evaluation type in common: name some with --evaluator")
    return common


def write_report(file: Path | None, text: str) -> None:
    """Write a report where one is asked for."""
    if file is None:
        return
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as problem:
        raise GaugewayError(f"{file}: the report cannot be written: {problem.strerror}") from problem
