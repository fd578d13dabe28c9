"""The demo's upstream: the real small model where it can be had, else a simulation, and never a doubt which."""

from __future__ import annotations

from msgspec import Struct

from gaugeway.demo import model, simulated
from gaugeway.demo.children import ChildFailed, Children

LOAD_SECONDS = 60.0


class Upstream(Struct, frozen=True, kw_only=True):
    """An OpenAI-compatible server on this machine."""

    url: str  # without /v1
    model: str
    real: bool
    why_not: str = ""  # why it is not the real model


def start_upstream(children: Children, *, simulate: bool = False) -> Upstream:
    """Start one in a child process and wait until it answers; raises ChildFailed."""
    if simulate:
        return _start_simulated(children, "it was asked for")
    try:
        model.find_weights()
    except model.NoModel as problem:
        return _start_simulated(children, str(problem))
    child = children.start("the model", ["gaugeway.demo.model"])
    try:
        return Upstream(url=child.address(LOAD_SECONDS), model=model.MODEL, real=True)
    except ChildFailed as problem:  # too old a processor or C library, for instance
        children.stop(child)
        return _start_simulated(children, f"the model did not start: {problem}")


def _start_simulated(children: Children, why_not: str) -> Upstream:
    child = children.start("the simulated upstream", ["gaugeway.demo.simulated"])
    return Upstream(url=child.address(LOAD_SECONDS), model=simulated.MODEL, real=False, why_not=why_not)
