"""docs/columns.md names the bounds that hold, and its commands are there."""

from __future__ import annotations

from pathlib import Path

from gaugeway.evaluation.projecting import EVERY_S
from gaugeway.stores.sqlite.columns import answering, figures, harvest, projection
from gaugeway.stores.sqlite.columns.planning import Sizes
from support.command_line import command

PAGE = (Path(__file__).parents[2] / "docs" / "columns.md").read_text()


def test_the_page_names_the_bounds():
    sizes = Sizes()
    for number in (sizes.least, sizes.seal, harvest.MAX_TEXTS, answering.MAX_CHANGED):
        assert f"{number:,}" in PAGE
    assert f"more than {figures.MAX_GROUPS} of them" in PAGE
    assert EVERY_S == 5
    assert "Every five seconds" in PAGE
    assert harvest.MAX_TEXT_CHARACTERS == 8_000_000
    assert "8 million characters" in PAGE
    room = projection.SPARE_BYTES + projection.LOG_BYTES * sizes.most
    assert 300e6 < room < 340e6
    assert "some 300 MB" in PAGE


def test_the_page_s_commands_are_there():
    for name in ("show", "rebuild"):
        assert f"gaugeway columns {name} " in PAGE
        assert command("columns", name, "--help").code == 0
