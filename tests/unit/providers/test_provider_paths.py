"""From what followed the slug to the upstream's URL: versions mended, nothing leads out of the base."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaugeway.core.errors import BadInput
from gaugeway.core.provider import Provider, Request, placing_of
from gaugeway.providers import load
from gaugeway.providers.custom import custom
from gaugeway.providers.parts.paths import checked

PROVIDERS = load()
ACCOUNT = "0123456789abcdef0123456789abcdef"
OWN = custom("mine", "https://llm.example/base/")


def url(slug: str, rest: str) -> str:
    provider: Provider = OWN if slug == "custom" else PROVIDERS[slug]
    placing = placing_of(provider)
    if placing is None:
        return provider.base_url + provider.upstream_path(rest, ACCOUNT)
    placed = placing.place(Request(rest=rest, query=b"", headers=[]), [])
    return f"https://{placed.host}" + provider.upstream_path(placed.rest, ACCOUNT)


GOOGLE = "https://generativelanguage.googleapis.com"
VERTEX = "https://aiplatform.googleapis.com"
VERTEX_EAST = "https://us-east5-aiplatform.googleapis.com"
CLOUDFLARE = f"https://api.cloudflare.com/client/v4/accounts/{ACCOUNT}/ai"
TABLE = [
    ("openai", "chat/completions", "https://api.openai.com/v1/chat/completions"),
    ("openai", "v1/chat/completions", "https://api.openai.com/v1/chat/completions"),
    ("openai", "v1/v1/chat/completions", "https://api.openai.com/v1/chat/completions"),
    ("openai", "/v1//chat/completions", "https://api.openai.com/v1/chat/completions"),
    ("openai", "responses/resp_1/input_items", "https://api.openai.com/v1/responses/resp_1/input_items"),
    ("openai", "v1", "https://api.openai.com/v1/"),
    ("openai", "", "https://api.openai.com/v1/"),
    ("openai", "v1beta/models", "https://api.openai.com/v1/v1beta/models"),
    ("openai", "files/a%2Fb%20c/content", "https://api.openai.com/v1/files/a%2Fb%20c/content"),
    ("anthropic", "v1/messages", "https://api.anthropic.com/v1/messages"),
    ("anthropic", "messages", "https://api.anthropic.com/v1/messages"),
    ("anthropic", "v1/v1/messages", "https://api.anthropic.com/v1/messages"),
    ("anthropic", "v1/messages/count_tokens", "https://api.anthropic.com/v1/messages/count_tokens"),
    ("google-ai-studio", "v1beta/models/gemini-2.5-pro:generateContent",
     GOOGLE + "/v1beta/models/gemini-2.5-pro:generateContent"),
    ("google-ai-studio", "v1/models/g:generateContent", GOOGLE + "/v1/models/g:generateContent"),
    ("google-ai-studio", "models/g:generateContent", GOOGLE + "/v1beta/models/g:generateContent"),
    ("google-ai-studio", "v1beta/v1beta/models/g", GOOGLE + "/v1beta/models/g"),
    ("google-ai-studio", "v1/v1beta/models/g", GOOGLE + "/v1beta/models/g"),
    ("google-ai-studio", "upload/v1beta/files", GOOGLE + "/upload/v1beta/files"),
    ("google-ai-studio", "v1beta/openai/chat/completions", GOOGLE + "/v1beta/openai/chat/completions"),
    ("workers-ai", "@cf/meta/llama-3.1-8b-instruct", CLOUDFLARE + "/run/@cf/meta/llama-3.1-8b-instruct"),
    ("workers-ai", "run/@cf/meta/llama-3.1-8b-instruct", CLOUDFLARE + "/run/@cf/meta/llama-3.1-8b-instruct"),
    ("workers-ai", "ai/run/@cf/a/b", CLOUDFLARE + "/run/@cf/a/b"),
    ("workers-ai", "v1/chat/completions", CLOUDFLARE + "/v1/chat/completions"),
    ("workers-ai", "chat/completions", CLOUDFLARE + "/v1/chat/completions"),
    ("workers-ai", "v1/v1/embeddings", CLOUDFLARE + "/v1/embeddings"),
    ("groq", "chat/completions", "https://api.groq.com/openai/v1/chat/completions"),
    ("groq", "v1/chat/completions", "https://api.groq.com/openai/v1/chat/completions"),
    ("groq", "openai/v1/chat/completions", "https://api.groq.com/openai/v1/chat/completions"),
    ("mistral", "v1/chat/completions", "https://api.mistral.ai/v1/chat/completions"),
    ("mistral", "chat/completions", "https://api.mistral.ai/v1/chat/completions"),
    ("deepseek", "chat/completions", "https://api.deepseek.com/chat/completions"),
    ("deepseek", "v1/chat/completions", "https://api.deepseek.com/v1/chat/completions"),
    ("deepseek", "v1/v1/chat/completions", "https://api.deepseek.com/v1/chat/completions"),
    ("deepseek", "beta/completions", "https://api.deepseek.com/beta/completions"),
    ("deepseek", "anthropic/v1/messages", "https://api.deepseek.com/anthropic/v1/messages"),
    ("grok", "v1/chat/completions", "https://api.x.ai/v1/chat/completions"),
    ("grok", "chat/completions", "https://api.x.ai/v1/chat/completions"),
    ("grok", "v1/messages", "https://api.x.ai/v1/messages"),
    ("openrouter", "chat/completions", "https://openrouter.ai/api/v1/chat/completions"),
    ("openrouter", "v1/chat/completions", "https://openrouter.ai/api/v1/chat/completions"),
    ("openrouter", "api/v1/chat/completions", "https://openrouter.ai/api/v1/chat/completions"),
    ("openrouter", "models/openai%2Fgpt-4o/endpoints",
     "https://openrouter.ai/api/v1/models/openai%2Fgpt-4o/endpoints"),
    ("cerebras", "v1/chat/completions", "https://api.cerebras.ai/v1/chat/completions"),
    ("cerebras", "chat/completions", "https://api.cerebras.ai/v1/chat/completions"),
    ("perplexity-ai", "chat/completions", "https://api.perplexity.ai/chat/completions"),
    ("perplexity-ai", "v1/chat/completions", "https://api.perplexity.ai/chat/completions"),
    ("perplexity-ai", "responses", "https://api.perplexity.ai/v1/responses"),
    ("perplexity-ai", "v1/agent", "https://api.perplexity.ai/v1/agent"),
    ("perplexity-ai", "search", "https://api.perplexity.ai/search"),
    ("fireworks", "chat/completions", "https://api.fireworks.ai/inference/v1/chat/completions"),
    ("fireworks", "v1/chat/completions", "https://api.fireworks.ai/inference/v1/chat/completions"),
    ("fireworks", "inference/v1/chat/completions", "https://api.fireworks.ai/inference/v1/chat/completions"),
    ("cohere", "v1/chat", "https://api.cohere.ai/v1/chat"),
    ("cohere", "v2/chat", "https://api.cohere.ai/v2/chat"),
    ("cohere", "v1/v2/chat", "https://api.cohere.ai/v2/chat"),
    ("cohere", "chat", "https://api.cohere.ai/v1/chat"),
    ("cohere", "compatibility/v1/chat/completions", "https://api.cohere.ai/compatibility/v1/chat/completions"),
    ("huggingface", "owner/model", "https://router.huggingface.co/hf-inference/models/owner/model"),
    ("replicate", "predictions", "https://api.replicate.com/v1/predictions"),
    ("replicate", "v1/predictions", "https://api.replicate.com/v1/predictions"),
    ("parallel", "v1/tasks/runs", "https://api.parallel.ai/v1/tasks/runs"),
    ("parallel", "v1beta/chat/completions", "https://api.parallel.ai/v1beta/chat/completions"),
    ("cartesia", "tts/bytes", "https://api.cartesia.ai/tts/bytes"),
    ("elevenlabs", "v1/text-to-speech/x", "https://api.elevenlabs.io/v1/text-to-speech/x"),
    ("deepgram", "v1/listen", "https://api.deepgram.com/v1/listen"),
    ("ideogram", "v1/ideogram-v3/generate", "https://api.ideogram.ai/v1/ideogram-v3/generate"),
    ("fal", "fal-ai/flux/dev", "https://fal.run/fal-ai/flux/dev"),
    ("azure-openai", "res-1/gpt-4o/chat/completions",
     "https://res-1.openai.azure.com/openai/deployments/gpt-4o/chat/completions"),
    ("azure-openai", "res-1/openai/v1/responses", "https://res-1.openai.azure.com/openai/v1/responses"),
    ("azure-openai", "res-1/openai/chat/completions",
     "https://res-1.openai.azure.com/openai/deployments/openai/chat/completions"),
    ("aws-bedrock", "bedrock-runtime/us-east-1/model/us.anthropic.claude-x-v1%3A0/invoke",
     "https://bedrock-runtime.us-east-1.amazonaws.com/model/us.anthropic.claude-x-v1%3A0/invoke"),
    ("aws-bedrock", "bedrock-runtime/us-east-1//model/a:0/converse-stream",
     "https://bedrock-runtime.us-east-1.amazonaws.com//model/a:0/converse-stream"),
    ("aws-bedrock", "bedrock-mantle/us-east-1/anthropic/v1/messages",
     "https://bedrock-mantle.us-east-1.api.aws/anthropic/v1/messages"),
    ("baseten", "v1/chat/completions", "https://inference.baseten.co/v1/chat/completions"),
    ("baseten", "chat/completions", "https://inference.baseten.co/v1/chat/completions"),
    ("baseten", "model/abc123", "https://model-abc123.api.baseten.co/production/predict"),
    ("baseten", "model/abc123/sync/v1/chat/completions",
     "https://model-abc123.api.baseten.co/sync/v1/chat/completions"),
    ("google-vertex-ai", "v1/projects/p/locations/us-east5/publishers/google/models/g:generateContent",
     VERTEX_EAST + "/v1/projects/p/locations/us-east5/publishers/google/models/g:generateContent"),
    ("google-vertex-ai", "projects/p/locations/global/publishers/anthropic/models/c@1:rawPredict",
     VERTEX + "/v1/projects/p/locations/global/publishers/anthropic/models/c@1:rawPredict"),
    ("custom", "v1/v1/chat/completions", "https://llm.example/base/v1/v1/chat/completions"),
    ("custom", "", "https://llm.example/base/"),
]  # fmt: skip


@pytest.mark.parametrize(("slug", "rest", "expected"), TABLE)
def test_url(slug: str, rest: str, expected: str) -> None:
    assert url(slug, rest) == expected


def test_the_table_has_every_provider() -> None:
    assert {slug for slug, _, _ in TABLE} == {*PROVIDERS, "custom"}


ESCAPES = [
    "..",
    "../x",
    "v1/../../x",
    "a/..",
    "a/./b",
    "%2e%2e/x",
    "a/%2E%2e/x",
    "a/.%2e/x",
    "a%2f..%2fx",
    "a%2F%2e%2e%2Fx",
    "%252e%252e/x",
    "a/%25252e%25252e/x",
    "a/..%5cx",
    "a%5c..%5cx",
    "a/..;x/b",
    "v1/..%2f..%2fadmin",
    "%2525252525252e%2525252525252e/x",
]


@pytest.mark.parametrize("slug", [*PROVIDERS, "custom"])
@pytest.mark.parametrize("rest", ESCAPES)
def test_what_could_lead_out_of_the_base_is_refused(slug: str, rest: str) -> None:
    with pytest.raises(BadInput, match="segment"):
        url(slug, rest)


@pytest.mark.parametrize(
    "rest", ["a\\b", "a b", "a\r\nx: y", "a?b=c", "a#b", "a\x00", "a\x7f", "a%00b", "a%0d%0ab"]
)
def test_characters_that_no_path_holds_are_refused(rest: str) -> None:
    with pytest.raises(BadInput):
        url("openai", rest)


@pytest.mark.parametrize(
    "rest", ["a..b", "..a/b", "a...", "models/gemini-1.5-pro:x", ".well-known/x", "a%20b", "a;b"]
)
def test_dots_within_names_pass(rest: str) -> None:
    assert url("custom", rest) == "https://llm.example/base/" + rest


@given(st.text(alphabet="./%2eEfF5c;ab\\", max_size=24))
def test_no_path_that_passes_climbs_however_often_it_is_decoded(rest: str) -> None:
    from urllib.parse import unquote

    try:
        path = checked(rest)
    except BadInput:
        return
    assert path == rest
    for _ in range(8):
        segments = path.replace("\\", "/").split("/")
        assert not {".", ".."} & {segment.partition(";")[0] for segment in segments}
        path = unquote(path, encoding="latin-1")
