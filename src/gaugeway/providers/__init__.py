"""The providers, one file each: every module here but `custom` has one `PROVIDER`."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterable
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Protocol, cast

from gaugeway.core.errors import GaugewayError
from gaugeway.core.provider import Provider

ENTRY_POINTS = "gaugeway.providers"
"""The entry-point group by which other packages bring providers of their own: the slug names a Provider."""


class BadProvider(GaugewayError):
    """A provider that cannot be loaded: which, from where, and what to do."""


class EntryPoints(Protocol):
    """Finds what installed packages offer under a group, as importlib.metadata.entry_points does."""

    def __call__(self, *, group: str) -> Iterable[EntryPoint]: ...


def load(installed: EntryPoints = entry_points) -> dict[str, Provider]:
    """Every provider by its slug: those of this package, then those of other packages' entry points.

    Raises BadProvider where two have the same slug, or one cannot be imported or lacks what a provider has.
    """
    found: dict[str, Provider] = {}
    sources: dict[str, str] = {}
    for provider, source in (*_built_in(), *_brought(installed)):
        slug = provider.slug
        if slug in found:
            raise BadProvider(
                f"Two providers have the slug {slug!r}: {sources[slug]} and {source}. Remove or rename one of them"
            )
        found[slug], sources[slug] = provider, source
    return found


def _built_in() -> list[tuple[Provider, str]]:
    names = [module.name for module in pkgutil.iter_modules(__path__) if not module.ispkg]
    modules = [import_module(f"{__name__}.{name}") for name in sorted(names) if name != "custom"]
    return [(_checked(getattr(module, "PROVIDER", None), module.__name__), module.__name__) for module in modules]


def _brought(installed: EntryPoints) -> list[tuple[Provider, str]]:
    points = sorted(installed(group=ENTRY_POINTS), key=lambda point: point.value)
    return [(_loaded(point), f"entry point {point.name} = {point.value}") for point in points]


def _loaded(point: EntryPoint) -> Provider:
    try:
        candidate = point.load()
    except Exception as problem:
        raise BadProvider(
            f"The provider of the entry point {point.name} = {point.value} cannot be imported: {problem}."
            " Repair or uninstall that package"
        ) from problem
    return _checked(candidate, point.value)


def _checked(candidate: object, source: str) -> Provider:
    wanted = ("slug", "name", "base_url", "credential_headers", "price_id")
    wanted += ("upstream_path", "read_request", "read_response")
    missing = [name for name in wanted if not hasattr(candidate, name)]
    if missing:
        raise BadProvider(f"{source} is no provider: it lacks {', '.join(missing)} (see core.provider.Provider)")
    return cast("Provider", candidate)
