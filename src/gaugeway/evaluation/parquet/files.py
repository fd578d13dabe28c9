"""Parquet files as the rest of the program sees them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from typing import BinaryIO

from gaugeway.core.errors import BadInput
from gaugeway.evaluation.parquet.columns import Line
from gaugeway.evaluation.parquet.frames import CutShort, frames
from gaugeway.evaluation.parquet.writing import write

COMMAND = (sys.executable, "-m", "gaugeway.evaluation.parquet.child")
MEMORY_BYTES = 1024 * 1024 * 1024
"""What unpacking a file may take, the program itself included."""
MISSING = "Parquet files need pyarrow, which is not installed here: pip install 'gaugeway[parquet]'"
_SECRETS = ("GAUGEWAY_BOOTSTRAP_TOKEN",)


def _is_installed() -> bool:
    return find_spec("pyarrow") is not None


class ArrowFiles:
    """A ParquetFiles by pyarrow."""

    def __init__(
        self,
        *,
        installed: Callable[[], bool] = _is_installed,
        command: Sequence[str] = COMMAND,
        memory_bytes: int = MEMORY_BYTES,
    ) -> None:
        self._installed = installed
        self._command = (*command, str(memory_bytes))

    def require(self) -> None:
        """See ParquetFiles."""
        if not self._installed():
            raise BadInput(MISSING)

    def write(self, lines: Iterable[Line], notes: Mapping[str, str]) -> Iterator[bytes]:
        """See ParquetFiles."""
        self.require()
        return write(lines, notes)

    def read(self, source: BinaryIO, max_bytes: int | None = None) -> Iterator[list[Line]]:
        """See ParquetFiles."""
        self.require()
        return self._read(source, max_bytes)

    def _read(self, source: BinaryIO, max_bytes: int | None) -> Iterator[list[Line]]:
        environment = {name: value for name, value in os.environ.items() if name not in _SECRETS}
        process = subprocess.Popen(  # noqa: S603 - a command of our own
            self._command, stdin=source.fileno(), stdout=subprocess.PIPE, env=environment
        )
        assert process.stdout is not None  # noqa: S101 - it was asked for
        total = 0
        try:
            for frame, size in frames(process.stdout):
                if frame.problem:
                    raise BadInput(frame.problem, tuple(frame.path))
                total += size
                if max_bytes is not None and total > max_bytes:
                    raise BadInput(f"It is more than {max_bytes} bytes when it is unpacked")
                if frame.lines:
                    yield frame.lines
        except CutShort:
            raise BadInput(_why(process)) from None
        finally:
            process.kill()
            process.wait()
            process.stdout.close()


def _why(process: subprocess.Popen[bytes]) -> str:
    """What became of a process that said nothing more."""
    if process.stdout is not None:
        process.stdout.close()
    status = process.wait()
    how = f"by {signal.Signals(-status).name}" if status < 0 else f"with {status}"
    return (
        f"It cannot be read: the process that unpacked it ended {how}, at the bounds of its memory and time perhaps"
    )
