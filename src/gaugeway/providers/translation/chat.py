"""A chat completion as OpenAI's clients ask for it, after openai-python's types (CompletionCreateParams).

Decoding is strict: a field that is not known, or not of its type, is refused with its place. Null is "not said".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Raw, Struct

from gaugeway.core.errors import BadInput

ABSENT = Raw()
"""Stands in a field of raw JSON for its absence."""

_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`", re.DOTALL)


class _Strict(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """Refuses what it does not know."""


# --- parts of messages


class Text(_Strict, tag_field="type", tag="text"):
    """A piece of text."""

    text: str
    cache_control: Raw = ABSENT  # Anthropic's own


class ImageUrl(_Strict):
    """Where an image is, or the image itself as a data URL."""

    url: str
    detail: str | None = None


class Image(_Strict, tag_field="type", tag="image_url"):
    """An image."""

    image_url: ImageUrl
    cache_control: Raw = ABSENT


class AudioData(_Strict):
    """Base64 and its format."""

    data: str
    format: str


class Audio(_Strict, tag_field="type", tag="input_audio"):
    """A recording."""

    input_audio: AudioData


class FileData(_Strict):
    """A data URL, or the id of a file at OpenAI."""

    file_data: str | None = None
    file_id: str | None = None
    filename: str | None = None


class File(_Strict, tag_field="type", tag="file"):
    """A document."""

    file: FileData
    cache_control: Raw = ABSENT


class Refusal(_Strict, tag_field="type", tag="refusal"):
    """What the model said instead of an answer."""

    refusal: str


Part = Text | Image | Audio | File | Refusal
Content = str | list[Part]

# --- messages


class System(_Strict, tag_field="role", tag="system"):
    """Instructions."""

    content: Content
    name: str | None = None


class Developer(_Strict, tag_field="role", tag="developer"):
    """Instructions, by their newer name."""

    content: Content
    name: str | None = None


class User(_Strict, tag_field="role", tag="user"):
    """What the user says."""

    content: Content
    name: str | None = None


class CalledFunction(_Strict):
    """A function's name, and its arguments as JSON in a text."""

    name: str
    arguments: str = ""


class ToolCall(_Strict):
    """One call of a tool, in an answer of the model."""

    id: str
    type: str = "function"
    function: CalledFunction | None = None
    custom: Any = None
    index: int | None = None
    extra_content: Any = None  # Google's own: {"google": {"thought_signature": …}}


class Assistant(_Strict, tag_field="role", tag="assistant"):
    """An earlier answer of the model, as it was given."""

    content: Content | None = None
    refusal: str | None = None
    name: str | None = None
    audio: Any = None
    annotations: Any = None
    function_call: Any = None
    tool_calls: list[ToolCall] | None = None
    reasoning_content: str | None = None  # ours, and many others': the text of its thinking
    thinking_blocks: list[Raw] | None = None  # ours: Anthropic's thinking with its signatures


class ToolResult(_Strict, tag_field="role", tag="tool"):
    """What a tool answered."""

    content: Content
    tool_call_id: str


Message = System | Developer | User | Assistant | ToolResult

# --- parameters


class Function(_Strict):
    """A function that the model may call."""

    name: str
    description: str | None = None
    parameters: Raw = ABSENT
    strict: bool | None = None


class Tool(_Strict):
    """A tool; functions are the only kind that others know."""

    type: str
    function: Function | None = None
    custom: Any = None
    cache_control: Raw = ABSENT


class FunctionName(_Strict):
    """A function by its name."""

    name: str


class ToolChoice(_Strict):
    """A certain tool."""

    type: str
    function: FunctionName | None = None
    custom: Any = None
    allowed_tools: Any = None


class JsonSchema(_Strict):
    """The form an answer must have."""

    name: str
    description: str | None = None
    schema: Raw = ABSENT
    strict: bool | None = None


class ResponseFormat(_Strict):
    """What an answer must be."""

    type: str
    json_schema: JsonSchema | None = None


class StreamOptions(_Strict):
    """What a stream shall contain."""

    include_usage: bool | None = None
    include_obfuscation: bool | None = None


