"""Regular expressions by RE2: matched in linear time, whatever the pattern and the text.

There is no look-around, and there are no back-references.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any, Protocol

_re2: Any = import_module("re2")  # it has no types

MAX_PROGRAM_BYTES = 64 << 20
"""What a compiled pattern may take, where less is not asked for."""


class Match(Protocol):
    """Where a pattern was found."""

    def group(self, number: int = 0) -> str: ...


class Pattern(Protocol):
    """A compiled pattern."""

    def search(self, text: str) -> Match | None: ...
    def fullmatch(self, text: str) -> Match | None: ...
    def sub(self, replacement: Callable[[Match], str], text: str) -> str: ...


def compile_linear(pattern: str, *, ignore_case: bool = False, max_bytes: int = MAX_PROGRAM_BYTES) -> Pattern:
    """Compile to at most `max_bytes`; ValueError that says what RE2 does not take."""
    options = _re2.Options()
    options.case_sensitive = not ignore_case
    options.max_mem = max_bytes
    options.log_errors = False
    try:
        return _re2.compile(pattern, options)
    except _re2.error as problem:
        told: object = problem.args[0] if problem.args else problem
        why = told.decode(errors="replace") if isinstance(told, bytes) else str(told)
        raise ValueError(f"no regular expression that RE2 knows: {why[:200]}") from problem
    except UnicodeEncodeError as problem:
        raise ValueError("not valid Unicode") from problem


def any_literal(texts: Iterable[str]) -> str:
    """A pattern for any of these texts as they are, the longest first."""
    return "|".join(_re2.escape(text) for text in sorted(set(texts), key=len, reverse=True))
