"""Text that repeats in logs (providers, models, content types …) as small numbers.

A word keeps its code for ever, so codes may be cached by every process. The table stays small whatever is sent:
a kind takes MAX_WORDS words of MAX_LENGTH characters, after which a log carries the text itself; the kind is
then `spilled`, and filters look at both.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from enum import IntEnum
from typing import Any

import apsw

from gaugeway.stores.sqlite.connection import Connection
from gaugeway.stores.sqlite.database import Database

MAX_WORDS = 4096
MAX_LENGTH = 512


class Word(IntEnum):
    """What a word is. The numbers are stored: they never change."""

    PROVIDER = 1
    MODEL = 2
    MODEL_TYPE = 3
    REQUEST_TYPE = 4
    REQUEST_CONTENT_TYPE = 5
    RESPONSE_CONTENT_TYPE = 6
    USER_AGENT = 7
    PATH = 8
    METADATA_KEYS = 9


COLUMN_WORDS = {
    "provider": Word.PROVIDER,
    "model": Word.MODEL,
    "model_type": Word.MODEL_TYPE,
    "request_type": Word.REQUEST_TYPE,
    "request_content_type": Word.REQUEST_CONTENT_TYPE,
    "response_content_type": Word.RESPONSE_CONTENT_TYPE,
    "user_agent": Word.USER_AGENT,
}
"""The columns of a log that are filtered by, and what their words are."""


class Codes(dict[str | None, int | str | None]):
    """What logs say for the texts of one kind: a code, or the text itself where it has none. None says None."""

    def __init__(self, words: Words, kind: Word) -> None:
        super().__init__({None: None})
        self._words = words
        self._kind = kind

    def __missing__(self, text: str) -> int | str:
        return self._words.add(self._kind, text)


class Words:
    """The words of one database, with what this process has seen of them in memory."""

    def __init__(self) -> None:
        self._codes = {kind: Codes(self, kind) for kind in Word}
        self._texts: dict[Word, dict[int, str]] = {kind: {} for kind in Word}
        self._full: set[Word] = set()
        self._spilled: set[Word] = set()
        self._one_at_a_time = threading.Lock()
        self._connection: Connection | None = None
        self._added: dict[tuple[Word, str], int] = {}
        self._spilling: set[Word] = set()

    def __getitem__(self, kind: Word) -> Codes:
        """What logs say for the texts of a kind. New texts can be looked up within `adding` only."""
        return self._codes[kind]

    @contextmanager
    def adding(self, database: Database) -> Generator[Connection]:
        """A write transaction in which new texts get codes; they are remembered once it is committed."""
        with self._one_at_a_time:
            try:
                with database.writing() as connection:
                    self._connection = connection
                    yield connection
                for (kind, text), code in self._added.items():
                    self._remember(kind, text, code)
                self._spilled |= self._spilling
            finally:
                self._connection = None
                self._added.clear()
                self._spilling.clear()

    def add(self, kind: Word, text: str) -> int | str:
        """The text's code, made now if it has none; or the text, where it gets none. Within `adding`."""
        connection = self._connection
        if connection is None:
            raise RuntimeError("words are added within Words.adding")
        added = self._added.get((kind, text))
        if added is not None:
            return added
        if len(text) <= MAX_LENGTH:
            row = connection.execute("SELECT code FROM words WHERE kind = ? AND text = ?", (kind, text)).get
            if row is not None:
                self._remember(kind, text, row)
                return row
            if kind not in self._full:
                code: int = connection.execute(
                    "SELECT coalesce(max(code), 0) + 1 FROM words WHERE kind = ?", (kind,)
                ).get
                if code <= MAX_WORDS:
                    connection.execute("INSERT INTO words (kind, code, text) VALUES (?, ?, ?)", (kind, code, text))
                    self._added[kind, text] = code
                    return code
                self._full.add(kind)
        if kind not in self._spilled and kind not in self._spilling:
            connection.execute("INSERT OR IGNORE INTO spilled (kind) VALUES (?)", (kind,))
            self._spilling.add(kind)
        return text

    def text(self, connection: Connection, kind: Word, value: int | str | None) -> str | None:
        """What a log's column says: a code's text, or the text that it is."""
        if not isinstance(value, int):
            return value
        text = self._texts[kind].get(value)
        if text is None:
            text = connection.execute("SELECT text FROM words WHERE kind = ? AND code = ?", (kind, value)).get
            if text is None:
                raise apsw.CorruptError(f"word {value} of kind {kind.name} does not exist")
            self._remember(kind, text, value)
        return text

    def find(self, connection: Connection, kind: Word, text: str) -> int | None:
        """The text's code, if it has one."""
        code: Any = self._codes[kind].get(text)
        if code is None:
            code = connection.execute("SELECT code FROM words WHERE kind = ? AND text = ?", (kind, text)).get
            if code is not None:
                self._remember(kind, text, code)
        return code

    def matching(self, connection: Connection, kind: Word, accepts: Callable[[str], bool]) -> list[int]:
        """The codes of all words that `accepts` takes."""
        rows = connection.execute("SELECT code, text FROM words WHERE kind = ?", (kind,))
        return [code for code, text in rows if accepts(text)]

    def has_spilled(self, connection: Connection, kind: Word) -> bool:
        """Whether logs may carry texts of this kind themselves."""
        if kind not in self._spilled and connection.execute("SELECT 1 FROM spilled WHERE kind = ?", (kind,)).get:
            self._spilled.add(kind)
        return kind in self._spilled

    def _remember(self, kind: Word, text: str, code: int) -> None:
        self._codes[kind][text] = code
        self._texts[kind][code] = text
