"""What a request's headers say, remembered: clients send the same ones with each request, but for their length.

What is remembered is looked up by all names and values in their order, so that it is what sorting them anew would
find. A copy is handed out: nothing that is done with one request's headers is seen by another.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from gaugeway.proxy.credentials import CREDENTIAL_HEADERS, SHORTEST_SECRET, bare_credential
from gaugeway.proxy.exchange import Credential, Headers, Options
from gaugeway.proxy.headers import Sorted, among, sort_request

MOST_KNOWN = 512
LARGEST_KNOWN = 4096
"""Bytes of headers that are remembered; larger ones are rare, and would fill the memory."""


class Head(Struct):
    """A request's headers, sorted, and what in them may be a credential."""

    upstream: Headers
    options: Options
    content_type: str
    user_agent: str | None
    credentials: tuple[Credential, ...]
    secrets: list[bytes]

    def copy(self) -> Head:
        """The same, for one request."""
        return replace(
            self, upstream=self.upstream.copy(), options=replace(self.options), secrets=self.secrets.copy()
        )


class Heads:
    """Sorts requests' headers, those it knows at once."""

    def __init__(self) -> None:
        self._known: dict[tuple[tuple[bytes, bytes], ...], Head] = {}

    def __len__(self) -> int:
        return len(self._known)

    def sort(self, headers: Headers) -> tuple[Head, int | None]:
        """What the headers say, and the length of the body that follows. Raises as `sort_request`."""
        said = dict(headers)
        length = said.pop(b"content-length", None)
        size = None if length is None else int(length)  # the server's parser let only digits through
        if len(said) + (length is not None) != len(headers):  # a name came twice
            return head_of(sort_request(headers)), size
        pairs = tuple(said.items())
        known = self._known.get(pairs)
        if known is not None:
            return known.copy(), size
        head = head_of(sort_request([*pairs]))
        if sum(map(len, said)) + sum(map(len, said.values())) <= LARGEST_KNOWN:
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            self._known[pairs] = head.copy()
        return head, size


def head_of(found: Sorted) -> Head:
    """Sorted headers with what in them may be a credential."""
    token = found.options.token
    credentials = [] if token is None else [Credential(token, None)]
    credentials += [
        Credential(bare_credential(pair[1]), pair) for pair in among(found.upstream, CREDENTIAL_HEADERS)
    ]
    secrets = [each.secret for each in credentials if len(each.secret) >= SHORTEST_SECRET]
    return Head(found.upstream, found.options, found.content_type, found.user_agent, tuple(credentials), secrets)
