"""The Judge whose calls go through the data plane: authenticated, limited, cached, logged and priced like any."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, cast

import msgspec

from gaugeway.core.judging import CapReached, JudgeFailed, JudgeSettings, Purse, Question
from gaugeway.core.model import Scope
from gaugeway.core.spending import NoRoom, purse_of
from gaugeway.proxy.compat import DYNAMIC
from gaugeway.proxy.inward import InwardAnswer
from gaugeway.proxy.own_calls import OwnCall, OwnCalls

CHAT = "chat/completions"


class ProxyJudge:
    """A Judge."""

    def __init__(self, calls: OwnCalls) -> None:
        self._calls = calls

    async def ask(
        self,
        account_id: str,
        question: Question,
        settings: JudgeSettings,
        purse: Purse,
        metadata: Mapping[str, str],
    ) -> str:
        """See Judge."""
        scope = Scope(account_id, settings.gateway_id)
        body = _body(question, settings)
        most = await self._most(scope, settings, body)
        call = OwnCall(
            endpoint=CHAT,
            body=body,
            agent=b"gaugeway-judge",
            metadata=metadata,
            rates=settings.rates,
        )
        try:
            own = purse_of(scope, f"judge {purse.name}", purse.cap)
            came = await self._calls.send(scope, call, own, most, purse.daily)
        except NoRoom as problem:
            raise CapReached(str(problem)) from problem
        return _text(came.answer)

    async def at_most(self, account_id: str, question: Question, settings: JudgeSettings) -> Decimal:
        """See Judge."""
        return await self._most(Scope(account_id, settings.gateway_id), settings, _body(question, settings))

    async def _most(self, scope: Scope, settings: JudgeSettings, body: bytes) -> Decimal:
        if settings.model.partition("/")[0] == DYNAMIC:
            raise JudgeFailed("a dynamic route cannot judge: what a call costs at most could not be told")
        priced = await self._calls.at_most(scope, settings.model, CHAT, body, settings.rates)
        if priced.cost is None:
            raise JudgeFailed(
                f"what {settings.model} costs at most is not known ({priced.reason}):"
                " give the judge cost_per_token_in and cost_per_token_out"
            )
        return priced.cost


def _body(question: Question, settings: JudgeSettings) -> bytes:
    body: dict[str, Any] = {
        "model": settings.model,
        "messages": [
            {"role": "system", "content": question.system},
            {"role": "user", "content": question.user},
        ],
        settings.tokens_field: settings.max_tokens,
    }
    if settings.temperature is not None:
        body["temperature"] = settings.temperature
    if settings.response_format == "json_schema":
        shape = {"name": "verdict", "strict": True, "schema": question.schema}
        body["response_format"] = {"type": "json_schema", "json_schema": shape}
    elif settings.response_format == "json_object":
        body["response_format"] = {"type": "json_object"}
    return msgspec.json.encode(body)


def _text(answer: InwardAnswer) -> str:
    """The judge's words; JudgeFailed where the call did not bring any."""
    if not answer.is_whole:
        raise JudgeFailed("the judge's answer broke off")
    if answer.status != 200:
        told = answer.body[:300].decode(errors="replace")
        raise JudgeFailed(f"the judge's call was answered with status {answer.status}: {told}")
    try:
        document: Any = msgspec.json.decode(answer.body)
        choice = cast("dict[str, Any]", document["choices"][0])
        text: object = choice["message"]["content"]
    except (ValueError, LookupError, TypeError) as problem:
        raise JudgeFailed("the judge's answer is no chat completion") from problem
    if choice.get("finish_reason") == "length":
        raise JudgeFailed("the verdict was longer than max_tokens allows")
    if not isinstance(text, str):
        raise JudgeFailed("the judge said nothing")
    return text
