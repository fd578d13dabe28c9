"""The models that the scene's replay and its judge ask: they answer customers of a shoe shop."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from support.upstream import Seen, Upstream, _send_json, completion

_ANSWERS = {
    "My parcel has not come. What can I do?": (
        "I am sorry about that. Your parcel left the depot this morning; it should be with you by tonight.",
        "Your parcel left the depot this morning, and should be with you by tonight.",
    ),
    "How do I change my address?": (
        "Open *Account*, then *Addresses*. The change counts for new orders only.",
        "Open *Account*, then *Addresses*.",
    ),
    "Can I return opened shoes?": (
        "Yes, within 30 days, if they were only worn indoors.",
        "Yes, within 30 days.",
    ),
    "Do you ship to Norway?": (
        "We do. It takes five to seven working days and costs 12 euros.",
        "Yes, for 9 euros.",
    ),
}
"""By question: an answer, and one in a sentence."""
_TOKENS_A_CHARACTER = 0.25
_FAILS_EVERY = 17


class ShopUpstream(Upstream):
    """The running upstream. Every now and then it is overloaded."""

    def __init__(self) -> None:
        super().__init__()
        self._asked = 0

    async def _ok(self, seen: Seen, asked: dict[str, Any], writer: asyncio.StreamWriter) -> bool:
        texts = [str(message["content"]) for message in asked["messages"]]
        if "=== BEGIN" in texts[0]:
            return await self._say(asked, self._judged(texts[-1]), writer)
        self._asked += 1
        if self._asked % _FAILS_EVERY == 0:
            return await _send_json(writer, {"error": {"message": "overloaded"}}, 503)
        whole, brief = _ANSWERS[texts[-1]]
        return await self._say(asked, brief if "one sentence" in texts[0] else whole, writer)

    def _judged(self, material: str) -> str:
        """What a judge says that does not know how long parcels take to Norway."""
        is_good = "working days" not in material
        return json.dumps({"reason": "one can act on it" if is_good else "it leaves open how", "pass": is_good})

    async def _say(self, asked: dict[str, Any], text: str, writer: asyncio.StreamWriter) -> bool:
        answer = completion(str(asked["model"]))
        answer["choices"][0]["message"]["content"] = text
        sizes = [int(len(part) * _TOKENS_A_CHARACTER) + 1 for part in (json.dumps(asked["messages"]), text)]
        answer["usage"] = {
            "prompt_tokens": sizes[0],
            "completion_tokens": sizes[1],
            "total_tokens": sum(sizes),
        }
        return await _send_json(writer, answer)
