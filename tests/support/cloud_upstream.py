"""The clouds' providers on loopback: Bedrock's runtime and Mantle, Vertex AI, Azure OpenAI, fal.

They stand behind GAUGEWAY_UPSTREAMS, each below a path of its own, and answer by path as the real ones document.
Bedrock checks the signature as AWS does: for its own host, over the very bytes that arrived.
"""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import jwt
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from support import event_stream
from support.upstream import Seen, Upstream, _chunk, _send, _send_json, completion

ACCESS_KEY, SECRET_KEY, REGION = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI-the-secret-of-the-test", "us-east-1"
RUNTIME_HOST = "bedrock-runtime.us-east-1.amazonaws.com"
MANTLE_HOST = "bedrock-mantle.us-east-1.api.aws"
USAGE = {
    "inputTokens": 20,
    "outputTokens": 10,
    "totalTokens": 36,
    "cacheReadInputTokens": 6,
    "cacheWriteInputTokens": 0,
}
METRICS = {"inputTokenCount": 20, "outputTokenCount": 10, "invocationLatency": 9, "firstByteLatency": 3}


def signature_problem(seen: Seen, path: str, host: str, service: str) -> str | None:
    """Why AWS would refuse a request's signature; None: it is right."""
    authorization = seen.header.get("authorization", "")
    match = re.fullmatch(
        r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request,\s*"
        r"SignedHeaders=([^,]+),\s*Signature=([0-9a-f]{64})",
        authorization,
    )
    if match is None:
        return "Missing Authentication Token"
    key, day, region, signed_for, names, signature = match.groups()
    if (key, region, signed_for) != (ACCESS_KEY, REGION, service):
        return f"Credential should be scoped to {REGION}/{service}"
    auth = SigV4Auth(Credentials(ACCESS_KEY, SECRET_KEY), service, REGION)
    request = AWSRequest(method=seen.method, url=f"https://{host}{path}", data=seen.body)
    request.context["timestamp"] = seen.header.get("x-amz-date", day)
    for name in names.split(";"):
        value = host if name == "host" else seen.header.get(name)
        if value is None:
            return f"the signed header {name} is missing"
        request.headers[name] = value
    request.context["payload_signing_enabled"] = True
    expected = auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)
    return None if expected == signature else "The request signature we calculated does not match"


class CloudUpstream(Upstream):
    """Answers by path. `account_key` is the public key of the service account it knows; `token` what that gets."""

    account_key: Any = None
    token = "ya29.exchanged"

    async def _exchange(self, seen: Seen, writer: asyncio.StreamWriter) -> bool:
        form = parse_qs(seen.body.decode())
        try:
            audience = "https://oauth2.googleapis.com/token"
            jwt.decode(form["assertion"][0], self.account_key, algorithms=["RS256"], audience=audience)
        except jwt.InvalidTokenError:
            refusal = {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}
            return await _send_json(writer, refusal, 400)
        return await _send_json(writer, {"access_token": self.token, "expires_in": 3599, "token_type": "Bearer"})

    async def _answer(self, seen: Seen, writer: asyncio.StreamWriter) -> bool:
        path = urlsplit(seen.target).path
        if match := re.fullmatch(r"/aws(/model/([^/]+)/([a-z-]+))", path):
            problem = signature_problem(seen, match.group(1), RUNTIME_HOST, "bedrock")
            if problem and signature_problem(seen, seen.target, seen.header["host"], "bedrock") is not None:
                return await _send_json(writer, {"message": problem}, 403)
            return await _bedrock(seen, writer, unquote(match.group(2)), match.group(3))
        if path == "/aws/anthropic/v1/messages":
            message = claude_message() | {"model": seen.json["model"]}
            known = seen.header.get("x-api-key") == "key-of-bedrock" or not signature_problem(
                seen, path.removeprefix("/aws"), MANTLE_HOST, "bedrock-mantle"
            )
            return await _send_json(writer, message if known else {"message": "no key"}, 200 if known else 401)
        if path.startswith("/azure/openai/deployments/"):
            known = seen.header.get("api-key") == "key-of-azure"
            return await _send_json(writer, completion("gpt-4o-2024-08-06"), 200 if known else 401)
        if path == "/oauth/token":
            return await self._exchange(seen, writer)
        if match := re.fullmatch(
            r"/vertex/v1/projects/[^/]+/locations/[^/]+/publishers/(google|anthropic)/models/([^:]+):(.*)", path
        ):
            if seen.header.get("authorization") not in ("Bearer ya29.own", f"Bearer {self.token}"):
                error = {"code": 401, "message": "CREDENTIALS_MISSING", "status": "UNAUTHENTICATED"}
                return await _send_json(writer, {"error": error}, 401)
            if match.group(3) in ("predict", "embedContent"):
                return await _send_json(writer, google_embeddings(seen.json))
            google = match.group(1) == "google"
            return await _send_json(writer, gemini_answer(match.group(2)) if google else claude_message())
        shown = {"target": seen.target, "host": seen.header.get("host"), "headers": seen.headers}
        return await _send_json(writer, shown)


