"""How stored keys travel: nearly every provider takes its key as it is, in one header."""

from __future__ import annotations

from msgspec import Struct

from gaugeway.core.errors import BadInput
from gaugeway.core.provider import Outbound

MAX_KEY = 16 * 1024
"""Characters of a key. The longest known are service accounts, of some 2,400."""


class HeaderKey(Struct, frozen=True):
    """A KeyUse: the key in a header, behind a word such as `Bearer `."""

    header: bytes = b"authorization"
    prefix: bytes = b"Bearer "

    def check(self, key: str) -> None:
        """See KeyUse."""
        if not 1 <= len(key) <= MAX_KEY or not key.isascii() or not key.isprintable() or " " in key:
            raise BadInput(f"expected a key of 1 to {MAX_KEY} printable ASCII characters without spaces")

    def headers(self, key: str, request: Outbound) -> list[tuple[bytes, bytes]]:  # noqa: ARG002  the port's
        """See KeyUse."""
        return [(self.header, self.prefix + key.encode())]

    def secrets(self, key: str) -> list[str]:
        """See KeyUse."""
        return [key]
