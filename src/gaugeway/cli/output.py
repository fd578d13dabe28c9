"""What people and programs read: tables, amounts of colour, JSON.

On a terminal: colours and boxes. Anywhere else (a pipe, a file, a log): plain lines, nothing cut off, nothing
drawn, so that grep and cut work.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
from msgspec import Struct
from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from gaugeway.core.timestamps import to_rfc3339


class Column(Struct, frozen=True):
    """A table's column."""

    name: str
    right: bool = False  # numbers stand on the right
    style: str = ""
    whole: bool = False  # an id that one copies: never broken into lines


def console(*, stderr: bool = False) -> Console:
    """Where to write. Made anew each time, as the streams may have been replaced."""
    return Console(stderr=stderr, soft_wrap=True, highlight=False, markup=False, emoji=False)


def printable(text: str) -> str:
    """The text without anything that could steer a terminal."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in text
    )


def shown_time(ms: int) -> str:
    """A time for people, to the minute, in UTC."""
    return to_rfc3339(ms)[:16].replace("T", " ") + "Z"


def print_error(message: str) -> None:
    """One line on stderr: what was wrong, where, what to do."""
    console(stderr=True).print(Text.assemble(("error: ", "bold red"), printable(message)))


def print_warning(message: str) -> None:
    """One line on stderr about something that works, but should be looked at."""
    console(stderr=True).print(Text.assemble(("warning: ", "bold yellow"), printable(message)))


def print_note(message: str) -> None:
    """One line on stderr that is no result."""
    console(stderr=True).print(Text(printable(message), style="dim"))


def print_json(value: Any) -> None:
    """The value as JSON on stdout, nothing else."""
    console().out(msgspec.json.format(msgspec.json.encode(value), indent=2).decode(), highlight=False)


@contextmanager
def reading(done: str) -> Generator[Callable[[int], None]]:
    """What is told of the logs that were read, shown on a terminal."""
    from rich.progress import Progress, SpinnerColumn, TextColumn

    target = console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.completed:,.0f} logs {task.description}"))
    with Progress(*columns, console=target, transient=True, disable=not target.is_terminal) as progress:
        task = progress.add_task(done, total=None)
        yield lambda logs: progress.advance(task, logs)


_STYLE: dict[str, Any] = {"box": box.SIMPLE_HEAD, "padding": (0, 1, 0, 0), "show_edge": False, "pad_edge": False}


def print_table(columns: Sequence[Column], rows: Sequence[Sequence[str]], *, title: str = "") -> None:
    """A table on stdout: drawn on a terminal, aligned plain columns elsewhere."""
    target = console()
    shown = [[printable(cell) for cell in row] for row in rows]
    if not target.is_terminal:
        if title:
            target.out(title, highlight=False)
        for line in _aligned(columns, shown):
            target.out(line, highlight=False)
        return
    table = Table(title=title or None, title_justify="left", title_style="bold", **_STYLE)
    for column in columns:
        justify = "right" if column.right else "left"
        table.add_column(column.name, justify=justify, style=column.style, overflow="fold", no_wrap=column.whole)
    for row in shown:
        table.add_row(*(Text(cell) for cell in row))
    target.print(table, soft_wrap=False)


def _aligned(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> list[str]:
    header = [column.name for column in columns]
    widths = [max(cell_len(line[index]) for line in [header, *rows]) for index in range(len(columns))]
    return ["  ".join(map(_padded, line, widths, columns)).rstrip() for line in [header, *rows]]


def _padded(cell: str, width: int, column: Column) -> str:
    space = " " * (width - cell_len(cell))
    return space + cell if column.right else cell + space
