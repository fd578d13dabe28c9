"""What happens before there is a command line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from support.command_line import command

INTERRUPTED_WHILE_LOADING = """
import sys
import gaugeway.__main__

class Interrupt:
    def find_spec(self, name, *_):
        if name == "gaugeway.cli":
            raise KeyboardInterrupt

sys.meta_path.insert(0, Interrupt())
gaugeway.__main__.main()
"""


def test_an_interrupt_while_it_loads_is_no_traceback() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", INTERRUPTED_WHILE_LOADING], capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (130, "", "")


def test_a_candidate_without_a_provider_is_told_by_its_flag() -> None:
    ran = command("replay", "--gateway", "g", "--through", "r", "--model", "gpt-5-mini", "--max-cost", "1")
    assert (ran.code, ran.out) == (2, "")
    assert "--model 'gpt-5-mini': expected PROVIDER/MODEL, such as openai/gpt-5-mini" in ran.err


def test_a_misspelt_variable_is_told_of_by_every_command_that_reads_settings(tmp_path: Path) -> None:
    ran = command("gateway", "list", "--data", str(tmp_path / "none"), GAUGEWAY_DATTA=str(tmp_path))
    assert ran.code == 2
    assert (
        "GAUGEWAY_DATTA in the environment is no setting and does nothing; did you mean GAUGEWAY_DATA?" in ran.err
    )
    assert "there is no Gaugeway data in" in ran.err