class ChatRequest(_Strict):
    """The body. Fields of type Any are refused by every translation, whatever they hold."""

    messages: list[Message]
    model: Any = None
    audio: Any = None
    frequency_penalty: float | None = None
    function_call: Any = None
    functions: Any = None
    logit_bias: Any = None
    logprobs: bool | None = None
    max_completion_tokens: int | None = None
    max_tokens: int | None = None
    metadata: Any = None
    modalities: list[str] | None = None
    moderation: Any = None
    n: int | None = None
    parallel_tool_calls: bool | None = None
    prediction: Any = None
    presence_penalty: float | None = None
    prompt_cache_key: Any = None
    prompt_cache_options: Any = None
    prompt_cache_retention: Any = None
    reasoning_effort: str | None = None
    response_format: ResponseFormat | None = None
    safety_identifier: str | None = None
    seed: int | None = None
    service_tier: str | None = None
    stop: str | list[str] | None = None
    store: bool | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    temperature: float | None = None
    tool_choice: str | ToolChoice | None = None
    tools: list[Tool] | None = None
    top_logprobs: int | None = None
    top_p: float | None = None
    user: str | None = None
    verbosity: Any = None
    web_search_options: Any = None

    @property
    def wants_usage(self) -> bool:
        """Whether a stream shall end with its figures."""
        return self.stream_options is not None and self.stream_options.include_usage is True

    @property
    def limit(self) -> int | None:
        """The most tokens of the answer."""
        return self.max_tokens if self.max_completion_tokens is None else self.max_completion_tokens

    @property
    def stops(self) -> list[str]:
        """Texts at which the model stops."""
        return [self.stop] if isinstance(self.stop, str) else self.stop or []


NEUTRAL: Mapping[str, tuple[Any, ...]] = {
    "frequency_penalty": (0,),
    "presence_penalty": (0,),
    "logit_bias": ({},),
    "logprobs": (False,),
    "metadata": ({},),
    "modalities": (["text"],),
    "n": (1,),
    "parallel_tool_calls": (True,),
    "service_tier": ("auto",),
    "store": (False,),
    "verbosity": ("medium",),
    "tools": ([],),
}
"""Values that ask for nothing: they are what holds without them."""

NOT_OPENAIS = "belongs to OpenAI's own service"
COMMON_REFUSALS: Mapping[str, str] = {
    "audio": "spoken answers are not translated",
    "function_call": "is OpenAI's older form; use tool_choice",
    "functions": "is OpenAI's older form; use tools",
    "logit_bias": "there is no counterpart: tokens are numbered differently",
    "logprobs": "log probabilities are not translated",
    "metadata": f"{NOT_OPENAIS}; for the gateway's log send the header cf-aig-metadata",
    "modalities": "only text is translated",
    "moderation": NOT_OPENAIS,
    "prediction": NOT_OPENAIS,
    "prompt_cache_key": NOT_OPENAIS,
    "prompt_cache_options": NOT_OPENAIS,
    "prompt_cache_retention": NOT_OPENAIS,
    "store": NOT_OPENAIS,
    "top_logprobs": "log probabilities are not translated",
    "verbosity": "there is no counterpart; say it in the prompt",
    "web_search_options": "the provider's own search is not translated; use its own path",
}
"""What no other provider takes, and why."""

_decoder = msgspec.json.Decoder(ChatRequest)


def decode(body: bytes, refused: Mapping[str, str]) -> ChatRequest:
    """The request; raises BadInput with a path for what is unknown, of a wrong type, or among the `refused`."""
    try:
        chat = _decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as problem:
        raise placed(str(problem)) from None
    for name, reason in refused.items():
        value = getattr(chat, name)
        if value is not None and value not in NEUTRAL.get(name, ()):
            raise BadInput(reason, (name,))
    _check(chat)
    return chat


def placed(problem: str) -> BadInput:
    """The sentence of msgspec, with its place as a path."""
    message, _, where = problem.partition(" - at `$.")
    where = where.rstrip("`")
    if unknown := _UNKNOWN.fullmatch(message):
        return BadInput("is not known", (f"{where}.{unknown.group(1)}" if where else unknown.group(1),))
    return BadInput(message, (where,) if where else ())


def _check(chat: ChatRequest) -> None:
    """What holds whatever the provider."""
    if not chat.messages:
        raise BadInput("is empty", ("messages",))
    if chat.max_tokens is not None and chat.max_completion_tokens not in (None, chat.max_tokens):
        raise BadInput("differs from max_completion_tokens; give one of them", ("max_tokens",))
    if chat.limit is not None and chat.limit < 1:
        raise BadInput("must be at least 1", ("max_tokens",))
    if chat.stream_options is not None:
        if not chat.stream:
            raise BadInput("is only for streams: set stream to true", ("stream_options",))
        if chat.stream_options.include_obfuscation:
            raise BadInput(NOT_OPENAIS, ("stream_options", "include_obfuscation"))
    for index, message in enumerate(chat.messages):
        if not isinstance(message, ToolResult) and message.name is not None:
            raise BadInput(
                "participants have no names there; write it into the content", ("messages", index, "name")
            )


def is_given(raw: Raw) -> bool:
    """Whether a raw field is there, and not null."""
    return bytes(raw) not in (b"", b"null")
