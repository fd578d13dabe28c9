"""What WebSocket sessions report: OpenAI's Realtime API and Google's Live API. Sums over a session.

- OpenAI (platform.openai.com/docs/api-reference/realtime-server-events): each `response.done` has the usage of its
  response. A transcription of the input is another model's work, reported in an event of its own and billed by its
  own price, so a session with one has tokens but no cost that could be told from them.
- Google (ai.google.dev/api/live): `usageMetadata` comes with a turn, which `serverContent.turnComplete` ends. Where
  it comes several times within one turn, it is not documented whether the later takes the place of the earlier.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, cast

import msgspec
from msgspec import Raw, Struct

from gaugeway.core.model import Usage
from gaugeway.core.provider import Reported
from gaugeway.providers.formats.format import ABSENT, Counts, count, is_object, misfit, text

_TRANSCRIPTION = "its input is to be transcribed by another model, which is billed by a price of its own"
_UNFINISHED = "the session ended within a response, so not all of its usage was reported"
_COUNTS = (
    "tokens_in",
    "tokens_out",
    "cached_tokens_in",
    "reasoning_tokens",
    "audio_tokens_in",
    "audio_tokens_out",
)


def summed(one: Usage | None, more: Usage) -> Usage:
    """Two usages as one."""
    if one is None:
        return more
    values: dict[str, Any] = {}
    for name in _COUNTS:
        first, second = getattr(one, name), getattr(more, name)
        values[name] = second if first is None else first if second is None else first + second
    others: Counts = dict(one.other_units or {})
    for name, number in (more.other_units or {}).items():
        others[name] = others.get(name, 0) + number
    return Usage(**values, other_units=others or None, price_context=more.price_context or one.price_context)


class _Event(Struct):
    type: str = ""
    response: Raw = ABSENT
    session: Raw = ABSENT
    usage: Raw = ABSENT


class _CachedDetails(Struct):
    audio_tokens: Any = None
    image_tokens: Any = None


class _Details(Struct):
    cached_tokens: Any = None
    audio_tokens: Any = None
    image_tokens: Any = None
    reasoning_tokens: Any = None
    cached_tokens_details: _CachedDetails | None = None


class _Usage(Struct):
    input_tokens: Any = None
    output_tokens: Any = None
    input_token_details: _Details | None = None
    output_token_details: _Details | None = None


class _Response(Struct):
    usage: _Usage | None = None


class _Input(Struct):
    transcription: Any = None


class _Audio(Struct):
    input: _Input | None = None


class _Session(Struct):
    model: Any = None
    type: Any = None
    audio: _Audio | None = None
    input_audio_transcription: Any = None  # where the beta had it


_event = msgspec.json.Decoder(_Event)
_response = msgspec.json.Decoder(_Response)
_session = msgspec.json.Decoder(_Session)
_TRANSCRIBED = "conversation.item.input_audio_transcription.completed"
_SESSIONS = ("session.created", "session.updated")
_TRANSCRIPTIONS = ("transcription_session.created", "transcription_session.updated")
_MARKS = (
    b'"response.created"',
    b'"response.done"',
    *(b'"%b"' % name.encode() for name in (*_SESSIONS, *_TRANSCRIPTIONS)),
)
_TRANSCRIBED_MARK = b'"' + _TRANSCRIBED.encode() + b'"'


class OpenAIRealtime:
    """The tally of a session of OpenAI's Realtime API."""

    def __init__(self) -> None:
        self._usage: Usage | None = None
        self._model: str | None = None
        self._begun = 0
        self._done = 0
        self._gap: str | None = None
        self._transcribes = False

    @property
    def begun(self) -> int:
        """Responses that have begun."""
        return self._begun

    @property
    def over(self) -> int:
        """Those of them that have ended, with or without figures."""
        return self._done

    def uncounted(self) -> str | None:
        """What of the session no response reports: known before it costs anything, where that can be."""
        return self._gap or (_TRANSCRIPTION if self._transcribes else None)

    def read(self, message: bytes) -> None:
        """See SessionTally."""
        if not any(mark in message for mark in _MARKS) and _TRANSCRIBED_MARK not in message:
            return
        try:
            self._take(_event.decode(message))
        except (ValueError, RecursionError):
            self._gap = "a message of the session that may report usage could not be read"

    def _take(self, event: _Event) -> None:
        if event.type == "response.created":
            self._begun += 1
        elif event.type == "response.done":
            self._done += 1
            said = _response.decode(event.response) if is_object(event.response) else _Response()
            usage = None if said.usage is None else _of_response(said.usage)
            if usage is None:
                self._gap = "a response of the session reported no usage"
            else:
                self._usage = summed(self._usage, usage)
                self._gap = _misfit(said.usage) or self._gap
        elif event.type == _TRANSCRIBED:
            self._gap = "its input was transcribed by another model, which is billed by a price of its own"
        elif event.type in _TRANSCRIPTIONS:
            self._transcribes = True
        elif event.type in _SESSIONS and is_object(event.session):
            session = _session.decode(event.session)
            self._model = text(session.model) or self._model
            listens = (
                session.audio is not None and session.audio.input is not None and session.audio.input.transcription
            )
            self._transcribes = bool(
                listens or session.input_audio_transcription or session.type == "transcription"
            )

    def read_sent(self, message: bytes) -> None:
        """See SessionTally. The model is in the provider's own words."""

    def reported(self) -> Reported:
        """See SessionTally."""
        return Reported(usage=self._usage, model=self._model)

    def gap(self) -> str | None:
        """See SessionTally."""
        return _UNFINISHED if self._begun > self._done else self._gap


