"""Which graphs are routes, and what they decide."""

from __future__ import annotations

import json
from collections import Counter
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaugeway.core.errors import BadInput
from gaugeway.core.routes.elements import MAX_ELEMENTS, Percentage, as_json, read_elements
from gaugeway.core.routes.graph import check_graph, fraction_of, read_graph
from support.routes import END, conditional, model, percentage, rate, simple, start, to

CONDITION = {"metadata.plan": "free"}
FULL = [
    start("c"),
    conditional("c", CONDITION, "p", "r"),
    percentage("p", _10="a", _50="b", rest="r"),
    rate("r", "b", "a", key="metadata.user"),
    model("a", "b"),
    model("b"),
    END,
]


def changed(index: int, **fields: Any) -> list[dict[str, Any]]:
    elements = deepcopy(FULL)
    elements[index] |= fields
    return elements


def with_property(index: int, **properties: Any) -> list[dict[str, Any]]:
    elements = deepcopy(FULL)
    elements[index]["properties"] |= properties
    return elements


def test_elements_are_kept_as_they_are_sent() -> None:
    assert json.loads(as_json(read_elements(FULL))) == FULL
    assert read_graph(json.dumps(FULL)).start.id == "start"


def test_older_spellings_are_read_and_become_todays() -> None:
    old = deepcopy(FULL)
    old[1]["properties"] = {"condition": CONDITION}
    old[3] |= {
        "type": "rate_limit",
        "properties": {"limitType": "count", "key": "", "limit": 5.0, "interval": 60.0},
    }
    kept = json.loads(as_json(read_elements(old)))
    assert kept[1]["properties"] == {"conditions": CONDITION}
    assert (kept[3]["type"], kept[3]["properties"]["window"], kept[3]["properties"]["limit"]) == ("rate", 60, 5)


BAD: list[tuple[Any, tuple[Any, ...], str]] = [
    ({}, (), "Expected an array"),
    ([], (), "Expected 1 to 100"),
    ([start("m")] * (MAX_ELEMENTS + 1), (), "Expected 1 to 100"),
    (["x"], (0,), "Expected 'object'"),
    ([{"id": "a"}], (0,), "missing required field 'type'"),
    ([{"id": "a", "type": "switch"}], (0, "type"), "Invalid value 'switch'"),
    (changed(0, id=""), (0, "id"), "length >= 1"),
    (changed(0, outputs={}), (0, "outputs"), "missing required field 'next'"),
    (changed(0, note="x"), (0,), "unknown field 'note'"),
    (changed(1, outputs={"true": to("a")}), (1, "outputs"), "missing required field 'false'"),
    (with_property(3, limitType="tokens"), (3, "properties", "limitType"), "Invalid enum value 'tokens'"),
    (with_property(3, limit=0), (3, "properties", "limit"), "at least 1"),
    (with_property(3, limit=1.5), (3, "properties", "limit"), "a whole number of requests"),
    (with_property(3, limitType="cost", limit=0), (3, "properties", "limit"), "dollars above 0"),
    (with_property(3, limitType="cost", limit=float("nan")), (3, "properties", "limit"), "dollars above 0"),
    (with_property(3, limitType="cost", limit=4_000_001), (3, "properties", "limit"), "at most 4000000"),
    (with_property(3, window=0), (3, "properties", "window"), ">= 1"),
    (with_property(3, window=1.5), (3, "properties", "window"), "Expected 'int'"),
    (with_property(3, interval=60), (3, "properties"), "'window' is given twice"),
    (with_property(3, key="user"), (3, "properties", "key"), "names nothing of a request"),
    (with_property(4, timeout=0), (4, "properties", "timeout"), ">= 1"),
    (with_property(4, retries=5), (4, "properties", "retries"), "<= 4"),
    (with_property(4, retries="1"), (4, "properties", "retries"), "Expected 'int'"),
    (with_property(4, model=""), (4, "properties", "model"), "length >= 1"),
    (with_property(4, provider="custom"), (4, "properties", "model"), "names nothing of a request"),
    (with_property(4, provider="custom", model="body.x"), (4, "properties", "model"), "metadata.*"),
    (with_property(1, conditions={"x": 1}), (1, "properties", "conditions", "x"), "names nothing"),
    (with_property(1, conditions=[]), (1, "properties", "conditions"), "Expected 'object'"),
    (changed(4, id="b"), (5, "id"), "another element with the id 'b'"),
    (FULL[1:], (), "one element of the type 'start', not 0"),
    ([*FULL, start("a") | {"id": "s2"}], (7, "type"), "not 2"),
    (changed(0, outputs={"next": to("x")}), (0, "outputs", "next", "elementId"), "no element 'x'"),
    (
        changed(5, outputs={"success": to("end"), "fallback": to("z")}),
        (5, "outputs", "fallback", "elementId"),
        "'z'",
    ),
    (changed(6, outputs={"more": to("a")}), (6, "outputs", "more"), "leads nowhere"),
    (
        changed(4, outputs={"success": to("b"), "fallback": to("end")}),
        (4, "outputs", "success", "elementId"),
        "an end",
    ),
    (
        changed(5, outputs={"success": to("end"), "fallback": to("a")}),
        (5, "outputs", "fallback", "elementId"),
        "loop",
    ),
    (
        changed(5, outputs={"success": to("end"), "fallback": to("b")}),
        (5, "outputs", "fallback", "elementId"),
        "loop",
    ),
    (
        changed(5, outputs={"success": to("end"), "fallback": to("start")}),
        (5, "outputs", "fallback", "elementId"),
        "p",
    ),
    (changed(2, outputs={}), (2, "outputs"), "1 to 5 shares"),
    (changed(2, outputs={"half": to("a")}), (2, "outputs", "half"), "'half' is no share"),
    (changed(2, outputs={"0%": to("a"), "else": to("b")}), (2, "outputs", "0%"), "is no share"),
    (changed(2, outputs={"101%": to("a")}), (2, "outputs", "101%"), "is no share"),
    (changed(2, outputs={"60%": to("a"), "50%": to("b")}), (2, "outputs"), "110% in all"),
    (changed(2, outputs={"60%": to("a"), "30%": to("b")}), (2, "outputs"), "no 'else'"),
    (changed(2, outputs={f"{n}%": to("a") for n in range(1, 7)} | {"else": to("b")}), (2, "outputs"), "1 to 5"),
    ([start("end"), END], (0, "outputs"), "No way from the start comes to a model"),
]


