"""Everything that can be refused or go wrong, as one tree.

    GaugewayError
    ├── BadInput           somebody's input is wrong: what, where (a path), what to do
    ├── NotFound           the named thing does not exist
    ├── Conflict           it exists already
    ├── GatewayError       the data plane's refusals and failures: HTTP status + Cloudflare's code
    ├── StoreUnusable      where records are kept cannot be used: which file, why, what to do
    │   └── StoreFull      there is no room left
    └── UpstreamFailure    an upstream could not be reached, was too slow, broke off or spoke nonsense
        ├── ConnectFailed  no connection (refused, unresolvable, TLS, address not allowed)
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


class NotFound(GaugewayError):
    """The named thing does not exist (or belongs to somebody else, which is the same to the asker)."""


class Conflict(GaugewayError):
    """A thing of that name exists already; `path` names the field."""

    def __init__(self, message: str, path: Path = ()) -> None:
        super().__init__(message)
        self.message = message
        self.path = path


class StoreUnusable(GaugewayError):
    """Where records are kept cannot be used; nothing of the change that was under way has been kept."""


class StoreFull(StoreUnusable):
    """There is no room left for what was to be written."""


class GatewayError(GaugewayError):
    """A refusal or failure that the data plane itself answers with (contract 3.5)."""

    def __init__(self, status: int, code: int, message: str, outcome: Outcome = Outcome.REFUSED) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.outcome = outcome


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


class CircuitOpen(UpstreamFailure):
    """Nothing was sent: the upstream has failed several times in a row, and is left alone for a while."""

    def __init__(self, message: str) -> None:
        super().__init__(message, side=Side.PROVIDER, safe_to_retry=True)


class UpstreamTimeout(UpstreamFailure):
    """The upstream took longer than it was given."""


class ProtocolBroken(UpstreamFailure):
    """The answer broke off, or is not HTTP as we accept it."""
