"""Certificates of a CA that nobody else trusts, made by the openssl command."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from pathlib import Path

OPENSSL = shutil.which("openssl")


class Authority:
    """A CA in a folder."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder / name
        self._folder.mkdir()
        self._key, self.certificate = self._folder / "ca.key", self._folder / "ca.pem"
        self._openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
            "-subj", f"/CN={name}", "-keyout", str(self._key), "-out", str(self.certificate),
        )  # fmt: skip

    def server(self, *names: str) -> ssl.SSLContext:
        """A server's side, with a certificate for "DNS:…" and "IP:…" names."""
        request, leaf = self._folder / "leaf.csr", self._folder / "leaf.pem"
        key, extensions = self._folder / "leaf.key", self._folder / "leaf.ext"
        extensions.write_text(f"subjectAltName={','.join(names)}\n")
        self._openssl(
            "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=upstream",
            "-keyout", str(key), "-out", str(request),
        )  # fmt: skip
        self._openssl(
            "x509", "-req", "-in", str(request), "-CA", str(self.certificate), "-CAkey", str(self._key),
            "-CAcreateserial", "-days", "1", "-extfile", str(extensions), "-out", str(leaf),
        )  # fmt: skip
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(leaf, key)
        return context

    def trusting_client(self) -> ssl.SSLContext:
        """A client's side that trusts this CA and no other."""
        return ssl.create_default_context(cafile=str(self.certificate))

    def _openssl(self, *arguments: str) -> None:
        assert OPENSSL is not None
        subprocess.run([OPENSSL, *arguments], check=True, capture_output=True)
