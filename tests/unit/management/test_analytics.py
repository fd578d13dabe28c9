"""Analytics through the API: ranges, buckets, groups, bounds, and what the answer looks like."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from gaugeway.core.analytics import Figures, Point, Question
from gaugeway.core.errors import TooMuchToRead
from gaugeway.core.model import Outcome, Usage
from gaugeway.management.analytics_view import AnalyticsAnswer
from support.control_plane import NOW, ControlPlane, error

HOUR = 3_600_000
ANALYTICS = "/gateways/main/analytics"
START = "2026-11-18T10:00:00Z"  # NOW is 11:06:40
END = "2026-11-18T12:00:00Z"


@pytest.fixture(autouse=True)
def gateway(plane: ControlPlane) -> None:
    plane.make_gateway()


def ask(plane: ControlPlane, path: str = ANALYTICS, **params: Any) -> dict[str, Any]:
    """The result, which must be of the shape that the API's description promises."""
    answer = plane.get(path, **params)
    shape = AnalyticsAnswer.model_validate(answer, strict=False)
    assert shape.model_dump(mode="json") == answer
    return answer["result"]


def test_what_was_logged_a_moment_ago_is_counted(plane: ControlPlane) -> None:
    plane.log(
        at=NOW,
        usage=Usage(tokens_in=10, tokens_out=4, cached_tokens_in=3),
        cost=Decimal("0.000123456789"),
        duration=100,
        first_byte_ms=40,
        feedback=1,
    )
    plane.log(at=NOW, outcome=Outcome.CACHED, cost=Decimal(0), cost_saved=Decimal("0.5"), duration=3)
    plane.log(at=NOW, outcome=Outcome.CACHED, cost=Decimal(0), duration=5, feedback=-1)
    plane.log(at=NOW, outcome=Outcome.UPSTREAM_ERROR, duration=1000)
    answer = ask(plane, start=START, end=END, bucket="hour")
    totals = answer["totals"]
    assert answer["group_by"] == "none"
    assert answer["percentile_error"] == 1 / 128
    assert answer["buckets"] == [
        {"start": "2026-11-18T10:00:00.000Z", "end": "2026-11-18T11:00:00.000Z"},
        {"start": "2026-11-18T11:00:00.000Z", "end": "2026-11-18T12:00:00.000Z"},
    ]
    (series,) = answer["series"]
    assert (series["group"], series["other"]) == (None, False)
    assert series["totals"] == totals
    assert series["points"][1] == totals
    assert series["points"][0]["requests"] == 0
    counted = {"success": 1, "cached": 2, "upstream_error": 1}
    assert totals == {
        "requests": 4,
        "successes": 3,
        "errors": 1,
        "cached": 2,
        "outcomes": {outcome.value: counted.get(outcome, 0) for outcome in Outcome},
        "tokens_in": 10,
        "tokens_in_unknown": 3,
        "tokens_out": 4,
        "tokens_out_unknown": 3,
        "cached_tokens_in": 3,
        "cost": "0.000123456789",
        "cost_unknown": 1,
        "cost_saved": "0.5",
        "cost_saved_unknown": 1,
        "thumbs_up": 1,
        "thumbs_down": 1,
        "duration": {"count": 4, "mean": 277.0, "p50": 5, "p90": 1004, "p95": 1004, "p99": 1004},
        "first_byte_ms": {"count": 1, "mean": 40.0, "p50": 40, "p90": 40, "p95": 40, "p99": 40},
    }


def test_where_there_is_nothing_the_figures_are_0_or_null(plane: ControlPlane) -> None:
    answer = ask(plane)
    assert answer["start"] == "2026-11-17T11:00:00.000Z"  # a whole hour, so that no log need be read
    assert len(answer["buckets"]) == 25
    assert answer["buckets"][0]["start"] == answer["start"]
    assert answer["buckets"][-1]["end"] == answer["end"]
    (series,) = answer["series"]
    assert series["points"] == [answer["totals"]] * 25
    assert answer["totals"]["requests"] == 0
    assert answer["totals"]["cost"] == "0"
    assert answer["totals"]["duration"] == {
        "count": 0, "mean": None, "p50": None, "p90": None, "p95": None, "p99": None,
    }  # fmt: skip
    assert ask(plane, group_by="model")["series"] == []


def test_the_start_is_in_the_range_and_the_end_is_not(plane: ControlPlane) -> None:
    for at in (NOW - 1, NOW, NOW + 1, NOW + 59_999, NOW + 60_000):
        plane.log(at=at)
    answer = ask(plane, start="2026-11-18T11:06:40Z", end="2026-11-18T11:07:40Z")
    assert answer["bucket"] == "minute"
    assert [point["requests"] for point in answer["series"][0]["points"]] == [2, 1]
    assert answer["totals"]["requests"] == 3


