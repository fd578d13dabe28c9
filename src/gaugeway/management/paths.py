"""The paths of the management API that are not an account's, and what an unknown path is answered with."""

from __future__ import annotations

from gaugeway.management.envelope import NO_ROUTE, ApiError

PREFIX = "/client/v4/"
ACCOUNT_PREFIX = "/client/v4/accounts/{account_id}/ai-gateway"
USER_PREFIX = "/client/v4/user"
VERIFY_PATH = "/client/v4/user/tokens/verify"
METRICS_PATH = "/metrics"
SESSION_PATH = "/client/v4/user/session"


def no_route(path: str) -> ApiError:
    """What an unknown path is answered with."""
    shown = path if len(path) <= 200 else path[:197] + "..."
    message = f"Could not route to {shown}, perhaps your object identifier is invalid?"
    return ApiError(404, NO_ROUTE, message)
