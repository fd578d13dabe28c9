"""Everything that can be refused or go wrong, as one tree.

    GaugewayError
    ├── BadInput           somebody's input is wrong: what, where (a path), what to do
    │   └── SearchTooLong  looking for text in bodies would take longer than one answer may
    ├── NotFound           the named thing does not exist
    ├── Conflict           it exists already
    ├── TooMuchToRead      an answer would take reading more logs than one answer may
    ├── GatewayError       the data plane's refusals and failures: HTTP status + Cloudflare's code
    │   ├── SpendLimited   a spend limit has no room
    │   └── RateLimited    a rate of a stored key, or of a dynamic route, is used up
    ├── StoreUnusable      where records are kept cannot be used: which file, why, what to do
    │   └── StoreFull      there is no room left
    │       └── StoreFullAfter  … and part of a deletion was done before
    ├── LogsNotDurable     not all accepted logs are known to be written
    └── UpstreamFailure    an upstream could not be reached, was too slow, broke off or spoke nonsense
        ├── ConnectFailed  no connection (refused, unresolvable, TLS, address not allowed)
        ├── CredentialRefused  the key with which the gateway was to ask is not accepted
        ├── CircuitOpen    it has failed too often of late, and is left alone
        ├── UpstreamTimeout
        └── ProtocolBroken the answer broke off or is no HTTP

Only `management/` turns these into Cloudflare's management envelope and only `proxy/` into the data plane's.
"""

from __future__ import annotations

from enum import StrEnum

from gaugeway.core.model import Outcome

Path = tuple[str | int, ...]


class GaugewayError(Exception):
    """The root. `str(error)` is a sentence for the person who caused it."""


class BadInput(GaugewayError):
    """Input that breaks the contract; `path` says where, e.g. ("body", "filters", 0, "key")."""

    def __init__(self, message: str, path: Path = ()) -> None:
        super().__init__(message)
        self.message = message
        self.path = path


class SearchTooLong(BadInput):
    """Text would have to be looked for in more bodies than for one answer is done. Trying again would not help."""


class NotFound(GaugewayError):
    """The named thing does not exist (or belongs to somebody else, which is the same to the asker)."""


class Conflict(GaugewayError):
    """A thing of that name exists already; `path` names the field."""

    def __init__(self, message: str, path: Path = ()) -> None:
        super().__init__(message)
        self.message = message
        self.path = path


class TooMuchToRead(GaugewayError):
    """An answer would take reading more logs one by one than one answer may: `most`."""

    def __init__(self, most: int) -> None:
        super().__init__(f"more than {most} logs would have to be read one by one")
        self.most = most


class StoreUnusable(GaugewayError):
    """Where records are kept cannot be used; nothing of the change that was under way has been kept."""


class StoreFull(StoreUnusable):
    """There is no room left for what was to be written."""


class StoreFullAfter(StoreFull):
    """A deletion came to its end early: `removed` logs are gone, the others are still there."""

    def __init__(self, removed: int, message: str) -> None:
        super().__init__(message)
        self.removed = removed


class LogsNotDurable(GaugewayError):
    """The recorder did not confirm in time that every accepted log is written."""


class GatewayError(GaugewayError):
    """A refusal or failure that the data plane itself answers with (contract 3.5)."""

    def __init__(self, status: int, code: int, message: str, outcome: Outcome = Outcome.REFUSED) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.outcome = outcome


class SpendLimited(GatewayError):
    """A spend limit has no room for a request, or cannot tell; `detail` says how matters stand."""

    def __init__(self, status: int, code: int, message: str, detail: str, wait_ms: int | None = None) -> None:
        super().__init__(status, code, message, Outcome.SPEND_LIMITED)
        self.detail = detail
        self.wait_ms = wait_ms


class RateLimited(GatewayError):
    """A stored key has been used, or a dynamic route's element come to, as often as its rate allows."""

    def __init__(self, status: int, code: int, message: str, wait_ms: int) -> None:
        super().__init__(status, code, message, Outcome.RATE_LIMITED)
        self.wait_ms = wait_ms


class Side(StrEnum):
    """Whose fault an upstream failure is, for the log and for whether another try makes sense."""

    PROVIDER = "provider"
    NETWORK = "network"
    POLICY = "policy"  # we may not go there


class UpstreamFailure(GaugewayError):
    """No usable answer from an upstream.

    `safe_to_retry` is true only while it is certain that the upstream did not act on the request.
    """

    def __init__(self, message: str, *, side: Side = Side.NETWORK, safe_to_retry: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.side = side
        self.safe_to_retry = safe_to_retry


class ConnectFailed(UpstreamFailure):
    """There was no connection, so nothing was sent."""

    def __init__(self, message: str, *, side: Side = Side.NETWORK) -> None:
        super().__init__(message, side=side, safe_to_retry=side is not Side.POLICY)


class CredentialRefused(UpstreamFailure):
    """Nothing was sent to the provider: the key with which the gateway was to ask cannot be used."""

    def __init__(self, message: str) -> None:
        super().__init__(message, side=Side.POLICY)


class CircuitOpen(UpstreamFailure):
    """Nothing was sent: the upstream has failed several times in a row, and is left alone for a while."""

    def __init__(self, message: str) -> None:
        super().__init__(message, side=Side.PROVIDER, safe_to_retry=True)


class UpstreamTimeout(UpstreamFailure):
    """The upstream took longer than it was given."""


class ProtocolBroken(UpstreamFailure):
    """The answer broke off, or is not HTTP as we accept it."""
