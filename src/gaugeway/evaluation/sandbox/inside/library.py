"""What a program in a cell can import: what was loaded before the cell had no files any more, and nothing else."""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Sequence
from datetime import datetime
from importlib import import_module
from importlib.machinery import ModuleSpec
from types import ModuleType

MODULES = (
    "abc",
    "array",
    "ast",
    "base64",
    "binascii",
    "bisect",
    "calendar",
    "cmath",
    "collections",
    "collections.abc",
    "contextlib",
    "copy",
    "csv",
    "dataclasses",
    "datetime",
    "decimal",
    "difflib",
    "enum",
    "fnmatch",
    "fractions",
    "functools",
    "hashlib",
    "heapq",
    "hmac",
    "html",
    "html.parser",
    "io",
    "ipaddress",
    "itertools",
    "json",
    "keyword",
    "math",
    "numbers",
    "operator",
    "pprint",
    "random",
    "re",
    "shlex",
    "statistics",
    "string",
    "struct",
    "textwrap",
    "time",
    "token",
    "tokenize",
    "traceback",
    "types",
    "typing",
    "unicodedata",
    "urllib.parse",
    "uuid",
    "xml.etree.ElementTree",
    "zlib",
)
"""Of the standard library. What these import themselves is there, too."""
_CODECS = ("ascii", "base64", "cp1252", "hex", "idna", "latin-1", "punycode", "raw_unicode_escape", "rot13")
_MORE_CODECS = ("unicode_escape", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32")


class _NothingElse:
    """The only finder that is left in a cell."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """ModuleNotFoundError, whatever is looked for."""
        del path, target
        raise ModuleNotFoundError(f"there is no module {name!r} in the sandbox (docs/evaluators.md has the list)")


def load() -> None:
    """Import them, and have done for once what reads a file the first time that it is done."""
    for name in MODULES:
        import_module(name)
    for name in (*_CODECS, *_MORE_CODECS):
        import_module("encodings").search_function(name)
    hashlib.sha256(b"").hexdigest()
    datetime.strptime("2026", "%Y")  # noqa: DTZ007 - only so that its module is there
    time.localtime()


def close() -> None:
    """From now on there is nothing but what was loaded."""
    sys.meta_path[:] = [_NothingElse()]
    sys.path_hooks.clear()
    sys.path_importer_cache.clear()
    sys.path.clear()
