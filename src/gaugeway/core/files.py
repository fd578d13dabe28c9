"""Files that clients upload for their evals: lines of JSON that runs take their items from."""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct

from gaugeway.core.evals import Slice
from gaugeway.core.model import Scope

EVALS = "evals"
"""The one purpose that files are kept for."""
MAX_FILE = 32 * 1024 * 1024
"""Bytes of one file."""
MAX_FILES = 1000
MAX_TOTAL = 512 * 1024 * 1024
"""Files of a gateway, and bytes of all of them."""


class EvalFile(Struct, frozen=True, kw_only=True):
    """A file."""

    account_id: str
    gateway_id: str
    id: str
    name: str
    bytes: int
    created_at: int  # Unix ms

    @property
    def scope(self) -> Scope:
        """The gateway it belongs to."""
        return Scope(self.account_id, self.gateway_id)


class EvalFileStore(Protocol):
    """Files. They go with their gateway."""

    def create(self, file: EvalFile, content: bytes) -> None:
        """NotFound without its gateway, Conflict where that would have more than MAX_FILES or MAX_TOTAL."""
        ...

    def get(self, scope: Scope, file_id: str) -> EvalFile | None: ...
    def content(self, scope: Scope, file_id: str) -> bytes | None:
        """What is in it; StoreUnusable where that was damaged."""
        ...

    def list(self, scope: Scope, part: Slice) -> tuple[list[EvalFile], bool]:
        """A part, and whether more follow. NotFound where there is none of the id that it comes after."""
        ...

    def delete(self, scope: Scope, file_id: str) -> bool:
        """False where there is none. Runs that took their items from it keep them."""
        ...
