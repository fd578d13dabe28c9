"""From a figure to a result: each state, its words, and what is refused."""

from __future__ import annotations

import logging
from decimal import Decimal

import pytest
from msgspec import structs

from gaugeway.core.aggregates import Aggregated
from gaugeway.core.metrics import NO_INTERVAL, Direction, Interval, Metric
from gaugeway.core.model import Result, ResultStatus
from gaugeway.evaluation import conclusion
from support import laboratory as lab

TEN = Aggregated(10, {})


class Scripted:
    """An evaluator that answers or raises what it is given."""

    name, type, version, description, unit = "Scripted", "code", "1", "Says what it is told.", "-"
    direction = Direction.LOWER
    aggregates = ()

    def __init__(self, answer: object) -> None:
        self.id = "scripted"
        self.answer = answer

    def conclude(self, selected):
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer


def queued() -> Result:
    return lab.evaluation(types=("scripted",)).results[0]


def concluded(answer: object, selected: Aggregated = TEN) -> Result:
    return conclusion.conclude(queued(), Scripted(answer), selected, lab.NOON + 9)


def test_the_interval_stands_beside_the_value():
    result = concluded(Metric(value=Decimal(5), n=10, interval=Interval(Decimal("1E+1"), Decimal("20.50"), "t")))
    assert (result.low, result.high, result.interval_method, result.interval_note) == ("10", "20.5", "t", "")
    assert (result.unit, result.direction) == ("-", "lower")


@pytest.mark.parametrize(
    ("metric", "note"),
    [
        (Metric(value=Decimal(5), n=10), NO_INTERVAL),
        (Metric(value=Decimal(5), n=10, no_interval="there is one log only"), "there is one log only"),
        (Metric(value=None, n=0, skipped=10), "there is no value"),
    ],
)
def test_without_an_interval_it_says_why(metric, note):
    result = concluded(metric)
    assert (result.low, result.high, result.interval_method, result.interval_note) == ("", "", "", note)


def test_completed():
    result = concluded(Metric(value=Decimal("1.500"), n=7, skipped=3, note="7 of 10"))
    assert (result.status, result.status_description) == (ResultStatus.COMPLETED, "completed: 7 of 10")
    assert (result.result, result.total_logs, result.skipped, result.failed) == ("1.5", 7, 3, 0)
    assert result.modified_at == lab.NOON + 9


def test_completed_without_a_note():
    assert concluded(Metric(value=Decimal(0), n=10)).status_description == "completed"


@pytest.mark.parametrize(
    ("value", "text"),
    [("0", "0"), ("-0", "0"), ("1E+3", "1000"), ("1.50E-9", "0.0000000015"), ("-2.50", "-2.5"), ("100", "100")],
)
def test_the_result_is_the_shortest_plain_decimal(value, text):
    assert concluded(Metric(value=Decimal(value), n=10)).result == text


def test_no_usable_logs():
    result = concluded(Metric(value=None, n=0, skipped=10, note="0 of 10 logs have a known cost; 10 left out"))
    assert result.status is ResultStatus.COMPLETED_WITHOUT_LOGS
    assert result.status_description.startswith("completed without usable logs: 0 of 10 logs have")
    assert (result.result, result.total_logs, result.skipped) == ("", 0, 10)


def test_no_logs_at_all():
    result = concluded(Metric(value=None, n=0, note="0 of 0"), Aggregated(0, {}))
    assert result.status_description == "completed without usable logs: no log matches the datasets"


def test_failed_on_every_usable_log():
    result = concluded(Metric(value=None, n=0, skipped=4, failed=6))
    assert (result.status, result.status_description) == (ResultStatus.FAILED, "failed: on all 6 logs it could use")
    assert (result.skipped, result.failed) == (4, 6)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (ZeroDivisionError("division by zero"), "gave ZeroDivisionError: division by zero"),
        (ValueError(), "gave ValueError"),
        (SystemExit(3), "gave SystemExit: 3"),
        (RecursionError("too deep"), "gave RecursionError: too deep"),
        (None, "must return a Metric, returned NoneType"),
        (0.5, "must return a Metric, returned float"),
        (Metric(value=0.5, n=10), "finite Decimal"),
        (Metric(value=Decimal("NaN"), n=10), "finite Decimal"),
        (Metric(value=Decimal("Infinity"), n=10), "finite Decimal"),
        (Metric(value=Decimal(1), n=9), "n=9 + skipped=0 + failed=0 must be the 10 logs"),
        (Metric(value=Decimal(1), n=11, skipped=-1), "must be the 10 logs"),
        (Metric(value=None, n=10), "a value needs logs"),
        (Metric(value=Decimal(0), n=0, skipped=10), "a value needs logs"),
        (
            Metric(value=None, n=0, skipped=10, interval=Interval(Decimal(0), Decimal(1), "t")),
            "needs a value and two",
        ),
        (Metric(value=Decimal(1), n=10, interval=Interval(0.5, Decimal(2), "t")), "two finite Decimals"),
        (Metric(value=Decimal(1), n=10, interval=Interval(Decimal(0), Decimal("NaN"), "t")), "two finite Decimals"),
        (Metric(value=Decimal(1), n=10, interval=Interval(Decimal(3), Decimal(2), "t")), "from low to high"),
        (Metric(value=Decimal(1), n=10, interval=Interval(Decimal(0), Decimal(2), "")), "names its method"),
    ],
)
def test_what_an_evaluator_gets_wrong_is_a_failure_never_a_number(answer, says, caplog):
    with caplog.at_level(logging.CRITICAL):
        result = concluded(answer)
    assert result.status is ResultStatus.FAILED
    assert result.status_description.startswith("failed: the evaluator 'scripted' gave ")
    assert says in result.status_description
    assert (result.result, result.total_logs) == ("", 0)


def test_an_evaluator_that_is_gone():
    result = conclusion.conclude(queued(), None, TEN, lab.NOON)
    assert result.status is ResultStatus.FAILED
    assert "no evaluator 'scripted'" in result.status_description


@pytest.mark.parametrize("status", [status for status in ResultStatus if status.is_terminal])
def test_what_is_over_stays_as_it_is(status):
    over = structs.replace(queued(), status=status, status_description="over", result="7")
    assert conclusion.conclude(over, Scripted(Metric(value=Decimal(1), n=10)), TEN, 1) is over
    assert conclusion.start([over], 1) == conclusion.put_back([over], "x", 1) == conclusion.fail([over], "x", 1)
    assert conclusion.fail([over], "x", 1) == [over]


def test_a_reason_is_one_short_line_without_keys():
    problem = RuntimeError("HTTP 401\r\nAuthorization: Bearer sk-proj-abcdefghijklmnop1234567890\x0b " + "x " * 500)
    said = conclusion.reason(problem)
    assert said.startswith("RuntimeError: HTTP 401 Authorization: Bearer … x x")
    assert len(said) <= len("RuntimeError: ") + conclusion.MAX_REASON
    assert said.isprintable()
