"""docs/providers.md: its tables say what the providers do, its example is one, its reasons are real."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from gaugeway.core import price_list, price_plans, pricing
from gaugeway.core.model import Usage
from gaugeway.core.provider import Request, placing_of
from gaugeway.core.settings import load as load_settings
from gaugeway.providers import ENTRY_POINTS, load
from gaugeway.providers.formats import format as format_
from gaugeway.providers.formats import gemini
from gaugeway.providers.parts.declared import Declared

PAGE = (Path(__file__).parents[2] / "docs" / "providers.md").read_text()
PROVIDERS = load()
ACCOUNT = "0123456789abcdef0123456789abcdef"


def rows(heading: str, below: str = "# Providers") -> list[list[str]]:
    """The cells below a table's first heading, within a part of the page."""
    lines = PAGE.partition(below)[2].partition(f"\n| {heading} |")[2].splitlines()[2:]
    table = lines[: next(number for number, line in enumerate([*lines, ""]) if not line.startswith("|"))]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table]


def block(language: str) -> str:
    return PAGE.partition(f"```{language}\n")[2].partition("```")[0]


def test_every_provider_has_its_row_and_no_other() -> None:
    table = rows("slug | upstream")
    assert {row[0].strip("`") for row in table} == set(PROVIDERS)
    for slug, upstream, headers, usage, price_id in table:
        provider = PROVIDERS[slug.strip("`")]
        assert upstream == f"`{provider.base_url}`"
        assert {name.encode() for name in re.findall(r"`([^`]+)`", headers)} == provider.credential_headers
        assert price_id.strip("`") == (provider.price_id or "none")
        assert (usage == "reports none") == (provider.read_response("x", "text/event-stream", SAMPLE).usage is None)


SAMPLE = b'data: {"usage":{"prompt_tokens":1,"completion_tokens":2}}\n\n'


@pytest.mark.parametrize(("slug", "path", "url"), rows("slug | path", "## Paths"))
def test_every_path_goes_where_the_page_says(slug: str, path: str, url: str) -> None:
    provider = PROVIDERS[slug.strip("`")]
    went = provider.base_url + provider.upstream_path(path.strip("`"), ACCOUNT)
    assert went.replace(ACCOUNT, "{account_id}") == url.strip("`")


def named(cell: str, names: dict[str, str]) -> str:
    for name, value in names.items():
        cell = cell.replace(name, value)
    return cell.strip("`")


def test_every_host_is_the_one_that_the_page_says() -> None:
    names = {"{resource}": "res-1", "{deployment}": "d", "{id}": "abc1", "{p}": "p", "{m}": "m"}
    table = rows("slug | path", "## Hosts that the request names")
    assert {row[0].strip("`") for row in table} == {
        slug for slug, provider in PROVIDERS.items() if placing_of(provider) is not None and slug != "fal"
    }
    for row in table:
        slug, path, url = (named(cell, names) for cell in row)
        provider = PROVIDERS[slug]
        placing = placing_of(provider)
        assert placing is not None
        placed = placing.place(Request(rest=path, query=b"", headers=[]), [])
        assert f"https://{placed.host}{provider.upstream_path(placed.rest, ACCOUNT)}" == url


@pytest.mark.parametrize("reason", [row[0].strip("`") for row in rows("reason")])
def test_every_reason_is_one_that_is_given(reason: str) -> None:
    given_by = (pricing, price_list, price_plans, format_, gemini)
    source = "".join(Path(module.__file__ or "").read_text() for module in given_by)
    for part in reason.removeprefix("GET").split("…"):
        assert part.strip() in source


def test_the_example_is_a_provider() -> None:
    namespace: dict[str, object] = {}
    exec(block("python"), namespace)
    provider = namespace["PROVIDER"]
    assert isinstance(provider, Declared)
    assert provider.upstream_path("chat/completions", ACCOUNT) == "/v1/chat/completions"
    assert provider.read_response("x", "", SAMPLE).usage == Usage(tokens_in=1, tokens_out=2)


def test_the_entry_point_is_the_one_that_is_looked_for() -> None:
    assert list(tomllib.loads(block("toml"))["project"]["entry-points"]) == [ENTRY_POINTS]


def test_the_upstreams_of_the_example_are_accepted(tmp_path: Path) -> None:
    value = re.search(r"GAUGEWAY_UPSTREAMS='([^']+)'", block("sh"))
    assert value
    empty = tmp_path / "gaugeway.toml"
    empty.touch()
    upstreams = load_settings({}, {"GAUGEWAY_UPSTREAMS": value.group(1)}, empty).upstreams
    assert set(upstreams) <= set(PROVIDERS)
