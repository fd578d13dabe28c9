"""Embeddings of texts, asked for through the gateway within a purse, and kept by content and model."""

from __future__ import annotations

import binascii
import hashlib
import struct
from collections.abc import Mapping
from decimal import Decimal
from math import isfinite
from typing import Any, cast

import msgspec
from msgspec import Struct

from gaugeway.core.embeddings import MAX_DIMENSIONS, EmbeddingSettings, Vector
from gaugeway.core.judging import CapReached, JudgeFailed, Purse, VerdictStore
from gaugeway.core.model import Scope
from gaugeway.core.ports import Clock
from gaugeway.core.replays import Call, Called, Caller
from gaugeway.core.spending import NoRoom, purse_of
from gaugeway.evaluation.threads import in_thread

KEPT = "embedding"
"""Under which name a vector stands among the verdicts: 32-bit floats, little-endian, in base64."""


class Embedding(Struct, frozen=True):
    """Everything that embeddings need in this process."""

    caller: Caller
    verdicts: VerdictStore
    clock: Clock

    async def vector(
        self,
        account_id: str,
        text: str,
        settings: EmbeddingSettings,
        purse: Purse,
        metadata: Mapping[str, str],
    ) -> Vector:
        """The text's embedding. JudgeFailed: there is none; CapReached: the purse has no room for the call."""
        key = key_of(settings, text)
        known = await in_thread(self.verdicts.get, account_id, key)
        if known is not None:
            return unpacked(known[KEPT])
        found = packed(await self._ask(account_id, text, settings, purse, metadata))
        await in_thread(self.verdicts.put, account_id, key, {KEPT: found}, self.clock.now_ms())
        return unpacked(found)

    async def at_most(self, account_id: str, text: str, settings: EmbeddingSettings) -> Decimal:
        """What asking for it can cost at most, in dollars; JudgeFailed where nobody can tell."""
        scope = Scope(account_id, settings.gateway_id)
        priced = await self.caller.at_most(scope, call_of(settings, text))
        if priced.cost is None:
            raise JudgeFailed(
                f"what {settings.model} costs at most is not known ({priced.reason}):"
                " give the evaluation type cost_per_token_in"
            )
        return priced.cost

    async def _ask(
        self,
        account_id: str,
        text: str,
        settings: EmbeddingSettings,
        purse: Purse,
        metadata: Mapping[str, str],
    ) -> Vector:
        scope = Scope(account_id, settings.gateway_id)
        most = await self.at_most(account_id, text, settings)
        budget = purse_of(scope, f"embedding {purse.name}", purse.cap)
        try:
            called = await self.caller.call(
                scope, call_of(settings, text), budget, most, metadata, daily=purse.daily
            )
        except NoRoom as problem:
            raise CapReached(str(problem)) from problem
        return vector_of(called)


def call_of(settings: EmbeddingSettings, text: str) -> Call:
    """The request for a text's embedding. One text a request: not every provider takes several."""
    body: dict[str, Any] = {"model": settings.model, "input": text}
    if settings.dimensions is not None:
        body["dimensions"] = settings.dimensions
    return Call(model=settings.model, endpoint="embeddings", body=msgspec.json.encode(body), rates=settings.rates)


def key_of(settings: EmbeddingSettings, text: str) -> bytes:
    """The same for the same text to the same model."""
    told = ("embedding", settings.model, settings.gateway_id, settings.dimensions, text)
    return hashlib.sha256(msgspec.json.encode(told)).digest()


def vector_of(called: Called) -> Vector:
    """The only vector of an answer; JudgeFailed where the answer is none, or the vector is no vector."""
    if called.bodies.response_cut:
        raise JudgeFailed("the answer with the embedding broke off")
    answer = called.bodies.response or b""
    if called.status != 200:
        told = answer[:300].decode(errors="replace")
        raise JudgeFailed(f"the call for an embedding was answered with status {called.status}: {told}")
    try:
        document: Any = msgspec.json.decode(answer)
        [found] = document["data"]
        vector: object = found["embedding"]
    except (ValueError, LookupError, TypeError) as problem:
        raise JudgeFailed("the answer is not one embedding") from problem
    if not isinstance(vector, list) or not vector or not all(map(_is_number, cast("list[Any]", vector))):
        raise JudgeFailed("the embedding is no list of numbers")
    numbers = cast("list[float]", vector)
    if len(numbers) > MAX_DIMENSIONS:
        raise JudgeFailed(f"the embedding has {len(numbers)} numbers; {MAX_DIMENSIONS} are taken")
    return numbers


def packed(vector: Vector) -> str:
    """The vector as it is kept; JudgeFailed where a number is too large for 32 bits."""
    try:
        return binascii.b2a_base64(struct.pack(f"<{len(vector)}f", *vector), newline=False).decode()
    except OverflowError as problem:
        raise JudgeFailed("the embedding has a number that is too large") from problem


def unpacked(text: str) -> Vector:
    """The vector that was kept."""
    data = binascii.a2b_base64(text)
    return struct.unpack(f"<{len(data) // 4}f", data)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
