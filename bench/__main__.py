"""`python -m bench [PART …]`: prints what it measured."""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path

from rich.console import Console

PARTS = (
    "forward",
    "latency",
    "streams",
    "many",
    "start",
    "memory",
    "evaluations",
    "items",
    "bodies",
    "steps",
    "recorder",
)


def main() -> None:
    """Run the parts asked for, in order."""
    parser = argparse.ArgumentParser(
        prog="bench", description="Measure Gaugeway against nginx; see bench/README.md"
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument(
        "--requests", type=int, default=100_000, help="requests for `memory` (1,000,000 for the aim)"
    )
    parser.add_argument(
        "--logs", type=int, nargs="*", default=[1_000_000, 10_000_000], help="logs for `evaluations`"
    )
    parser.add_argument("--instructions", action="store_true", help="count them, too, in `steps` and `recorder`")
    chosen = parser.parse_args()
    unknown = set(chosen.parts) - set(PARTS)
    if unknown:
        parser.error(f"there is no part {min(unknown)!r}; the parts are {', '.join(PARTS)}")
    console = Console(highlight=False)
    parts = chosen.parts or PARTS
    needed = () if set(parts) <= {"steps", "recorder", "bodies"} else ("nginx", "wrk", "taskset")
    if chosen.instructions:
        needed += ("valgrind",)
    missing = [program for program in needed if shutil.which(program) is None]
    if missing:
        packages = "nginx-light wrk util-linux valgrind"
        raise SystemExit(f"missing: {', '.join(missing)}. On Debian: apt-get install {packages}")
    for part in parts:
        with tempfile.TemporaryDirectory(prefix="gaugeway-bench-") as folder:
            console.rule(part, align="left")
            run(part, console, Path(folder), chosen)


def run(part: str, console: Console, folder: Path, chosen: argparse.Namespace) -> None:
    """Run one part."""
    if part == "memory":
        from bench import memory

        memory.measure(console, folder, chosen.requests)
    elif part == "evaluations":
        from bench import evaluations

        evaluations.measure(console, folder, chosen.logs)
    elif part == "steps":
        from bench import steps

        steps.measure(console, folder, instructions=chosen.instructions)
    elif part == "recorder":
        from bench import recorder

        recorder.measure(console, folder, instructions=chosen.instructions)
    else:
        from importlib import import_module

        import_module(f"bench.{part}").measure(console, folder)


if __name__ == "__main__":
    main()
