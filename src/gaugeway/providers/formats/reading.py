"""Reads what an answer says about itself, whatever has arrived of it. Nothing here raises."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

import msgspec
from msgspec import Raw, Struct

from gaugeway.core.provider import Reported
from gaugeway.providers.formats import fragments, sse
from gaugeway.providers.formats.format import Format

NOTHING = Reported()
_START = re.compile(rb"(?:\xef\xbb\xbf)?\s*([{\[]?)")
_EVENT = re.compile(rb"^(?:data|event|id|retry)?:", re.MULTILINE)
_Read = Callable[[Format[Any], bytes], Reported]
SNIFFED = 1024
"""Bytes within which a stream of events that is not called one must show its first line."""


class _Anything(Struct):
    """Takes any object, keeps nothing: tells whether a text is JSON."""


_CUT_OFF = "Input data was truncated"
"""msgspec's word for JSON that is sound as far as it goes."""
_object = msgspec.json.Decoder(_Anything)
_elements = msgspec.json.Decoder(list[Raw])


def read_response(formats: tuple[Format[Any], ...], content_type: str, body: bytes) -> Reported:
    """Usage and model by the first format that finds figures; else the model by the first that finds one."""
    opened = body[:1]
    if opened != b"{":
        start = _START.match(body)
        opened = start.group(1) if start else b""
    if opened == b"{":
        return _best(_read_object, formats, body)
    if opened == b"[":
        return _best(_read_array, formats, body)
    if content_type.startswith("text/event-stream") or _EVENT.search(body, 0, SNIFFED):
        return _best(_read_events, formats, sse.normalised(body))
    return NOTHING


def _best(read: _Read, formats: tuple[Format[Any], ...], body: bytes) -> Reported:
    best = NOTHING
    for form in formats:
        reported = read(form, body)
        if reported.usage is not None:
            return reported
        if best.model is None:
            best = reported
    return best


def _read_object(form: Format[Any], body: bytes) -> Reported:
    document = form.decode(body)
    if document is not None:
        return form.report((document,))
    trouble = _trouble(body)
    if trouble is None:  # sound JSON, but not this format's
        return NOTHING
    found: list[Any] = []
    opening = fragments.opening(body)
    if opening is not None:
        document = form.decode(opening + form.closing(body[: fragments.HEAD]))
        if document is not None:
            found.append(document)
    if trouble != _CUT_OFF:
        for at in fragments.places(body, form.markers):
            document = _from_line(form, body, at) or _from_fragment(form, body[at:], body)
            if document is not None:
                return form.report((*found, document))
    return form.report(found) if found else NOTHING


def _trouble(body: bytes) -> str | None:
    """What is wrong with the JSON; None: nothing."""
    try:
        _object.decode(body)
    except (ValueError, RecursionError) as problem:
        return str(problem)
    return None


def _from_line(form: Format[Any], body: bytes, at: int) -> Any:
    """A document on a line of its own, as in streams of JSON lines."""
    start = body.rfind(b"\n", 0, at) + 1
    stop = body.find(b"\n", at)
    return _with_usage(form, body[start : len(body) if stop < 0 else stop])


def _from_fragment(form: Format[Any], fragment: bytes, body: bytes) -> Any:
    """A document whose beginning is missing."""
    for wrapper in form.wrappers(body[: fragments.HEAD]):
        document = _with_usage(form, wrapper + fragment)
        if document is not None:
            return document
    return None


def _with_usage(form: Format[Any], data: bytes) -> Any:
    """The document, if it has figures and not just a place for them."""
    document = form.decode(data)
    return None if document is None or form.report((document,)).usage is None else document


def _read_array(form: Format[Any], body: bytes) -> Reported:
    for at in fragments.places(body, form.markers):
        last = fragments.element(body[at:])
        document = None if last is None else _with_usage(form, last)
        if document is not None:
            return form.report((*_beside_in_array(form, body), document))
    return NOTHING


def _beside_in_array(form: Format[Any], body: bytes) -> list[Any]:
    """What else has to be known, where the array is whole: elements with the format's keys beside the figures."""
    if not _has_beside(form, body):
        return []
    try:
        elements = _elements.decode(body)
    except (ValueError, RecursionError):
        return []
    return _decoded(form, (bytes(one) for one in elements if _has_beside(form, bytes(one))))


def _has_beside(form: Format[Any], body: bytes) -> bool:
    return any(key in body for key in form.beside)


def _decoded(form: Format[Any], documents: Iterable[bytes]) -> list[Any]:
    return [decoded for document in documents if (decoded := form.decode(document)) is not None]


def _read_events(form: Format[Any], body: bytes) -> Reported:
    found: tuple[Any, ...] = ()
    reported = NOTHING
    for candidate in sse.candidates(body, form.markers):
        document = form.decode(candidate.document)
        if document is not None:
            reported = form.report((document,))
        if reported.usage is None:
            document = _from_fragment(form, candidate.fragment, b"")
            reported = NOTHING if document is None else form.report((document,))
        if reported.usage is not None:
            found = (document,)
            break
    if found and _has_beside(form, body):
        others = [candidate.document for candidate in sse.candidates(body, form.beside)]
        found = (*reversed(_decoded(form, others)), *found)
        reported = form.report(found)
    if reported.model is not None and not form.opens_with_usage:
        return reported
    for data in sse.opening(body):
        document = form.decode(data)
        if document is not None:
            opened = form.report((document, *found))
            if opened.model is not None:
                return opened
    return reported