def _misfit(said: _Usage | None) -> str | None:
    """What is no count among the parts of a response's figures, in words."""
    if said is None:
        return None
    into, out = said.input_token_details, said.output_token_details
    return misfit(into, out, None if into is None else into.cached_tokens_details)


def _of_response(said: _Usage) -> Usage | None:
    tokens_in, tokens_out = count(said.input_tokens), count(said.output_tokens)
    if tokens_in is None or tokens_out is None:
        return None
    into, out = said.input_token_details or _Details(), said.output_token_details or _Details()
    cached = into.cached_tokens_details or _CachedDetails()
    others: Counts = {
        name: number
        for name, value in (
            ("input_image_tokens", into.image_tokens),
            ("cache_audio_read_tokens", cached.audio_tokens),
            ("cache_image_read_tokens", cached.image_tokens),
        )
        if (number := count(value))
    }
    return Usage(
        tokens_in=tokens_in,
        tokens_out=tokens_out,
        cached_tokens_in=count(into.cached_tokens),
        reasoning_tokens=count(out.reasoning_tokens),
        audio_tokens_in=count(into.audio_tokens),
        audio_tokens_out=count(out.audio_tokens),
        other_units=others or None,
    )


class _Content(Struct, rename="camel"):
    turn_complete: bool = False
    model_turn: Raw = ABSENT


class _ServerMessage(Struct, rename="camel"):
    usage_metadata: dict[str, Any] | None = None
    server_content: _Content | None = None


class _Setup(Struct):
    model: Any = None


class _ClientMessage(Struct):
    setup: _Setup | None = None


_message = msgspec.json.Decoder(_ServerMessage)
_sent = msgspec.json.Decoder(_ClientMessage)
_MODALITIES = {"AUDIO": "audio", "IMAGE": "image", "DOCUMENT": "image", "VIDEO": "video"}


class GeminiLive:
    """The tally of a session of Google's Live API."""

    def __init__(self) -> None:
        self._usage: Usage | None = None
        self._turn: Usage | None = None
        self._in_turn = False
        self._model: str | None = None
        self._gap: str | None = None

    def read_sent(self, message: bytes) -> None:
        """See SessionTally. The first message names the model."""
        if self._model is not None or b'"setup"' not in message:
            return
        with suppress(ValueError, RecursionError):
            setup = _sent.decode(message).setup
            named = None if setup is None else text(setup.model)
            self._model = None if named is None else named.rpartition("/")[2]

    def read(self, message: bytes) -> None:
        """See SessionTally."""
        if b"usageMetadata" not in message and b"serverContent" not in message:
            return
        try:
            said = _message.decode(message)
        except (ValueError, RecursionError):
            self._gap = "a message of the session that may report usage could not be read"
            return
        content = said.server_content
        if content is not None and content.model_turn is not ABSENT:
            self._in_turn = True
        if said.usage_metadata is not None:
            if self._turn is not None:
                self._gap = "the provider reported usage several times within a turn; how they add up is not known"
            self._turn = _of_turn(said.usage_metadata)
            if self._turn is None:
                self._gap = "a turn of the session reported usage that could not be read"
        if content is not None and content.turn_complete:
            self._end_turn()

    def _end_turn(self) -> None:
        if self._turn is not None:
            self._usage = summed(self._usage, self._turn)
        elif self._in_turn:
            self._gap = "a turn of the session reported no usage"
        self._turn, self._in_turn = None, False

    def reported(self) -> Reported:
        """See SessionTally."""
        usage = self._usage if self._turn is None else summed(self._usage, self._turn)
        return Reported(usage=usage, model=self._model)

    def gap(self) -> str | None:
        """See SessionTally."""
        return _UNFINISHED if self._in_turn else self._gap


def _of_turn(said: Mapping[str, Any]) -> Usage | None:
    prompt, tools = count(said.get("promptTokenCount")), count(said.get("toolUsePromptTokenCount"))
    answer, thoughts = count(said.get("responseTokenCount")), count(said.get("thoughtsTokenCount"))
    if prompt is None:
        return None
    parts: Counts = {}
    for field, form in (
        ("promptTokensDetails", "input_{}_tokens"),
        ("toolUsePromptTokensDetails", "input_{}_tokens"),
        ("responseTokensDetails", "output_{}_tokens"),
        ("cacheTokensDetails", "cache_{}_read_tokens"),
    ):
        _add_modalities(parts, form, said.get(field))
    audio_in, audio_out = count(parts.pop("input_audio_tokens", 0)), count(parts.pop("output_audio_tokens", 0))
    return Usage(
        tokens_in=prompt + (tools or 0),
        tokens_out=(answer or 0) + (thoughts or 0),
        cached_tokens_in=count(said.get("cachedContentTokenCount")),
        reasoning_tokens=thoughts,
        audio_tokens_in=audio_in,
        audio_tokens_out=audio_out,
        other_units=parts or None,
    )


def _add_modalities(parts: Counts, form: str, details: object) -> None:
    for detail in cast("list[Any]", details) if isinstance(details, list) else ():
        said = cast("dict[str, Any]", detail) if isinstance(detail, dict) else {}
        modality, tokens = _MODALITIES.get(str(said.get("modality"))), count(said.get("tokenCount"))
        if modality is not None and tokens:
            key = form.format(modality)
            parts[key] = parts.get(key, 0) + tokens
