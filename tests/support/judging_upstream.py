"""A provider on loopback: `says:<text>` answers with that text, `judge` with what the test decides.

So do `judge:b` and any other of that beginning, each a model of its own. `embed` is a model of embeddings.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from typing import Any

from support.upstream import Seen, Upstream, _send_json, completion

Asked = dict[str, Any]


def material(asked: Asked) -> dict[str, str]:
    """The pieces of a judge's question by name, by the mark that its system message names; all else under ""."""
    system, user = (message["content"] for message in asked["messages"])
    [mark] = set(re.findall(r"=== BEGIN \{name\} (\w+) ===", system))
    pieces: dict[str, str] = {}

    def take(match: re.Match[str]) -> str:
        pieces[match[1]] = match[2]
        return ""

    pieces[""] = re.sub(rf"=== BEGIN (\w+) {mark} ===\n(.*?)\n=== END \1 {mark} ===", take, user, flags=re.DOTALL)
    return pieces


class JudgingUpstream(Upstream):
    """The running upstream. `decide` makes the judge's words of a request; `held` keeps them back."""

    def __init__(self) -> None:
        super().__init__()
        self.decide: Callable[[Asked], str] = lambda _asked: json.dumps({"reason": "fine", "pass": True})
        self.embed: Callable[[str], object] = lambda text: [float(len(text)), 1.0]
        self.held = False

    def questions(self) -> list[Asked]:
        """What the judge was asked so far."""
        return [seen.json for seen in list(self.seen) if seen.json.get("model", "").startswith("judge")]

    async def _says(self, seen: Seen, asked: Asked, writer: asyncio.StreamWriter) -> bool:
        return await self._say(asked["model"].partition(":")[2], writer)

    async def _judge(self, seen: Seen, asked: Asked, writer: asyncio.StreamWriter) -> bool:
        while self.held:
            await asyncio.sleep(0.01)
        return await self._say(self.decide(asked), writer)

    def texts(self) -> list[str]:
        """The texts whose embeddings were asked for so far."""
        return [seen.json["input"] for seen in list(self.seen) if seen.json.get("model") == "embed"]

    async def _embed(self, seen: Seen, asked: Asked, writer: asyncio.StreamWriter) -> bool:
        """As OpenAI's embeddings endpoint answers, and nowhere else."""
        while self.held:
            await asyncio.sleep(0.01)
        if not seen.target.endswith("/embeddings") or not isinstance(asked["input"], str):
            return await _send_json(writer, {"error": {"message": "no embeddings here"}}, 404)
        answer = {
            "object": "list",
            "data": [{"object": "embedding", "index": 0, "embedding": self.embed(asked["input"])}],
            "model": "embed",
            "usage": {"prompt_tokens": 20, "total_tokens": 20},
        }
        return await _send_json(writer, answer)

    async def _say(self, text: str, writer: asyncio.StreamWriter) -> bool:
        answer = completion("m")
        answer["choices"][0]["message"]["content"] = text
        return await _send_json(writer, answer)
