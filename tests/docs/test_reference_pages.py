"""docs/settings.md and docs/cli.md say what the program says."""

from __future__ import annotations

import re

import pytest

from gaugeway.core.query import DATASET_KEYS
from support.command_line import DOCS, MADE, all_commands, command, with_made


@pytest.mark.parametrize("page", MADE)
def test_the_made_part_is_up_to_date(page: str) -> None:
    assert (DOCS / page).read_text() == with_made(page), "run: python tests/support/command_line.py"


def test_every_key_of_a_dataset_is_named() -> None:
    text = (DOCS / "cli.md").read_text()
    assert [key for key in DATASET_KEYS if f"`{key}`" not in text] == []


@pytest.mark.parametrize("words", all_commands(), ids=" ".join)
def test_every_command_helps_and_says_what_it_is_for(words: tuple[str, ...]) -> None:
    ran = command(*words, "--help")
    assert (ran.code, ran.err) == (0, "")
    assert re.match(r"Usage: gaugeway.*\n\n  \S", ran.out)


def test_the_filters_of_the_table_work() -> None:
    from gaugeway.cli.filters import parse_filter

    table = (DOCS / "cli.md").read_text().partition("| written | means |")[2].partition("\n\n")[0]
    written = [item for row in table.splitlines()[2:] for item in re.findall(r"`([^`]+)`", row.split("|")[1])]
    assert len(written) == 14
    for text in written:
        parse_filter(text)
