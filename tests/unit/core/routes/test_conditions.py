"""What conditions ask of a request, operator by operator."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gaugeway.core.errors import BadInput
from gaugeway.core.routes.conditions import MAX_DEPTH, MAX_TESTS, read_conditions
from gaugeway.core.routes.values import RequestValues

BODY = {
    "model": "dynamic/x",
    "max_tokens": 50,
    "temperature": 0.5,
    "stream": True,
    "user": None,
    "one": 1,
    "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Grüezi"}],
}
HEADERS = [(b"x-tier", b"gold"), (b"x-level", b"7"), (b"x-many", b"a"), (b"x-many", b"b"), (b"x-one", b"1")]
METADATA: Any = {"plan": "free", "n": 3, "beta": True, "a.b": "dotted"}
REQUEST = RequestValues(json.dumps(BODY).encode(), HEADERS, METADATA)

CASES: list[tuple[Any, bool]] = [
    ({"metadata.plan": "free"}, True),
    ({"metadata.plan": {"$eq": "free"}}, True),
    ({"metadata.plan": {"$eq": "paid"}}, False),
    ({"metadata.plan": {"$ne": "paid"}}, True),
    ({"metadata.none": {"$ne": "paid"}}, True),
    ({"metadata.none": None}, True),
    ({"body.user": None}, True),
    ({"body.user": {"$exists": True}}, True),
    ({"metadata.none": {"$exists": False}}, True),
    ({"metadata.plan": {"$exists": False}}, False),
    ({"metadata.a.b": "dotted"}, True),
    ({"metadata.beta": True}, True),
    ({"metadata.beta": 1}, False),
    ({"body.one": True}, False),
    ({"body.one": 1.0}, True),
    ({"metadata.n": "3"}, False),
    ({"metadata.plan": {"$in": ["trial", "free"]}}, True),
    ({"metadata.plan": {"$in": ["trial", "paid"]}}, False),
    ({"metadata.plan": {"$nin": ["trial", "paid"]}}, True),
    ({"metadata.none": {"$in": [None]}}, True),
    ({"body.max_tokens": {"$gt": 49, "$lte": 50}}, True),
    ({"body.max_tokens": {"$gt": 50}}, False),
    ({"body.max_tokens": {"$gte": 50}}, True),
    ({"body.max_tokens": {"$lt": 50.5}}, True),
    ({"body.stream": {"$gt": 0}}, False),
    ({"body.none": {"$lt": 5}}, False),
    ({"metadata.plan": {"$lt": 5}}, False),
    ({"metadata.plan": {"$gt": "e"}}, True),
    ({"headers.X-Tier": "gold"}, True),
    ({"headers.x-level": {"$gte": 7}}, True),
    ({"headers.x-level": 7}, True),
    ({"headers.x-tier": {"$gte": 7}}, False),
    ({"headers.x-many": "a, b"}, True),
    ({"body.messages.0.role": "system"}, True),
    ({"body.messages.1.content": {"$regex": "^gr(ü|ue)ezi$"}}, False),
    ({"body.messages.1.content": {"$regex": "(?i)^gr(ü|ue)ezi$"}}, True),
    ({"body.messages.2.content": {"$exists": True}}, False),
    ({"body.messages.-1.content": {"$exists": True}}, False),
    ({"body.messages.role": {"$exists": True}}, False),
    ({"body.max_tokens": {"$regex": "5"}}, False),
    ({"metadata.plan": "free", "metadata.n": 3}, True),
    ({"metadata.plan": "free", "metadata.n": 4}, False),
    ({"$and": [{"metadata.plan": "free"}, {"metadata.n": 4}]}, False),
    ({"$or": [{"metadata.plan": "paid"}, {"metadata.n": 3}]}, True),
    ({"$or": [{"metadata.plan": "paid"}, {"metadata.n": 4}]}, False),
    ({"$not": {"metadata.plan": "paid"}}, True),
    ({"metadata.n": {"$not": {"$gt": 2}}}, False),
    ({"metadata.none": {"$not": {"$gt": 2}}}, True),
    ({"$and": [{"$or": [{"metadata.n": 1}, {"metadata.n": 3}]}, {"$not": {"body.stream": False}}]}, True),
]


@pytest.mark.parametrize(("spec", "holds"), CASES, ids=[json.dumps(spec) for spec, _ in CASES])
def test_what_holds(spec: Any, holds: bool) -> None:
    assert read_conditions(spec, ())(REQUEST) is holds


def nested(depth: int) -> Any:
    return {"$not": nested(depth - 1)} if depth else {"metadata.a": 1}


BAD: list[tuple[Any, tuple[Any, ...], str]] = [
    ({}, (), "is empty"),
    ([], (), "expected an object"),
    ("metadata.plan", (), "expected an object"),
    ({"plan": "free"}, ("plan",), "names nothing of a request"),
    ({"metadata": "free"}, ("metadata",), "names nothing of a request"),
    ({"metadata.": "free"}, ("metadata.",), "names nothing of a request"),
    ({"query.x": "free"}, ("query.x",), "names nothing of a request"),
    ({"body.a..b": 1}, ("body.a..b",), "a dot with nothing"),
    ({"metadata.plan": {}}, ("metadata.plan",), "is empty"),
    ({"metadata.plan": {"$like": "f"}}, ("metadata.plan", "$like"), "'$like' is no operator: expected $eq"),
    ({"metadata.plan": {"free": 1}}, ("metadata.plan", "free"), "is no operator"),
    ({"metadata.plan": {"$eq": ["free"]}}, ("metadata.plan", "$eq"), "expected a text, a number"),
    ({"metadata.plan": ["free"]}, ("metadata.plan", "$eq"), "expected a text, a number"),
    ({"metadata.plan": {"$in": []}}, ("metadata.plan", "$in"), "a list that is not empty"),
    ({"metadata.plan": {"$in": "free"}}, ("metadata.plan", "$in"), "a list that is not empty"),
    ({"metadata.plan": {"$in": ["a", {}]}}, ("metadata.plan", "$in", 1), "expected a text, a number"),
    ({"metadata.plan": {"$in": list(range(1001))}}, ("metadata.plan", "$in"), "more than 1000"),
    ({"metadata.plan": {"$gt": None}}, ("metadata.plan", "$gt"), "a number or a text"),
    ({"metadata.plan": {"$gt": True}}, ("metadata.plan", "$gt"), "a number or a text"),
    ({"metadata.n": {"$gt": float("nan")}}, ("metadata.n", "$gt"), "finite"),
    ({"metadata.n": 1 << 70}, ("metadata.n", "$eq"), "finite"),
    ({"metadata.plan": {"$exists": 1}}, ("metadata.plan", "$exists"), "true or false"),
    ({"metadata.plan": {"$regex": "("}}, ("metadata.plan", "$regex"), "no regular expression that RE2 knows"),
    ({"metadata.plan": {"$regex": "(?=a)"}}, ("metadata.plan", "$regex"), "no regular expression that RE2 knows"),
    ({"metadata.plan": {"$regex": "a" * 1001}}, ("metadata.plan", "$regex"), "at most 1000"),
    ({"metadata.plan": {"$regex": "\ud800"}}, ("metadata.plan", "$regex"), "Unicode"),
    ({"metadata.plan": {"$regex": "((a{99}){99}){99}"}}, ("metadata.plan", "$regex"), "RE2"),
    ({"headers.x": True}, ("headers.x", "$eq"), "a header is a text"),
    ({"$nor": [{"metadata.a": 1}]}, ("$nor",), "stands for no condition"),
    ({"$and": {"metadata.a": 1}}, ("$and",), "a list that is not empty"),
    ({"$and": [{"metadata.a": 1}, 7]}, ("$and", 1), "expected an object"),
    ({"$or": [{"metadata.a": {"$x": 1}}]}, ("$or", 0, "metadata.a", "$x"), "is no operator"),
    (nested(MAX_DEPTH + 1), ("$not",) * (MAX_DEPTH + 1), "nested deeper"),
    ({"$or": [{"metadata.a": 1}] * (MAX_TESTS + 1)}, ("$or", MAX_TESTS, "metadata.a", "$eq"), "more than 500"),
]


@pytest.mark.parametrize(("spec", "path", "message"), BAD, ids=[message for _, _, message in BAD])
def test_what_is_refused_says_where(spec: Any, path: tuple[Any, ...], message: str) -> None:
    with pytest.raises(BadInput) as refused:
        read_conditions(spec, ())
    assert refused.value.path == path
    assert message in refused.value.message


def test_a_hostile_text_takes_no_time_to_match() -> None:
    hostile = RequestValues(json.dumps({"x": "a" * 100_000}).encode(), [], None)
    assert read_conditions({"body.x": {"$regex": "(a*)*(a|aa)*b$"}}, ())(hostile) is False


@pytest.mark.parametrize("body", [b"", b"[1]", b"{", b"\xff", b"[" * 100_000, b'"text"'])
def test_a_body_that_is_no_object_has_nothing(body: bytes) -> None:
    assert read_conditions({"body.model": {"$exists": True}}, ())(RequestValues(body, [], None)) is False
