"""Chat completions on Vertex AI: Gemini's and Claude's formats, with Vertex's paths and its version for Claude."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gaugeway.core.errors import BadInput
from gaugeway.core.provider import Translated
from gaugeway.providers.translation.anthropic import AnthropicMessages
from gaugeway.providers.translation.gemini import GeminiContents
from gaugeway.providers.translation.vertex import VertexModels

BODY: dict[str, Any] = {
    "messages": [{"role": "system", "content": "A"}, {"role": "user", "content": "Hi"}],
    "max_tokens": 5,
    "stop": "END",
}


def call(model: str, **more: Any) -> Translated:
    return VertexModels().request(model, json.dumps(BODY | more).encode(), reply_id="chatcmpl-1", created=7)


@pytest.mark.parametrize(
    ("model", "stream", "path", "query"),
    [
        ("google/gemini-2.5-pro", False, "v1/publishers/google/models/gemini-2.5-pro:generateContent", b""),
        (
            "google/gemini-2.5-pro",
            True,
            "v1/publishers/google/models/gemini-2.5-pro:streamGenerateContent",
            b"alt=sse",
        ),
        ("anthropic/claude-x@1", False, "v1/publishers/anthropic/models/claude-x@1:rawPredict", b""),
        ("anthropic/claude-x@1", True, "v1/publishers/anthropic/models/claude-x@1:streamRawPredict", b""),
        ("google/a/../b", False, "v1/publishers/google/models/a%2F..%2Fb:generateContent", b""),
    ],
)
def test_paths(model: str, stream: bool, path: str, query: bytes) -> None:
    made = call(model, stream=stream)
    assert (made.path, made.query, made.is_stream) == (path, query, stream)


def test_gemini_is_geminis() -> None:
    own = GeminiContents().request("gemini-2.5-pro", json.dumps(BODY).encode(), reply_id="chatcmpl-1", created=7)
    assert call("google/gemini-2.5-pro").body == own.body


def test_claude_is_anthropics_but_for_model_and_version() -> None:
    own = json.loads(AnthropicMessages().request("m", json.dumps(BODY).encode(), reply_id="x", created=7).body)
    made = json.loads(call("anthropic/claude-x@1").body)
    assert made.pop("anthropic_version") == "vertex-2023-10-16"
    assert own.pop("model") == "m"
    assert made == own
    assert json.loads(call("anthropic/claude-x@1", stream=True).body)["stream"] is True


def test_answers_come_back() -> None:
    claude = {"id": "m", "type": "message", "model": "c", "content": [{"type": "text", "text": "Hello"}]}
    gemini = {"candidates": [{"content": {"parts": [{"text": "Hello"}]}, "finishReason": "STOP"}]}
    for model, said in (("anthropic/c", claude), ("google/g", gemini)):
        made = json.loads(call(model).answer(json.dumps(said).encode()))
        assert made["choices"][0]["message"]["content"] == "Hello"


@pytest.mark.parametrize("model", ["gemini-2.5-pro", "meta/llama", "google/", "anthropic", ""])
def test_other_publishers_are_refused_by_name(model: str) -> None:
    with pytest.raises(BadInput, match="google-vertex-ai/anthropic/") as refused:
        call(model)
    assert refused.value.path == ("model",)
