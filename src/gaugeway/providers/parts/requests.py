"""What a request says about itself: model, kind, stream. Nothing here raises."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import Struct

from gaugeway.core.provider import Asked

MAX_MODEL = 256
"""Characters of a model's name; a longer text is no name."""
MAX_FORM_HEADERS = 4096
"""Bytes of a form part's headers."""
MAX_FORM_FIELD = 1024
"""Bytes of a form's field that is read."""
MAX_LOOKS = 16
"""Times a field's name is looked for among the bytes of files."""

KINDS: tuple[tuple[str, str], ...] = (
    ("chat/completions", "chat"),
    ("responses", "chat"),
    ("messages", "chat"),
    ("embeddings", "embeddings"),
    ("embed", "embeddings"),
    ("completions", "completions"),
    ("audio/transcriptions", "transcription"),
    ("audio/translations", "transcription"),
    ("audio/speech", "speech"),
    ("images/generations", "image"),
    ("images/edits", "image"),
    ("images/variations", "image"),
    ("moderations", "moderation"),
    ("rerank", "rerank"),
    ("chat", "chat"),
)
"""How a path ends, and the kind of model it asks for."""


class _Body(Struct, gc=False):
    model: Any = None
    stream: Any = None
    model_id: Any = None  # Cartesia, ElevenLabs


_decoder = msgspec.json.Decoder(_Body)


def read_request(rest: str, content_type: str, body: bytes) -> Asked:
    """Model, kind and stream of a request whose body names them: JSON, or a form."""
    kind = kind_of(rest)
    if content_type.startswith("multipart/form-data"):
        fields = form_fields(content_type, body, (b"model", b"stream"))
        stream = fields.get(b"stream", b"").strip().lower() in {b"true", b"1"}
        return Asked(model=model_name(_text(fields.get(b"model", b""))), model_type=kind, stream=stream)
    asked = decode_body(body)
    model = model_name(asked.model) or model_name(asked.model_id)
    return Asked(model=model, model_type=kind, stream=asked.stream is True)


def decode_body(body: bytes) -> _Body:
    """The fields of a JSON body, of whatever type they are."""
    if not body:
        return _Body()
    try:
        return _decoder.decode(body)
    except (ValueError, RecursionError):
        return _Body()


@lru_cache(maxsize=1024)
def kind_of(rest: str) -> str | None:
    """The kind of model a path asks for, where its end tells."""
    path = rest.rstrip("/")
    for ending, kind in KINDS:
        if path.endswith(ending) and path[-len(ending) - 1 : -len(ending)] in {"", "/"}:
            return kind
    return None


def model_name(value: object) -> str:
    """The value where it is a name, else an empty text."""
    return value if isinstance(value, str) and len(value) <= MAX_MODEL and value.isprintable() else ""


def form_fields(content_type: str, body: bytes, wanted: tuple[bytes, ...]) -> dict[bytes, bytes]:
    """The named fields of a multipart/form-data body, those that are short texts; files are passed over."""
    boundary = _boundary(content_type)
    if not boundary:
        return {}
    delimiter = b"--" + boundary
    found: dict[bytes, bytes] = {}
    for name in wanted:
        value = _field(body, delimiter, b' name="' + name + b'"')
        if value is not None:
            found[name] = value
    return found


def _field(body: bytes, delimiter: bytes, name: bytes) -> bytes | None:
    """A part's content. The name counts only in a part's headers: after a delimiter, before an empty line."""
    at = body.find(name)
    for _ in range(MAX_LOOKS):
        if at < 0:
            return None
        head = body.rfind(delimiter, max(0, at - MAX_FORM_HEADERS), at)
        start = body.find(b"\r\n\r\n", at, at + MAX_FORM_HEADERS)
        if head >= 0 and start >= 0 and b"\r\n\r\n" not in body[head:at]:
            end = body.find(b"\r\n" + delimiter, start + 2, start + 4 + MAX_FORM_FIELD)
            return body[start + 4 : max(end, start + 4)] if end >= 0 else None
        at = body.find(name, at + 1)
    return None


def _boundary(content_type: str) -> bytes:
    match = re.search(r'boundary=(?:"([^"]{1,70})"|([^\s;]{1,70}))', content_type)
    return (match.group(1) or match.group(2)).encode("latin-1", "replace") if match else b""


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")
