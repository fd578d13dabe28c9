"""The process beside that reads one file, which is its standard input, and writes its lines to its standard output.

    python -m gaugeway.evaluation.parquet.child BYTES_OF_MEMORY < FILE

Each frame is its length in four bytes and a Frame as MessagePack; the last one says that it is the last.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
from typing import BinaryIO

from gaugeway.core.errors import BadInput
from gaugeway.evaluation.parquet.frames import Frame, pack

CPU_S = 300
"""A file that needs more than that is given up."""


def main() -> None:
    """Read the file that is the standard input."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whoever reads from here, and then ends this
    os.nice(10)
    os.environ["ARROW_DEFAULT_MEMORY_POOL"] = "system"  # which gives back, and takes no more than it is asked for
    os.environ["OMP_NUM_THREADS"] = "1"
    memory_bytes = int(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with os.fdopen(0, "rb") as source, os.fdopen(os.dup(1), "wb") as target:
        _tell(source, target)


def _tell(source: BinaryIO, target: BinaryIO) -> None:
    from gaugeway.evaluation.parquet.unpacking import lines_of

    try:
        target.writelines(pack(Frame(lines=lines)) for lines in lines_of(source))
        target.write(pack(Frame(ended=True)))
    except BadInput as problem:
        target.write(pack(Frame(problem=problem.message, path=list(problem.path))))
    except (ValueError, OverflowError) as problem:  # half a surrogate pair, a number of more than 64 bits
        target.write(pack(Frame(problem=f"A row holds what no item can: {problem!r:.200}")))


if __name__ == "__main__":
    main()
