"""Filters mean the same in every encoding of a query string that the official clients and curl use."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaugeway.core.errors import BadInput
from gaugeway.core.model import RawFilter
from gaugeway.management.filters import read_query

Pairs = list[tuple[str, str]]


def _as_json(filters: list[RawFilter]) -> Pairs:
    return [("filters", json.dumps([{"key": f.key, "operator": f.operator, "value": f.value} for f in filters]))]


def _in_turn(filters: list[RawFilter]) -> Pairs:
    """As the TypeScript SDK writes them."""
    pairs: Pairs = []
    for item in filters:
        pairs += [("filters.key", item.key), ("filters.operator", item.operator)]
        pairs += [("filters.value", str(value)) for value in item.value]
    return pairs


def _grouped(filters: list[RawFilter]) -> Pairs:
    """As the Python SDK writes them."""
    pairs: Pairs = [("filters.key", item.key) for item in filters]
    pairs += [("filters.operator", item.operator) for item in filters]
    return pairs + [("filters.value", str(value)) for item in filters for value in item.value]


TEXTS = st.text(min_size=1, max_size=5)
ONE_VALUE = st.builds(RawFilter, TEXTS, TEXTS, st.lists(TEXTS, min_size=1, max_size=1))
ANY_NUMBER = st.builds(RawFilter, TEXTS, TEXTS, st.lists(TEXTS, min_size=1, max_size=4))


@given(st.lists(ANY_NUMBER, max_size=5))
def test_json_and_in_turn_hold_any_number_of_values(filters: list[RawFilter]) -> None:
    assert read_query(_as_json(filters)) == filters
    assert read_query(_in_turn(filters)) == filters


@given(st.lists(ONE_VALUE, max_size=5))
def test_grouped_holds_several_filters_of_one_value(filters: list[RawFilter]) -> None:
    assert read_query(_grouped(filters)) == filters


@given(ANY_NUMBER)
def test_grouped_holds_one_filter_of_several_values(item: RawFilter) -> None:
    assert read_query(_grouped([item])) == [item]


@given(
    st.lists(ANY_NUMBER, min_size=2, max_size=5).filter(lambda many: sum(len(f.value) for f in many) != len(many))
)
def test_grouped_values_that_cannot_be_told_apart_are_refused(filters: list[RawFilter]) -> None:
    with pytest.raises(BadInput, match="cannot be told which value belongs to which filter") as caught:
        read_query(_grouped(filters))
    assert caught.value.path == ("query", "filters")


@given(
    st.lists(st.tuples(st.sampled_from(["filters.key", "filters.operator", "filters.value"]), TEXTS), max_size=12)
)
def test_any_sequence_of_parts_is_read_whole_or_refused(pairs: Pairs) -> None:
    try:
        found = read_query(pairs)
    except BadInput as refusal:
        assert refusal.path[:2] == ("query", "filters")
    else:
        sent = sorted(text for _, text in pairs)
        assert sent == sorted(text for f in found for text in (f.key, f.operator, *map(str, f.value)))


def test_other_parameters_between_the_parts_do_not_matter() -> None:
    pairs = [
        ("page", "1"),
        ("filters.key", "model"),
        ("search", "x"),
        ("filters.operator", "eq"),
        ("filters.value", "a"),
    ]
    assert read_query(pairs) == [RawFilter("model", "eq", ["a"])]


def test_a_filter_may_begin_with_any_of_its_parts() -> None:
    pairs = [
        ("filters.value", "a"),
        ("filters.key", "model"),
        ("filters.operator", "eq"),
        ("filters.key", "cost"),
        ("filters.operator", "gt"),
        ("filters.value", "1"),
    ]
    assert read_query(pairs) == [RawFilter("model", "eq", ["a"]), RawFilter("cost", "gt", ["1"])]


@pytest.mark.parametrize(
    ("key", "operator", "values"),
    [
        ("event_id", "eq", ["", None]),
        ("event_id", "neq", ["", None]),
        ("event_id", "contains", [""]),
        ("feedback", "eq", [None]),
        ("cost", "neq", [None]),
        ("cost", "gt", [""]),
    ],
)
def test_an_empty_text_also_stands_for_null(key: str, operator: str, values: list[Any]) -> None:
    pairs = [("filters.key", key), ("filters.operator", operator), ("filters.value", "")]
    assert read_query(pairs) == [RawFilter(key, operator, values)]


def test_json_keeps_the_types() -> None:
    values = ["a", 1, 1.5, True, None]
    assert read_query([("filters", json.dumps([{"key": "k", "operator": "o", "value": values}]))]) == [
        RawFilter("k", "o", values)
    ]


@pytest.mark.parametrize(
    ("document", "path", "message"),
    [
        ("", (), "Malformed JSON"),
        ("[", (), "Malformed JSON"),
        ("[" * 100_000, (), "Malformed JSON"),
        ("{}", (), "Expected array, received object"),
        ("null", (), "Expected array, received null"),
        ("[1]", (0,), "Expected object, received number"),
        ("[{}]", (0, "key"), "Required"),
        ('[{"key":"a","operator":"eq"}]', (0, "value"), "Required"),
        ('[{"key":"a","operator":"eq","value":"x"}]', (0, "value"), "Expected array, received string"),
        ('[{"key":"a","operator":"eq","value":[{}]}]', (0, "value", 0), "received object"),
        ('[{"key":"a","operator":"eq","value":[NaN]}]', (0, "value", 0), "finite"),
        ('[{"key":"a","operator":"eq","value":["\\ud800"]}]', (0, "value", 0), "surrogate"),
        ('[{"key":"a","operator":"eq","value":[1],"not":true}]', (0, "not"), "Unrecognized key"),
        ('[{"key":1,"operator":"eq","value":[1]}]', (0, "key"), "Expected string, received number"),
    ],
)
def test_bad_json(document: str, path: tuple[Any, ...], message: str) -> None:
    with pytest.raises(BadInput, match=message) as caught:
        read_query([("filters", document)])
    assert caught.value.path == ("query", "filters", *path)


@pytest.mark.parametrize(
    "pairs",
    [
        [("filters", "[]"), ("filters", "[]")],
        [("filters", "[]"), ("filters.key", "a")],
        [("filters.key", "a")],
        [("filters.value", "a")],
        [("filters.key", "a"), ("filters.operator", "eq")],
        [("filters.key", "a"), ("filters.value", "x")],
        [("filters.key", "a"), ("filters.key", "b"), ("filters.operator", "eq"), ("filters.value", "x")],
        [("filters.key", "a"), ("filters.operator", "eq"), ("filters.operator", "lt"), ("filters.value", "x")],
    ],
)
def test_halves_are_refused(pairs: Pairs) -> None:
    with pytest.raises(BadInput) as caught:
        read_query(pairs)
    assert caught.value.path[:2] == ("query", "filters")
