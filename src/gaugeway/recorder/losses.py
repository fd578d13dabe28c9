"""Logs that could not be kept: counted by gateway, said aloud, and written down beside the data."""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec import Struct, structs

from gaugeway.core.model import Scope


class Loss(Struct, frozen=True):
    """That many logs of a gateway, whose requests came between two moments (Unix ms), were lost."""

    account_id: str
    gateway_id: str
    count: int
    first_ms: int
    last_ms: int
    cause: str
    id: str  # told twice after a crash, it counts once


class Losses:
    """The losses of one process: some still to be passed on, and the totals since its start."""

    def __init__(self) -> None:
        self.total = 0
        self.by_gateway: dict[Scope, int] = {}
        self._unreported: dict[tuple[Scope, str], Loss] = {}

    def add(self, scope: Scope, moment: int, cause: str, count: int = 1) -> None:
        """Count logs whose requests came at that moment (Unix ms)."""
        self.total += count
        self.by_gateway[scope] = self.by_gateway.get(scope, 0) + count
        known = self._unreported.get((scope, cause))
        if known is None:
            self._unreported[scope, cause] = Loss(
                scope.account_id, scope.gateway_id, count, moment, moment, cause, secrets.token_hex(8)
            )
            return
        self._unreported[scope, cause] = structs.replace(
            known,
            count=known.count + count,
            first_ms=min(known.first_ms, moment),
            last_ms=max(known.last_ms, moment),
        )

    def __bool__(self) -> bool:
        return bool(self._unreported)

    def unreported(self) -> list[Loss]:
        """What has not been passed on yet."""
        return list(self._unreported.values())

    def reported(self) -> None:
        """It has been passed on."""
        self._unreported.clear()


JOURNAL = "lost-logs.jsonl"
JOURNAL_BEFORE = "lost-logs.1.jsonl"
JOURNAL_BYTES = 16 * 1024 * 1024


def write_journal(data: Path, losses: Sequence[Loss]) -> None:
    """Add losses to the data folder's `lost-logs.jsonl`, a JSON object a line, durably; OSError.

    At JOURNAL_BYTES it becomes `lost-logs.1.jsonl`, in place of the one before.
    """
    lines = b"".join(msgspec.json.encode(loss) + b"\n" for loss in losses)
    descriptor = os.open(data / JOURNAL, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        written = os.write(descriptor, lines)
        if written < len(lines):
            raise OSError(f"{data / JOURNAL}: only {written} of {len(lines)} bytes could be written")
        os.fdatasync(descriptor)
        if os.fstat(descriptor).st_size > JOURNAL_BYTES:
            (data / JOURNAL).rename(data / JOURNAL_BEFORE)
    finally:
        os.close(descriptor)


def read_journal(data: Path) -> list[Loss]:
    """All losses that were written down, once each. A line that a crash cut off was written again."""
    losses: dict[str, Loss] = {}
    for name in (JOURNAL_BEFORE, JOURNAL):
        path = data / name
        for line in path.read_bytes().splitlines() if path.exists() else ():
            try:
                loss = msgspec.json.decode(line, type=Loss)
            except msgspec.MsgspecError:
                continue
            losses[loss.id] = loss
    return list(losses.values())


class JournalOfLosses:
    """The port `LossJournal` over a data folder's journal."""

    def __init__(self, data: Path) -> None:
        self._data = data

    def lost(self, scope: Scope, until_ms: int) -> int:
        """Logs of a gateway that were lost and arrived, the first of their batch at least, up to that moment."""
        here = (scope.account_id, scope.gateway_id)
        return sum(
            loss.count
            for loss in read_journal(self._data)
            if (loss.account_id, loss.gateway_id) == here and loss.first_ms <= until_ms
        )

    def total(self) -> int:
        """Logs of all gateways that were ever lost."""
        return sum(loss.count for loss in read_journal(self._data))
