"""A comparison for people and for machines: tables on the terminal, Markdown, JUnit's XML."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

from gaugeway.cli.output import Column, console, print_table, printable
from gaugeway.core.money import readable

_SIDES = (
    Column("side", style="bold"),
    Column("evaluator"),
    Column("value", right=True, style="cyan"),
    Column("unit"),
    Column("95 % interval", right=True),
    Column("from logs", right=True),
)
_DIFFERENCES = (
    Column("side", style="bold"),
    Column("evaluator"),
    Column("difference", right=True, style="cyan"),
    Column("95 % interval", right=True),
    Column("test"),
    Column("p", right=True),
    Column("verdict", style="bold"),
)


def print_tables(answer: dict[str, Any]) -> None:
    """What each side is, what differs, and each verdict as a sentence."""
    print_table(_SIDES, list(_side_rows(answer)), title="Sides")
    console().out("")
    print_table(_DIFFERENCES, list(_difference_rows(answer)), title=f"Against {printable(answer['baseline'])}")
    console().out("")
    for line in _lines(answer):
        console().out(printable(line), highlight=False)


def markdown(answer: dict[str, Any]) -> str:
    """A report in Markdown, safe to show whatever the sides are called."""
    blocks = [
        f"# {cell(' / '.join(side['label'] for side in answer['sides']))}",
        f"Gate: **{answer['gate']}**. The baseline is {cell(answer['baseline'])}.",
        markdown_table(_DIFFERENCES, list(_difference_rows(answer))),
        "\n".join(f"- {cell(line)}" for line in _lines(answer)),
        markdown_table(_SIDES, list(_side_rows(answer))),
    ]
    return "\n\n".join(blocks) + "\n"


def junit(answer: dict[str, Any], name: str = "gaugeway compare") -> str:
    """One test case a difference: a failure where it is worse, skipped where that cannot be told."""
    differences = answer["differences"]
    gates = [one["gate"] for one in differences]
    suite = ElementTree.Element(
        "testsuite",
        name=name,
        tests=str(len(differences)),
        failures=str(gates.count("worse")),
        skipped=str(gates.count("cannot tell")),
        errors="0",
    )
    for one in differences:
        case = ElementTree.SubElement(
            suite, "testcase", classname=printable(one["side"]), name=one["evaluation_type_id"]
        )
        words = printable(one["words"])
        if one["gate"] == "worse":
            ElementTree.SubElement(case, "failure", message=words)
        elif one["gate"] == "cannot tell":
            ElementTree.SubElement(case, "skipped", message=words)
        else:
            ElementTree.SubElement(case, "system-out").text = words
    suites = ElementTree.Element("testsuites")
    suites.append(suite)
    ElementTree.indent(suites)
    return ElementTree.tostring(suites, encoding="unicode", xml_declaration=False) + "\n"


def _side_rows(answer: dict[str, Any]) -> Iterator[list[str]]:
    for side in answer["sides"]:
        for result in side["results"]:
            yield [
                side["label"],
                result["evaluation_type_id"],
                _number(result["result"]),
                result["unit"],
                _interval(result),
                f"{result['total_logs']} of {side['total_logs']}",
            ]


def _difference_rows(answer: dict[str, Any]) -> Iterator[list[str]]:
    for one in answer["differences"]:
        yield [
            one["side"],
            one["evaluation_type_id"],
            _difference(one),
            _interval(one),
            one["test"] or "-",
            "-" if one["adjusted_p_value"] is None else f"{one['adjusted_p_value']:.2g}",
            one["verdict"],
        ]


def _lines(answer: dict[str, Any]) -> Iterator[str]:
    """The verdicts, and what is to be known about them."""
    for one in answer["differences"]:
        line = f"{one['side']}, {one['evaluation_type_id']}: {one['words']}"
        paired = one["paired"]
        if paired:
            line += f"; {paired['items']} items matched by {paired['by']}"
        yield line
    for side in answer["sides"]:
        if side["also_in_baseline"] is None:
            yield f"{side['label']}: how many of its logs are the baseline's too could not be counted in time"
        elif side["also_in_baseline"]:
            yield f"{side['label']}: {side['also_in_baseline']} of its logs are the baseline's too"
        for one in side["agreements"]:
            yield f"{side['label']}, {one['evaluation_type_id']}: {_agreement(one)}"


def _agreement(one: dict[str, Any]) -> str:
    """How far a panel's members agree."""
    alpha = one["alpha"]
    if alpha["value"] is None:
        return f"how far the panel's members agree is not known: {alpha['note']}"
    ends = "" if alpha["low"] is None else f" (95 % interval {alpha['low']:.2f} … {alpha['high']:.2f})"
    note = f"; {alpha['note']}" if alpha["note"] else ""
    return f"the panel's members agree by Krippendorff's alpha {alpha['value']:.2f}{ends}, {alpha['n']} logs{note}"


def _difference(one: dict[str, Any]) -> str:
    if one["difference"] is None:
        return "-"
    text = readable(one["difference"])
    rounded, number = text[: text.startswith("≈")], text.removeprefix("≈")
    sign = "" if number.startswith("-") or number == "0" else "+"
    return f"{rounded}{sign}{number} {'points' if one['unit'] == '%' else one['unit']}"


def _number(text: str | None) -> str:
    return readable(text) if text else "-"


def _interval(row: dict[str, Any]) -> str:
    low, high = row["low"], row["high"]
    return "-" if low is None or high is None else f"{readable(low)} … {readable(high)}"


def markdown_table(columns: tuple[Column, ...], rows: list[list[str]]) -> str:
    """A table in Markdown."""
    header = [column.name for column in columns]
    rule = ["---:" if column.right else "---" for column in columns]
    lines = [header, rule, *([cell(each) for each in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def cell(text: str) -> str:
    """Text that means nothing to Markdown or HTML."""
    return "".join(f"\\{sign}" if sign in "\\`*_{}[]<>#|!&~" else sign for sign in printable(text))
