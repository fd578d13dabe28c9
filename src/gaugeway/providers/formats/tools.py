"""Tools that a provider runs itself, and bills by the call: they stand among the answer's output, not in its usage.

After OpenAI's types of output items (openai-python: ResponseOutputItem).
"""

from __future__ import annotations

from typing import Any, cast

import msgspec
from msgspec import Raw, Struct

from gaugeway.providers.formats.format import Counts

_UNITS = {
    "web_search_call": "web_searches",
    "file_search_call": "storage_searches",
    "code_interpreter_call": "code_executions",
    "image_generation_call": "image_generations",
}
"""An item's type, and the unit it is billed by."""


class _Item(Struct, gc=False):
    type: Any = None
    action: Any = None


_decoder = msgspec.json.Decoder(list[_Item])


def note_tool_calls(counts: Counts, output: Raw) -> None:
    """Add the billed tool calls among a response's output items.

    Of a web search's actions only `search` is billed; opening a page that was found, or looking for a text in
    it, is not (OpenAI's price page, built-in tools).
    """
    if b'_call"' not in bytes(output):
        return
    try:
        items = _decoder.decode(output)
    except (ValueError, RecursionError):
        return
    for item in items:
        unit = _UNITS.get(item.type) if isinstance(item.type, str) else None
        if unit is None or (unit == "web_searches" and not _searches(item.action)):
            continue
        counts[unit] = counts.get(unit, 0) + 1


def _searches(action: object) -> bool:
    return not isinstance(action, dict) or cast("dict[str, Any]", action).get("type", "search") == "search"
