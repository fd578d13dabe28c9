"""A server process lets its event loop have the interpreter soon, whatever its threads compute."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SHOW = "import sys; from gaugeway.worker import create; create(); print(sys.getswitchinterval())"


def test_threads_of_a_server_process_take_short_turns(tmp_path: Path) -> None:
    said = subprocess.run(
        [sys.executable, "-c", SHOW],
        env={"GAUGEWAY_DATA": str(tmp_path), "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert float(said.stdout) <= 0.001
