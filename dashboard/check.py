"""Holds the front-end's TypeScript to its form: `python dashboard/check.py`, with `--fix` it is put into it.

The checker (Biome) has a lock file of its own in `checks/`, so that nobody who only builds the dashboard waits for
it. It is fetched once. Where neither Node.js nor npm's registry is to be had, that is said, and nothing is checked.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import build

CHECKS = build.HERE / "checks"
_PACKAGE = CHECKS / "node_modules" / "@biomejs" / "biome"
_OUT_OF_REACH = ("ENOTFOUND", "ECONNREFUSED", "EAI_AGAIN", "ETIMEDOUT", "there is no Node.js")


def check(*, fix: bool) -> int:
    """Look at every file; the checker's exit code. Raises CannotBuild where it cannot be fetched."""
    node, npm = build.find_node()
    if _installed() != _wanted():
        build.install(npm, node, CHECKS)
    command = [str(node), str(_PACKAGE / "bin" / "biome"), "check", "--error-on-warnings", "--colors=off"]
    return subprocess.run(
        [*command, *(["--write"] if fix else [])], cwd=build.HERE, env=build.environment_of(node), check=False
    ).returncode


def _wanted() -> str:
    locked = json.loads((CHECKS / "package-lock.json").read_text())
    return str(locked["packages"]["node_modules/@biomejs/biome"]["version"])


def _installed() -> str | None:
    package: Path = _PACKAGE / "package.json"
    return str(json.loads(package.read_text())["version"]) if package.is_file() else None


if __name__ == "__main__":
    try:
        code = check(fix="--fix" in sys.argv[1:])
    except build.CannotBuild as problem:
        if not any(word in str(problem) for word in _OUT_OF_REACH):
            sys.exit(f"The dashboard's TypeScript could not be checked.\n{problem}")
        print(f"NOT CHECKED: the dashboard's TypeScript, since its checker cannot be had here.\n{problem}")  # noqa: T201
        code = 0
    sys.exit(code)
