"""Shadows for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from gaugeway.cli import comparison_report as report
from gaugeway.cli.output import Column, console, print_table, printable
from gaugeway.cli.replay_report import FORECAST, PROGRESS, forecast_details, forecast_row, progress_row, reasons
from gaugeway.core.money import readable

_LIST = (
    Column("shadow", style="bold"),
    Column("share", right=True),
    Column("candidates"),
    Column("seen", right=True),
    Column("sampled", right=True),
    Column("called", right=True),
    Column("skipped", right=True),
    Column("missed", right=True),
    Column("status"),
)
_WITHIN = {
    "probably": "probably not reached",
    "perhaps": "perhaps reached on some days: what is drawn after that is missed, and counted",
    "no": "probably reached on most days: what is drawn after that is missed, and counted; a lower share is fairer",
    "unknown": "reached or not: that cannot be told in advance",
}


def print_forecast(told: dict[str, Any]) -> None:
    """What a day would cost, and under which assumption."""
    title = f"Forecast for a day, from {told['logs']} requests of {_days(told)}, {told['sampled']} looked at"
    print_table(FORECAST, [forecast_row(one, told["logs"]) for one in told["candidates"]], title=title)
    console().out("")
    for line in _forecast_lines(told):
        console().out(printable(line), highlight=False)
    console().out("")


def _days(told: dict[str, Any]) -> str:
    return "the last day" if told["days"] == 1 else f"the last {told['days']} days"


def _forecast_lines(told: dict[str, Any]) -> Iterator[str]:
    yield f"About {told['daily_items']:g} requests a day would be drawn."
    yield f"It supposes {told['assumes']}."
    if told["note"]:
        yield f"{told['note'][:1].upper()}{told['note'][1:]}."
    yield f"The daily cap of {told['daily_cap']} USD is {_WITHIN[told['within_cap']]}."
    yield from forecast_details(told)


def print_list(found: Sequence[dict[str, Any]]) -> None:
    """One a line."""
    print_table(_LIST, [_row(one) for one in found])


def print_shadow(told: dict[str, Any]) -> None:
    """What became of the requests, then the comparison."""
    for line in _lines(told):
        console().out(printable(line), highlight=False)
    console().out("")
    print_table(PROGRESS, [progress_row(one) for one in told["progress"]])
    console().out("")
    if told["comparison"] is not None:
        report.print_tables(told["comparison"])
        if not told["processed"]:
            words = f"Provisional: {told['compared_items']} requests were compared so far"
            console().out(words, highlight=False)


def markdown(told: dict[str, Any]) -> str:
    """What became of the requests."""
    rows = [progress_row(one) for one in told["progress"]]
    lines = [report.cell(line) for line in _lines(told)]
    return "\n\n".join([f"# {report.cell(told['name'])}", *lines, report.markdown_table(PROGRESS, rows)]) + "\n"


def _lines(told: dict[str, Any]) -> list[str]:
    """Each number with its denominator."""
    today = told["today"]
    drawn = f"{told['seen']} seen, {told['sampled']} sampled ({told['share']:g} %)"
    others = f"{_counted(told['skipped'])} skipped, {_counted(told['missed'])} missed"
    spent = f"{readable(today['spent'])} of {told['daily_cap']} USD spent today"
    return [
        f"{drawn}: {told['called']} called, {others}, {told['waiting']} waiting",
        f"{spent}, {readable(today['reserved'])} reserved",
    ]


def _counted(told: dict[str, Any]) -> str:
    return f"{told['total']} ({reasons(told['reasons'])})" if told["total"] else "0"


def _row(one: dict[str, Any]) -> list[str]:
    labels = ", ".join(candidate["label"] for candidate in one["candidates"])
    counts = [one["seen"], one["sampled"], one["called"], one["skipped"]["total"], one["missed"]["total"]]
    return [one["name"], f"{one['share']:g} %", labels, *map(str, counts), one["status_description"]]