@pytest.mark.parametrize(("sent", "path", "message"), BAD, ids=[f"{path} {message}" for _, path, message in BAD])
def test_what_is_no_route_is_refused_with_its_place(sent: Any, path: tuple[Any, ...], message: str) -> None:
    with pytest.raises(BadInput) as refused:
        check_graph(read_elements(sent))
    assert refused.value.path == path
    assert message in refused.value.message


def test_a_loop_beside_the_way_is_refused_too() -> None:
    aside = [conditional("x", CONDITION, "y", "m"), conditional("y", CONDITION, "x", "m")]
    with pytest.raises(BadInput, match="loop"):
        check_graph(read_elements([*simple(), *aside]))


def test_text_that_is_not_unicode_is_refused() -> None:
    with pytest.raises(BadInput, match="Unicode"):
        as_json(read_elements(with_property(4, model="\ud800")))


def test_a_wide_graph_is_checked_at_once() -> None:
    """Each element leads to the next twice: there are 2^97 ways."""
    diamonds = [conditional(f"c{n}", CONDITION, f"c{n + 1}", f"c{n + 1}") for n in range(97)]
    graph = check_graph(read_elements([start("c0"), *diamonds, model("c97"), END]))
    assert graph.leads_to_model("c0")
    assert not graph.leads_to_model("end")


def shares(**outputs: str) -> tuple[Any, Percentage]:
    graph = check_graph(read_elements([start("p"), percentage("p", **outputs), *map(model, "abc"), END]))
    element = graph.elements["p"]
    assert isinstance(element, Percentage)
    return graph, element


@pytest.mark.parametrize(
    ("fraction", "target"), [(0.0, "a"), (0.0999, "a"), (0.1, "b"), (0.5999, "b"), (0.6, "c"), (1 - 2**-53, "c")]
)
def test_shares_follow_one_another(fraction: float, target: str) -> None:
    graph, element = shares(_10="a", _50="b", rest="c")
    assert graph.choose(element, fraction) == target


@given(st.floats(0, 1, exclude_max=True))
def test_shares_of_a_hundred_percent_need_no_rest(fraction: float) -> None:
    graph, element = shares(**{"_33.3": "a", "_33.4": "b", "_33.300": "c"})
    assert graph.choose(element, fraction) in "abc"


def test_what_sticks_is_spread_evenly_and_always_the_same() -> None:
    graph, element = shares(_10="a", _50="b", rest="c")
    chosen = [graph.choose(element, fraction_of("route", "p", f"session-{n}")) for n in range(4000)]
    assert chosen == [graph.choose(element, fraction_of("route", "p", f"session-{n}")) for n in range(4000)]
    counted = Counter(chosen)
    for target, expected in (("a", 400), ("b", 2000), ("c", 1600)):
        assert abs(counted[target] - expected) < 5 * (expected * (1 - expected / 4000)) ** 0.5
    other = [graph.choose(element, fraction_of("route", "q", f"session-{n}")) for n in range(4000)]
    assert other != chosen