@pytest.mark.parametrize(
    ("start", "bucket"),
    [("2026-11-18T08:06:40Z", "minute"), ("2026-11-18T08:06:39Z", "hour"), ("2026-11-10T11:06:40Z", "hour"),
     ("2026-11-10T11:06:39Z", "day"), ("2026-11-18T13:06:40+05:00", "minute"), ("2026-11-01", "day")],
)  # fmt: skip
def test_buckets_fit_the_range_where_none_are_asked_for(plane: ControlPlane, start: str, bucket: str) -> None:
    assert ask(plane, start=start)["bucket"] == bucket


@pytest.mark.parametrize(
    ("group_by", "expected"),
    [
        ("gateway", {"main": 5}),
        ("provider", {"openai": 3, "anthropic": 2}),
        ("model", {"a": 2, "b": 2, "": 1}),
        ("outcome", {"success": 3, "cached": 1, "timeout": 1}),
        ("success", {True: 4, False: 1}),
        ("cached", {False: 4, True: 1}),
    ],
)
def test_groups(plane: ControlPlane, group_by: str, expected: dict[str | bool, int]) -> None:
    for provider, model, outcome in (
        ("openai", "a", Outcome.SUCCESS),
        ("openai", "a", Outcome.SUCCESS),
        ("openai", "b", Outcome.CACHED),
        ("anthropic", "b", Outcome.TIMEOUT),
        ("anthropic", "", Outcome.SUCCESS),
    ):
        plane.log(at=NOW, provider=provider, model=model, outcome=outcome)
    answer = ask(plane, start=START, end=END, group_by=group_by)
    found = {series["group"]: series["totals"]["requests"] for series in answer["series"]}
    assert found == expected
    assert list(found) == sorted(expected, key=lambda group: (-expected[group], str(group)))
    assert not any(series["other"] for series in answer["series"])
    assert all(len(series["points"]) == len(answer["buckets"]) for series in answer["series"])
    assert answer["totals"]["requests"] == 5


def test_the_largest_groups_and_the_others_as_one(plane: ControlPlane) -> None:
    for model, number in (("a", 1), ("b", 3), ("c", 2), ("d", 1)):
        for _ in range(number):
            plane.log(at=NOW, model=model, cost=Decimal(1))
    answer = ask(plane, start=START, end=END, group_by="model", top=2, bucket="hour")
    assert [(series["group"], series["other"], series["totals"]["cost"]) for series in answer["series"]] == [
        ("b", False, "3"),
        ("c", False, "2"),
        (None, True, "2"),
    ]
    assert [series["points"][1]["requests"] for series in answer["series"]] == [3, 2, 2]
    assert answer["totals"]["cost"] == "7"
    answer = ask(plane, start=START, end=END, group_by="model", top=4)
    assert [series["group"] for series in answer["series"]] == ["b", "c", "a", "d"]


def test_an_account_is_the_sum_of_its_gateways(plane: ControlPlane) -> None:
    plane.make_gateway("second")
    plane.log(at=NOW, cost=Decimal(1))
    plane.log(at=NOW, gateway_id="second", cost=Decimal(2))
    answer = ask(plane, "/analytics", start=START, end=END, group_by="gateway")
    assert {series["group"]: series["totals"]["cost"] for series in answer["series"]} == {
        "main": "1",
        "second": "2",
    }
    assert answer["totals"]["cost"] == "3"
    assert ask(plane, start=START, end=END)["totals"]["cost"] == "1"
    prefix = f"/client/v4/accounts/{plane.other_account_id}/ai-gateway"
    token = {"authorization": f"Bearer {plane.text_of('stranger')}"}
    theirs = plane.client.get(f"{prefix}/analytics", headers=token, params={"start": START, "end": END})
    assert theirs.json()["result"]["totals"]["requests"] == 0


