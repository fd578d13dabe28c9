"""Providers whose host the request names: the target as it is for this request."""

from __future__ import annotations

from msgspec.structs import replace

from gaugeway.core.errors import BadInput, GatewayError
from gaugeway.core.provider import Headers, Request
from gaugeway.proxy.answers import INVALID_PROVIDER
from gaugeway.proxy.exchange import Target


def place(target: Target, request: Request, sent: Headers) -> tuple[Target, Request]:
    """The target with the request's own host (an operator's upstream stays), and the request as it goes there.

    `sent` are the headers as the client sent them. Raises GatewayError (400) that says what was expected.
    """
    if target.placing is None:
        return target, request
    try:
        request = target.placing.place(request, sent)
    except BadInput as problem:
        raise GatewayError(400, INVALID_PROVIDER, problem.message) from problem
    return (replace(target, host=request.host) if target.guarded else target), request
