"""The command line, run in this process, and the reference pages that are made from it.

`python tests/support/command_line.py` writes the made parts of docs/settings.md and docs/cli.md anew.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import typer

from gaugeway.cli import build, run
from gaugeway.cli.options import describe

DOCS = Path(__file__).parents[2] / "docs"
WIDTH = "100"


@dataclass
class Ran:
    """What a command did."""

    code: int
    out: str
    err: str


def command(*arguments: str, **environment: str) -> Ran:
    """Run `gaugeway ...` with only the GAUGEWAY_* and CLOUDFLARE_* variables given."""
    out, err = StringIO(), StringIO()
    with _environment({"COLUMNS": WIDTH} | environment), redirect_stdout(out), redirect_stderr(err):
        code = run(arguments)
    return Ran(code, out.getvalue(), err.getvalue())


@contextmanager
def _environment(added: dict[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    for name in before:
        if name.startswith(("GAUGEWAY_", "CLOUDFLARE_")):
            del os.environ[name]
    os.environ.update(added)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def all_commands() -> list[tuple[str, ...]]:
    """Every command's words; () is `gaugeway` itself."""

    def walk(group: object, words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        yield words
        for name, child in getattr(group, "commands", {}).items():
            yield from walk(child, (*words, name))

    return list(walk(typer.main.get_command(build(None)), ()))


def made_settings() -> str:
    """The table of docs/settings.md."""
    lines = ["| setting | environment | flag | default | meaning |", "|---|---|---|---|---|"]
    for setting in describe():
        flag = f"`{setting.flag}`" if setting.flag else "none"
        meaning = setting.meaning.replace("|", "\\|")
        lines.append(f"| `{setting.name}` | `{setting.variable}` | {flag} | `{setting.default}` | {meaning} |")
    return "\n".join(lines)


def made_commands() -> str:
    """The help of every command, for docs/cli.md."""
    parts = []
    for words in all_commands():
        name = " ".join(("gaugeway", *words))
        shown = "\n".join(line.rstrip() for line in command(*words, "--help").out.strip().splitlines())
        parts.append(f"### `{name}`\n\n```text\n$ {name} --help\n{shown}\n```")
    return "\n\n".join(parts)


MADE = {"settings.md": made_settings, "cli.md": made_commands}
_BLOCK = re.compile(r"(<!-- made: [^\n]*-->\n).*?(<!-- end -->)", re.DOTALL)


def with_made(page: str) -> str:
    """A page's text with its made part as it should be."""
    text = (DOCS / page).read_text()
    assert len(_BLOCK.findall(text)) == 1, f"docs/{page} needs one made part"
    return _BLOCK.sub(lambda found: f"{found[1]}\n{MADE[page]()}\n\n{found[2]}", text)


if __name__ == "__main__":
    for name in MADE:
        (DOCS / name).write_text(with_made(name))