def claude_message() -> dict[str, Any]:
    """Claude's own format."""
    usage = {"input_tokens": 20, "cache_read_input_tokens": 6, "output_tokens": 10}
    return {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-haiku-4-5-20251001"} | {
        "content": [{"type": "text", "text": "Hello"}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": usage,
    }


def gemini_answer(model: str) -> dict[str, Any]:
    """Gemini's own format."""
    candidate = {"content": {"role": "model", "parts": [{"text": "Hello"}]}, "finishReason": "STOP", "index": 0}
    usage = {"promptTokenCount": 20, "candidatesTokenCount": 10, "totalTokenCount": 30, "trafficType": "ON_DEMAND"}
    return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": model, "responseId": "r1"}


VECTOR = [0.5, -0.25, 1.0]
"""What every text becomes. Floats of 32 bits hold it exactly."""


def google_embeddings(asked: dict[str, Any]) -> dict[str, Any]:
    """Of `predict`, or of `embedContent`."""
    if "content" in asked:
        return {"embedding": {"values": VECTOR}, "truncated": False, "usageMetadata": {"promptTokenCount": 7}}
    one = {"embeddings": {"values": VECTOR, "statistics": {"truncated": False, "token_count": 4}}}
    return {"predictions": [one for _ in asked["instances"]]}


async def _bedrock(seen: Seen, writer: asyncio.StreamWriter, model: str, verb: str) -> bool:
    if verb == "invoke" and "mistral" in model:
        body = json.dumps({"outputs": [{"text": "Hello", "stop_reason": "stop"}]}).encode()
        counts = "x-amzn-bedrock-input-token-count: 20\r\nx-amzn-bedrock-output-token-count: 10\r\n"
        return await _send(writer, 200, "application/json", body, counts)
    if verb == "invoke" and "titan-embed" in model:
        return await _send_json(writer, {"embedding": VECTOR, "inputTextTokenCount": 7})
    if verb == "invoke" and "cohere.embed" in model:
        found: Any = [VECTOR for _ in seen.json["texts"]]
        answer = {"id": "e1", "embeddings": {"float": found} if "v4" in model else found, "texts": []}
        counts = "x-amzn-bedrock-input-token-count: 9\r\n"
        return await _send(writer, 200, "application/json", json.dumps(answer).encode(), counts)
    if verb == "invoke":
        return await _send_json(writer, claude_message())
    if verb == "converse":
        message = {"role": "assistant", "content": [{"text": "Hello"}]}
        answer = {
            "output": {"message": message},
            "stopReason": "end_turn",
            "usage": USAGE,
            "metrics": {"latencyMs": 1},
        }
        return await _send_json(writer, answer)
    writer.write(
        b"HTTP/1.1 200 OK\r\ncontent-type: application/vnd.amazon.eventstream\r\ntransfer-encoding: chunked\r\n\r\n"
    )
    events = converse_events() if verb == "converse-stream" else invoke_events()
    for message in events[:2] if model.endswith(".cut") else events:
        await _chunk(writer, message)
    if model.endswith(".cut"):
        return False
    writer.write(b"0\r\n\r\n")
    await writer.drain()
    return True


def converse_events() -> list[bytes]:
    """A stream of ConverseStream."""
    return [
        event_stream.event("messageStart", {"role": "assistant"}),
        event_stream.event("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "Hel"}}),
        event_stream.event("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "lo"}}),
        event_stream.event("contentBlockStop", {"contentBlockIndex": 0}),
        event_stream.event("messageStop", {"stopReason": "end_turn"}),
        event_stream.event("metadata", {"usage": USAGE, "metrics": {"latencyMs": 1}}),
    ]


def invoke_events() -> list[bytes]:
    """A stream of InvokeModelWithResponseStream, from Claude."""
    opening = claude_message() | {"content": [], "stop_reason": None}
    return [
        event_stream.wrapped({"type": "message_start", "message": opening}),
        event_stream.wrapped(
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hello"}}
        ),
        event_stream.wrapped(
            {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 10}}
        ),
        event_stream.wrapped({"type": "message_stop", "amazon-bedrock-invocationMetrics": METRICS}),
    ]
