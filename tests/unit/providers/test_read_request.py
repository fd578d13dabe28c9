"""Model, kind and stream of requests: from JSON, forms and paths; hostile input says nothing."""

from __future__ import annotations

import json

import pytest

from gaugeway.core.provider import Asked
from gaugeway.providers import load
from gaugeway.providers.custom import custom

PROVIDERS = load() | {"custom": custom("mine", "https://llm.example")}
JSON = "application/json"


def asked(slug: str, rest: str, body: object, content_type: str = JSON) -> Asked:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return PROVIDERS[slug].read_request(rest, content_type, raw)


CHAT = {"messages": [{"role": "user", "content": '"model": "trap"'}], "model": "gpt-4o", "stream": True}


@pytest.mark.parametrize(
    ("slug", "rest", "body", "expected"),
    [
        ("openai", "chat/completions", CHAT, Asked(model="gpt-4o", model_type="chat", stream=True)),
        ("openai", "v1/responses", {"model": "o3", "input": "x"}, Asked(model="o3", model_type="chat")),
        ("openai", "v1/embeddings", {"model": "e", "input": "x"}, Asked(model="e", model_type="embeddings")),
        ("openai", "v1/completions", {"model": "i"}, Asked(model="i", model_type="completions")),
        ("openai", "images/generations", {"model": "gpt-image-1"}, Asked(model="gpt-image-1", model_type="image")),
        ("openai", "models", b"", Asked()),
        ("anthropic", "v1/messages", CHAT, Asked(model="gpt-4o", model_type="chat", stream=True)),
        ("anthropic", "v1/messages/count_tokens", CHAT, Asked(model="gpt-4o", stream=True)),
        ("google-ai-studio", "v1beta/models/gemini-2.5-pro:generateContent", {"contents": []},
         Asked(model="gemini-2.5-pro", model_type="chat")),
        ("google-ai-studio", "v1beta/models/gemini-2.5-pro:streamGenerateContent", b"\xff",
         Asked(model="gemini-2.5-pro", model_type="chat", stream=True)),
        ("google-ai-studio", "models/text-embedding-004:batchEmbedContents", b"",
         Asked(model="text-embedding-004", model_type="embeddings")),
        ("google-ai-studio", "v1beta/tunedModels/mine-x:generateContent", b"",
         Asked(model="mine-x", model_type="chat")),
        ("google-ai-studio", "v1beta/openai/chat/completions", CHAT,
         Asked(model="gpt-4o", model_type="chat", stream=True)),
        ("google-ai-studio", "v1beta/models", b"", Asked()),
        ("workers-ai", "@cf/meta/llama-3.1-8b-instruct", {"prompt": "x", "stream": True},
         Asked(model="@cf/meta/llama-3.1-8b-instruct", stream=True)),
        ("workers-ai", "run/%40cf/meta/llama", b"", Asked(model="@cf/meta/llama")),
        ("workers-ai", "v1/chat/completions", {"model": "@cf/a/b"}, Asked(model="@cf/a/b", model_type="chat")),
        ("cohere", "v2/chat", {"model": "command-a", "stream": True},
         Asked(model="command-a", model_type="chat", stream=True)),
        ("cohere", "v2/embed", {"model": "embed-v4.0"}, Asked(model="embed-v4.0", model_type="embeddings")),
        ("cohere", "v2/rerank", {"model": "rerank-v3.5"}, Asked(model="rerank-v3.5", model_type="rerank")),
        ("replicate", "models/meta/llama-3/predictions", {"input": {}}, Asked(model="meta/llama-3")),
        ("elevenlabs", "v1/text-to-speech/v", {"model_id": "eleven_v3"}, Asked(model="eleven_v3")),
        ("fal", "fal-ai/flux/dev", {"prompt": "x"}, Asked(model="fal-ai/flux/dev")),
        ("custom", "any/chat/completions", CHAT, Asked(model="gpt-4o", model_type="chat", stream=True)),
    ],
)  # fmt: skip
def test_what_a_request_says(slug: str, rest: str, body: object, expected: Asked) -> None:
    assert asked(slug, rest, body) == expected


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[1]",
        b'"model"',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"model":["x"],"stream":"yes"}',
        b'{"model":{"x":1},"stream":1}',
        b'{"model":1e999}',
        b'{"model":' + b"9" * 5000 + b"}",
        b'{"model":"\xff\xfe"}',
        b'{"model":"\\ud800"}',
        b'{"model":"a\\nb"}',
        b'{"model":"' + b"x" * 257 + b'"}',
        b"model=gpt-4o",
    ],
)
def test_a_body_that_cannot_be_read_says_nothing(body: bytes) -> None:
    assert asked("openai", "x", body) == Asked()


def form(*parts: bytes, boundary: bytes = b"XyZ") -> bytes:
    return b"".join(b"--" + boundary + b"\r\n" + part + b"\r\n" for part in parts) + b"--" + boundary + b"--\r\n"


FILE = b'Content-Disposition: form-data; name="file"; filename="a.wav"\r\nContent-Type: audio/wav\r\n\r\n'
MODEL = b'Content-Disposition: form-data; name="model"\r\n\r\nwhisper-1'
STREAM = b'Content-Disposition: form-data; name="stream"\r\n\r\ntrue'
FORM = 'multipart/form-data; boundary="XyZ"'


@pytest.mark.parametrize("content_type", [FORM, "multipart/form-data; boundary=XyZ; charset=utf-8"])
def test_a_form_names_its_model(content_type: str) -> None:
    expected = Asked(model="whisper-1", model_type="transcription", stream=True)
    for parts in ((FILE + b"\0\1\2" * 9999, MODEL, STREAM), (STREAM, MODEL, FILE + b"RIFF")):
        assert asked("openai", "audio/transcriptions", form(*parts), content_type) == expected


@pytest.mark.parametrize(
    "body",
    [
        form(FILE + b'Content-Disposition: form-data; name="model"\r\n\r\ntrap'),
        form(FILE.replace(b"a.wav", b"model")),
        form(MODEL)[:-8],
        form(MODEL, boundary=b"other"),
        form(b'Content-Disposition: form-data; name="model"\r\n\r\n' + b"x" * 5000),
        b' name="model"' * 10_000,
        b"",
    ],
)
def test_a_form_without_a_model_says_nothing(body: bytes) -> None:
    assert asked("openai", "audio/transcriptions", body, FORM).model == ""


def test_a_files_bytes_do_not_hide_the_model() -> None:
    trap = FILE + b'name="model" x; name="model"\r\n\r\n'
    assert asked("openai", "x", form(trap, MODEL), FORM).model == "whisper-1"
