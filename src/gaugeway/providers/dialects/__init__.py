"""Other formats in which clients ask for a chat, for any model: OpenAI's Responses, Anthropic's Messages. Pure.

Each turns its request into a chat completion's, and a chat completion, whole or streamed, into its own answer. A
provider that takes chat completions gets that; for the others their translation (translation/) goes on from there.
What has no counterpart is refused by name.
"""

from __future__ import annotations

from collections.abc import Mapping

from gaugeway.core.provider import Dialect
from gaugeway.providers.dialects.messages import Messages
from gaugeway.providers.dialects.responses import Responses

DIALECTS: Mapping[str, Dialect] = {"responses": Responses(), "messages": Messages()}
"""By the path at which they are asked for."""
