"""A build of the front-end, read into memory: each file with its type and its compressed forms."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

FOLDER = Path(__file__).parent / "static"
"""Where `dashboard/build.py` puts the build."""

INDEX = "index.html"
ENCODINGS = (("br", ".br"), ("gzip", ".gz"))
"""In the order of preference."""

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".woff2": "font/woff2",
}


class File(Struct, frozen=True):
    """One file of the build."""

    content_type: str
    plain: bytes
    encoded: dict[str, bytes]  # content coding → bytes


def read_build(folder: Path) -> dict[str, File] | None:
    """The build's files by their paths (`/assets/…`), or None where there is none.

    A file whose type is not among those a build makes is left out.
    """
    if not (folder / INDEX).is_file():
        return None
    files: dict[str, File] = {}
    for path in sorted(folder.rglob("*")):
        kind = _TYPES.get(path.suffix)
        if kind is None or not path.is_file():
            continue
        encoded = {
            coding: packed.read_bytes()
            for coding, ending in ENCODINGS
            if (packed := path.with_name(path.name + ending)).is_file()
        }
        files["/" + path.relative_to(folder).as_posix()] = File(kind, path.read_bytes(), encoded)
    return files
