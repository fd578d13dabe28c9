"""Python that users send: whether it is taken."""

from __future__ import annotations

from gaugeway.core.errors import BadInput, GaugewayError, Path
from gaugeway.core.sandbox import Function, Sandbox


def check_source(sandbox: Sandbox, source: str, function: Function, path: Path) -> None:
    """BadInput at that path where the source cannot be compiled, or none is run in this server. Runs none of it."""
    if sandbox.refusal:
        raise BadInput(sandbox.refusal, path)
    try:
        problem = sandbox.check(source, function)
    except GaugewayError as failure:
        raise BadInput(f"The source could not be looked at, so it is not taken: {failure}", path) from failure
    if problem:
        raise BadInput(f"This is no source that can be run: {problem}", path)
