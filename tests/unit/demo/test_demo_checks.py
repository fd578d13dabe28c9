"""The demo's own checks find what is wrong."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from gaugeway.demo.chats import PRICE_IN, PRICE_OUT, Chat, Kind, Sent, plan
from gaugeway.demo.checks import Figure, Log, check_logs, check_results, expected_figures

COST = 10 * PRICE_IN + 20 * PRICE_OUT


def chat(**changes: Any) -> Chat:
    return msgspec.structs.replace(Chat(kind=Kind.WHOLE, question="?", priced=True, feedback=1), **changes)


def sent(log_id: str, **changes: Any) -> Sent:
    one = Sent(chat=chat(), log_id=log_id, status=200, seconds=1, tokens_in=10, tokens_out=20)
    return msgspec.structs.replace(one, **changes)


def log(log_id: str, **changes: Any) -> Log:
    one = Log(
        id=log_id, model="m", success=True, outcome="success", duration=7, status_code=200, tokens_in=10,
        tokens_out=20, cost=COST, feedback=1,
    )  # fmt: skip
    return msgspec.structs.replace(one, **changes)


def test_nothing_to_find() -> None:
    assert check_logs([sent("a")], [log("a")]) == []


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        ({"outcome": "client_gone"}, "outcome is 'client_gone', expected 'success'"),
        ({"success": False}, "success is False"),
        ({"status_code": 500}, "status_code is 500"),
        ({"tokens_in": 11}, "tokens_in is 11, expected 10"),
        ({"tokens_out": None}, "tokens_out is None, expected 20"),
        ({"cost": Decimal(0)}, "cost is Decimal('0')"),
        ({"cost": None}, "cost is None"),
        ({"cost": COST + Decimal("1e-12")}, "cost is"),
        ({"feedback": -1}, "feedback is -1, expected 1"),
        ({"metadata": {"a": 1}}, "metadata is {'a': 1}"),
    ],
)
def test_each_field_that_differs_is_found(change: dict[str, Any], finding: str) -> None:
    (found,) = check_logs([sent("a")], [log("a", **change)])
    assert finding in found


def test_a_cost_where_none_can_be_known() -> None:
    unpriced = sent("a", chat=chat(priced=False))
    assert check_logs([unpriced], [log("a", cost=None)]) == []
    (found,) = check_logs([unpriced], [log("a", cost=Decimal(0))])
    assert "expected None" in found


def test_missing_doubled_and_foreign_logs() -> None:
    assert len(check_logs([sent("a"), sent("b")], [log("a")])) == 2
    assert len(check_logs([sent("a")], [log("a"), log("b")])) == 2
    assert len(check_logs([sent("a")], [log("a"), log("a")])) == 1
    assert len(check_logs([msgspec.structs.replace(sent("a"), log_id=None)], [log("a")])) == 2


def result(name: str, value: str, n: int, skipped: int = 0) -> dict[str, Any]:
    return {"evaluation_type_id": name, "result": value, "total_logs": n, "skipped": skipped, "failed": 0}


def test_figures_are_worked_out_from_what_is_known() -> None:
    logs = [log("a", cost=Decimal(1), duration=1), log("b", cost=None, duration=2)]
    both = [sent("a"), sent("b", chat=chat(feedback=-1)), sent("c", chat=chat(feedback=None))]
    assert expected_figures(both, logs) == {
        "cost": Figure(value=Decimal(1), n=1),
        "speed": Figure(value=Decimal("1.5"), n=2),
        "human_feedback": Figure(value=Decimal(50), n=2),
    }
    assert expected_figures([], []) == dict.fromkeys(["cost", "speed", "human_feedback"], Figure(value=None, n=0))


@pytest.mark.parametrize(
    ("results", "finding"),
    [
        ([result("cost", "1.5", 2, 1)], None),
        ([result("cost", "1.6", 2, 1)], "cost is '1.6', expected 1.5"),
        ([result("cost", "", 2, 1)], "cost is ''"),
        ([result("cost", "1.5", 3, 0)], "computed from 3 logs, expected 2"),
        ([result("cost", "1.5", 2, 0)], "do not add up to 3"),
        ([], "there is no result of cost"),
    ],
)
def test_results(results: list[dict[str, Any]], finding: str | None) -> None:
    figures = {"cost": Figure(value=Decimal("1.5"), n=2)}
    found = check_results({"total_logs": 3, "results": results}, figures, 3)
    assert found == [] if finding is None else finding in found[0]


def test_an_evaluation_over_other_logs() -> None:
    (found,) = check_results({"total_logs": 2, "results": []}, {}, 3)
    assert "selected 2 logs of 3" in found


@pytest.mark.parametrize("count", [1, 12, 50])
def test_the_plan_holds_what_was_asked_for_and_every_failure(count: int) -> None:
    kinds = [one.kind for one in plan(count)]
    assert len(kinds) == count + 3
    assert set(kinds) >= {Kind.WHOLE, Kind.BAD_REQUEST, Kind.UNKNOWN_PATH, Kind.HUNG_UP}


def test_the_plan_has_priced_and_unpriced_marked_and_unmarked_chats() -> None:
    chats = plan(12)
    assert {one.priced for one in chats} == {True, False}
    assert {one.feedback for one in chats} == {1, -1, None}
    assert {one.kind for one in chats} == set(Kind)
    assert any(one.metadata for one in chats)
