"""A provider on loopback that answers with a text made of the question, and reports the tokens of it.

Models: `plain` repeats the question; `short` its first word; `loud` in capitals; `fussy` answers with a 500 where
it has "hard" in it; `parrot` says what its system prompt is. `held` keeps all answers back.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

from support.upstream import Seen, Upstream, _send_json, completion

Asked = dict[str, Any]


class ReplayingUpstream(Upstream):
    """The running upstream. `hold_after` (a model, a number): from so many of its requests on it holds answers."""

    def __init__(self) -> None:
        super().__init__()
        self.held = False
        self.under_way = 0
        self.hold_after: tuple[str, int] | None = None

    def asked(self, model: str) -> list[Asked]:
        """What that model was asked so far."""
        return [seen.json for seen in list(self.seen) if seen.json.get("model") == model]

    async def _plain(self, seen: Seen, asked: Asked, writer: asyncio.StreamWriter) -> bool:
        return await self._say(asked, _question(asked), writer)

    async def _short(self, seen: Seen, asked: Asked, writer: asyncio.StreamWriter) -> bool:
        return await self._say(asked, _question(asked).split()[0], writer)

    async def _loud(self, seen: Seen, asked: Asked, writer: asyncio.StreamWriter) -> bool:
        return await self._say(asked, _question(asked).upper(), writer)

    async def _parrot(self, seen: Seen, asked: Asked, writer: asyncio.StreamWriter) -> bool:
        prompts = [one["content"] for one in asked["messages"] if one["role"] == "system"]
        return await self._say(asked, " | ".join(prompts) or "nothing", writer)

    async def _judge(self, seen: Seen, asked: Asked, writer: asyncio.StreamWriter) -> bool:
        """Prefers whatever is in capitals."""
        first = asked["messages"][1]["content"].partition("=== BEGIN FIRST")[2].partition("=== END FIRST")[0]
        said = first.partition("===\n")[2].strip()
        better = "first" if said.isupper() else "second"
        return await self._say(asked, json.dumps({"reason": "capitals", "better": better}), writer)

    async def _fussy(self, seen: Seen, asked: Asked, writer: asyncio.StreamWriter) -> bool:
        if "hard" in _question(asked):
            return await _send_json(writer, {"error": {"message": "too hard"}}, 500)
        return await self._say(asked, _question(asked), writer)

    async def _say(self, asked: Asked, text: str, writer: asyncio.StreamWriter) -> bool:
        self.under_way += 1
        if self.hold_after is not None and len(self.asked(self.hold_after[0])) >= self.hold_after[1]:
            self.held, self.hold_after = True, None
        try:
            while self.held:
                await asyncio.sleep(0.01)
        finally:
            self.under_way -= 1
        answer = completion(str(asked["model"]))
        answer["choices"][0]["message"]["content"] = text
        words = len(_question(asked).split()), len(text.split())
        answer["usage"] = {"prompt_tokens": words[0], "completion_tokens": words[1], "total_tokens": sum(words)}
        return await _send_json(writer, answer)


class Assistants(ReplayingUpstream):
    """`large` answers in JSON, at length; `small` shortly, and three times not in JSON."""

    async def _large(self, seen: Seen, asked: Asked, writer: asyncio.StreamWriter) -> bool:
        question = _question(asked)
        await asyncio.sleep(0.004 * (len(question) % 4))  # so that durations differ
        return await self._say(asked, '{"answer": "' + question + " That is a long story. " * 4 + '"}', writer)

    async def _small(self, seen: Seen, asked: Asked, writer: asyncio.StreamWriter) -> bool:
        question = _question(asked)
        number = int(question.split()[1].rstrip(":"))
        answer = "I do not know." if number in (3, 7, 11) else '{"answer": "' + question + '"}'
        return await self._say(asked, answer, writer)


def _question(asked: Asked) -> str:
    return asked["messages"][-1]["content"]