@pytest.mark.parametrize(
    ("params", "path", "message"),
    [
        ({"start": "yesterday"}, ["query", "start"], "Expected an RFC 3339 time or a date"),
        ({"end": "0x12"}, ["query", "end"], "Expected an RFC 3339 time or a date"),
        ({"start": END, "end": START}, ["query", "start"], "start must be before end"),
        ({"start": START, "end": START}, ["query", "start"], "start must be before end"),
        ({"start": "1969-12-31"}, ["query", "start"], "Expected a time after 1970"),
        ({"start": "2026-11-17T10:00:00Z", "end": END, "bucket": "minute"}, ["query", "bucket"], "1560 of one"),
        ({"start": "2020-01-01", "end": END, "bucket": "day"}, ["query", "start"], "choose longer"),
        ({"start": "2020-01-01"}, ["query", "start"], "At most 1500 buckets"),
        ({"bucket": "week"}, ["query", "bucket"], "Expected 'auto' | 'minute' | 'hour' | 'day'"),
        ({"group_by": "user"}, ["query", "group_by"], "received 'user'"),
        ({"top": 0}, ["query", "top"], "greater than or equal to 1"),
        ({"top": 101}, ["query", "top"], "less than or equal to 100"),
        ({"filters": "[]"}, ["query", "filters"], "Unrecognized key"),
    ],
)  # fmt: skip
def test_what_cannot_be_answered_is_refused_with_its_path(
    plane: ControlPlane, params: dict[str, Any], path: list[str], message: str
) -> None:
    for of in (ANALYTICS, "/analytics"):
        code, where, text = error(plane.call("GET", of, params=params))
        assert (code, where) == (7001, path)
        assert message in text


def test_too_many_groups_for_so_many_buckets_are_refused(plane: ControlPlane) -> None:
    for number in range(6):
        plane.log(at=NOW, model=f"model-{number}")
    params = {"start": "2026-11-17T12:00:00Z", "end": END, "bucket": "minute", "group_by": "model"}
    code, path, message = error(plane.call("GET", ANALYTICS, params=params))
    assert (code, path) == (7001, ["query", "group_by"])
    assert message == (
        "At most 5000 figures (buckets times groups) are answered, and this would be 1440 times 6:"
        " choose longer buckets, a shorter range, or `top`"
    )
    code, _, message = error(plane.call("GET", ANALYTICS, params={**params, "top": 3}))
    assert "1440 times 4" in message
    answer = ask(plane, **params, top=2)
    assert [series["totals"]["requests"] for series in answer["series"]] == [1, 1, 4]


def test_without_top_a_few_groups_over_a_day_of_minutes_are_answered(plane: ControlPlane) -> None:
    plane.log(at=NOW, outcome=Outcome.TIMEOUT)
    answer = ask(plane, start="2026-11-17T12:00:00Z", end=END, bucket="minute", group_by="outcome")
    assert len(answer["series"][0]["points"]) == 1440


def test_a_log_writer_that_is_behind_is_told(plane: ControlPlane) -> None:
    plane.sink.stuck = True
    for path in (ANALYTICS, "/analytics"):
        (message,) = plane.get(path)["messages"]
        assert "newest logs may be missing" in message["message"]


def test_an_unknown_gateway_is_not_found(plane: ControlPlane) -> None:
    assert error(plane.call("GET", "/gateways/none/analytics"), 404)[0] == 7002


def test_the_description_tells_the_shape_of_the_answer(plane: ControlPlane) -> None:
    described = plane.client.get("/openapi.json").json()
    operation = described["paths"]["/client/v4/accounts/{account_id}/ai-gateway/analytics"]["get"]
    shape = operation["responses"]["200"]["content"]["application/json"]["schema"]
    assert shape == {"$ref": "#/components/schemas/AnalyticsAnswer"}
    figures = described["components"]["schemas"]["FiguresView"]["properties"]
    assert set(figures) == set(ask(plane)["totals"])


class Exhausted:
    """An AnalyticsStore that would have to read too much."""

    def answer(self, question: Question) -> dict[Point, Figures]:
        raise TooMuchToRead(1_000_000)

    groups = answer


@pytest.mark.parametrize(
    ("params", "path", "advice"),
    [
        ({"bucket": "minute", "start": START, "end": END}, ["query", "bucket"], "choose hours or days as buckets"),
        ({"bucket": "hour"}, ["query", "start"], "begin the range at a whole hour"),
        ({"bucket": "day", "group_by": "model"}, ["query", "start"], "begin the range at a whole hour"),
    ],
)
def test_a_range_that_would_take_too_long_is_refused(
    plane: ControlPlane, params: dict[str, str], path: list[str], advice: str
) -> None:
    with plane.installation.with_parts(analytics=Exhausted()) as client:
        token = {"authorization": f"Bearer {plane.text_of('reader')}"}
        answer = client.get(plane.prefix + ANALYTICS, headers=token, params=params)
    code, where, message = error(answer)
    assert (code, where) == (7001, path)
    assert message == f"More than 1000000 logs would have to be read one by one: {message.partition(': ')[2]}"
    assert advice in message
