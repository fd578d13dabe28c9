"""Puts the built dashboard into the wheel: builds it first where that is possible here.

Without Node.js or the npm registry the wheel has no dashboard; the server runs all the same, and its page says so.
"""

from __future__ import annotations

import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class DashboardHook(BuildHookInterface):  # type: ignore[type-arg]
    """Builds `dashboard/` for a wheel that will be kept; an editable install serves whatever is built later."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build, and name what was built as part of the wheel."""
        script = Path(self.root) / "dashboard" / "build.py"
        if version == "editable" or not script.is_file():
            return
        ran = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=False)
        if ran.returncode != 0:
            self.app.display_warning(ran.stderr.strip())
        static = Path(runpy.run_path(str(script))["BUILT"])
        if static.is_dir():
            build_data["force_include"][str(static)] = "gaugeway/dashboard/static"
