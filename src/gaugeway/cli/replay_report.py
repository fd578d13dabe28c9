"""A replay and its forecast for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gaugeway.cli import comparison_report as report
from gaugeway.cli.output import Column, console, print_note, print_table, printable
from gaugeway.core.money import readable

FORECAST = (
    Column("candidate", style="bold"),
    Column("expected USD", right=True, style="cyan"),
    Column("95 % interval", right=True),
    Column("twice as long", right=True),
    Column("at most", right=True),
    Column("can be replayed", right=True),
)
PROGRESS = (
    Column("side", style="bold"),
    Column("replayed", right=True),
    Column("skipped", right=True),
    Column("failed", right=True),
    Column("maybe paid twice", right=True),
    Column("why"),
)
_WITHIN = {
    "certainly": "never reached: all calls together cannot cost more",
    "probably": "probably not reached",
    "no": "probably reached before the end: what comes after that fails, and can be retried with a higher one",
    "unknown": "of no use in advance: prices are not known",
}


def print_forecast(told: dict[str, Any]) -> None:
    """What it would cost, and under which assumption."""
    title = f"Forecast for {told['total_items']} requests, {told['sampled']} of them looked at"
    print_table(FORECAST, [forecast_row(one, told["total_items"]) for one in told["candidates"]], title=title)
    console().out("")
    for line in _forecast_lines(told):
        console().out(printable(line), highlight=False)


def print_replay(told: dict[str, Any]) -> None:
    """What became of the items, then the comparison."""
    print_table(PROGRESS, [progress_row(one) for one in told["progress"]], title=_title(told))
    console().out("")
    if told["comparison"] is not None:
        report.print_tables(told["comparison"])
    print_note(f"replay {told['id']}: {told['status_description']}")


def markdown(told: dict[str, Any]) -> str:
    """What became of the items."""
    rows = [progress_row(one) for one in told["progress"]]
    blocks = [f"# {report.cell(told['name'])}", report.cell(_title(told)), report.markdown_table(PROGRESS, rows)]
    return "\n\n".join(blocks) + "\n"


def _title(told: dict[str, Any]) -> str:
    spent = f"{readable(told['spent'])} of {told['max_cost']} USD spent"
    return f"{told['total_items']} of {told['selected_logs']} logged requests replayed, {spent}"


def forecast_row(one: dict[str, Any], total: int) -> list[str]:
    """A candidate of FORECAST."""
    low, high = one["low"], one["high"]
    return [
        one["label"],
        _amount(one["expected_cost"]),
        "-" if low is None else f"{readable(low)} … {readable(high)}",
        _amount(one["twice_as_long_cost"]),
        _amount(one["worst_case_cost"]),
        f"{one['replayable']} of {total}",
    ]


def _forecast_lines(told: dict[str, Any]) -> Iterator[str]:
    yield f"It supposes {told['assumes']}."
    yield f"The cap of {told['max_cost']} USD is {_WITHIN[told['within_cap']]}."
    yield from forecast_details(told)


def forecast_details(told: dict[str, Any]) -> Iterator[str]:
    """What is known of each candidate and judge beside the amounts."""
    for one in told["candidates"]:
        if one["unknown"]:
            yield f"{one['label']}: {one['unknown']}"
        if one["skipped"]:
            yield f"{one['label']}: cannot be replayed: {reasons(one['skipped'])}"
    if told["without_tokens"]:
        yield f"{told['without_tokens']} logs looked at have no known tokens: they count as the others' average"
    for one in told["judges"]:
        yield f"Judged by {one['evaluation_type_id']}, in {one['calls']} calls: {_judging(one)}"
    if told["judges_worst_case_cost"] is not None:
        yield f"Judges cost up to {readable(told['judges_worst_case_cost'])} USD more, within caps of their own."


def _judging(one: dict[str, Any]) -> str:
    if one["expected_cost"] is None:
        return f"what it costs is not known: {one['unknown']}"
    ends = "" if one["low"] is None else f" ({readable(one['low'])} … {readable(one['high'])})"
    return f"{readable(one['expected_cost'])} USD{ends} expected. It supposes {one['assumes']}."


def progress_row(one: dict[str, Any]) -> list[str]:
    """A side of PROGRESS."""
    counts = [str(one[name]) for name in ("replayed", "skipped", "failed", "maybe_paid_twice")]
    return [one["label"], *counts, reasons(one["reasons"]) or "-"]


def reasons(counted: dict[str, int]) -> str:
    """How often each."""
    return ", ".join(f"{name} {number}" for name, number in counted.items())


def _amount(text: str | None) -> str:
    return "-" if text is None else readable(text)
