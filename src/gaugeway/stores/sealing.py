"""Secrets at rest: AES-256-GCM under a master key that the operator sets, or that a file beside the data holds.

A sealed secret names the key that it was sealed with, so that keys can follow one another; and it is bound to the
record that it belongs to, so that nobody who can write the database can put one in another's place.
"""

from __future__ import annotations

import os
import secrets
from hashlib import sha256
from pathlib import Path

from gaugeway.core.errors import StoreUnusable

KEY_BYTES = 32
_ID, _NONCE = 8, 12
_VERSION = b"\x01"
FILE = "master.key"


class Vault:
    """Seals and opens. `master_key` None: the file's, made with the first secret. `previous` only opens."""

    def __init__(self, folder: Path, master_key: bytes | None = None, previous: bytes | None = None) -> None:
        self._path = folder / FILE
        self._master_key = master_key
        self._previous = previous

    def seal(self, secret: str, about: str) -> bytes:
        """The secret, for the record that `about` names."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        key, nonce = self._newest(), secrets.token_bytes(_NONCE)
        return _VERSION + _id(key) + nonce + AESGCM(key).encrypt(nonce, secret.encode(), about.encode())

    def open(self, sealed: bytes, about: str) -> str:
        """What was sealed. Raises StoreUnusable where its key is gone, or it was tampered with."""
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        name, rest = sealed[1 : 1 + _ID], sealed[1 + _ID :]
        key = next((key for key in self._all() if _id(key) == name), None)
        if sealed[:1] != _VERSION or key is None:
            raise StoreUnusable(
                "a stored provider key was sealed with a master key that is not here: set GAUGEWAY_MASTER_KEY (or"
                f" GAUGEWAY_PREVIOUS_MASTER_KEY) to it, or restore {self._path}; else store the provider key anew"
            )
        try:
            return AESGCM(key).decrypt(rest[:_NONCE], rest[_NONCE:], about.encode()).decode()
        except InvalidTag as problem:
            raise StoreUnusable(
                "a stored provider key does not belong where it was found, or is damaged: store it anew"
            ) from problem

    def begin_rotation(self) -> None:
        """From now on another key seals; the one before still opens. While nobody else seals."""
        if self._master_key is None:
            new = self._beside("new")
            new.unlink(missing_ok=True)  # of a rotation that was interrupted before anything was sealed with it
            _write_key(new)
            if self._path.exists():
                self._path.replace(self._beside("old"))
            new.replace(self._path)

    def finish_rotation(self) -> None:
        """Nothing is sealed with the key before any more."""
        self._beside("old").unlink(missing_ok=True)

    @property
    def was_interrupted(self) -> bool:
        """Whether an earlier rotation did not come to its end."""
        return self._beside("old").exists()

    def _newest(self) -> bytes:
        if self._master_key is not None:
            return self._master_key
        if not self._path.exists():
            made = self._beside(secrets.token_hex(8))
            _write_key(made)
            try:
                os.link(made, self._path)  # of several processes that make one at once, the first is right
            except FileExistsError:
                pass
            finally:
                made.unlink()
        return _read_key(self._path)

    def _all(self) -> list[bytes]:
        keys = [key for key in (self._master_key, self._previous) if key is not None]
        return keys + [_read_key(path) for path in (self._path, self._beside("old")) if path.exists()]

    def _beside(self, ending: str) -> Path:
        return self._path.with_name(f"{FILE}.{ending}")


def _id(key: bytes) -> bytes:
    return sha256(b"gaugeway master key\0" + key).digest()[:_ID]


def _write_key(path: Path) -> None:
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.write(file, secrets.token_bytes(KEY_BYTES).hex().encode() + b"\n")
            os.fsync(file)
        finally:
            os.close(file)
    except OSError as problem:
        raise StoreUnusable(f"{path}: the master key cannot be written ({problem.strerror})") from problem


def _read_key(path: Path) -> bytes:
    try:
        key = bytes.fromhex(path.read_text().strip())
    except (OSError, ValueError) as problem:
        raise StoreUnusable(f"{path}: the master key cannot be read ({problem})") from problem
    if len(key) != KEY_BYTES:
        raise StoreUnusable(f"{path}: holds no master key of {KEY_BYTES} bytes in hex digits")
    return key
