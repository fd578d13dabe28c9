"""Writes `src/api/schema.d.ts` anew from the management API's own description: `make dashboard-types`."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from gaugeway.management.api import describe_api

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from build import find_node  # noqa: E402


def write(target: Path) -> None:
    """Generate the types of the API as it is."""
    node, _ = find_node()
    with tempfile.TemporaryDirectory() as scratch:
        description = Path(scratch) / "openapi.json"
        description.write_text(json.dumps(describe_api()))
        tool = HERE / "node_modules" / "openapi-typescript" / "bin" / "cli.js"
        options = ["--default-non-nullable", "false"]
        subprocess.run(
            [str(node), str(tool), str(description), "-o", str(target), *options], check=True, timeout=120
        )


if __name__ == "__main__":
    write(HERE / "src" / "api" / "schema.d.ts")
