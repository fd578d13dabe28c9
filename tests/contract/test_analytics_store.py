"""What every adapter of AnalyticsStore must answer: what an oracle counts over the logs themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gaugeway.core import ids
from gaugeway.core.analytics import Bucket, GroupBy, Question
from gaugeway.core.model import LogRecord, Outcome, Scope, Usage
from gaugeway.stores import Stores, open_stores
from support import analytics_oracle
from support.some_logs import ACCOUNT, OTHER_SCOPE, SCOPE, a_log, keep_all, logged, varied

ADAPTERS = {"sqlite": lambda folder: f"sqlite://{folder}"}
MIDNIGHT = 1_700_006_400_000  # 2023-11-15T00:00:00Z
HOUR, DAY = Bucket.HOUR.ms, Bucket.DAY.ms


@pytest.fixture(params=sorted(ADAPTERS), scope="module")
def stores(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stores]:
    stores = open_stores(ADAPTERS[request.param](tmp_path_factory.mktemp("analytics") / "data"))
    yield stores
    stores.close()


def moved(record: LogRecord, scope: Scope, ms: int, number: int) -> LogRecord:
    """The log in another gateway and at another time."""
    fields = {name: getattr(record, name) for name in record.__struct_fields__}
    fields |= {
        "account_id": scope.account_id,
        "gateway_id": scope.gateway_id,
        "id": ids.first_at(ms)[:8] + number.to_bytes(8),
        "first_byte_ms": (None, 0, 90, 450)[number % 4],
        "cost_saved": (None, Decimal("0.000001"), Decimal("1e-15"))[number % 3] if record.cached else None,
    }
    return LogRecord(**fields)


TIMES = [
    MIDNIGHT + offset for offset in (-DAY - 1, -HOUR, -1, 0, 1, 59_999, HOUR - 1, HOUR, 5 * HOUR, DAY, 3 * DAY)
]
ALL_LOGS = [
    moved(record, (SCOPE, OTHER_SCOPE)[number % 5 == 0], TIMES[number % len(TIMES)], number)
    for number, record in enumerate(varied(400, seed=3))
]
edges = st.sampled_from([*TIMES, *(time + 1 for time in TIMES), MIDNIGHT - 20 * DAY, MIDNIGHT + 20 * DAY])
questions = st.builds(
    Question,
    account_id=st.just(ACCOUNT),
    gateway_id=st.sampled_from((None, SCOPE.gateway_id, OTHER_SCOPE.gateway_id, "never")),
    start_ms=edges,
    end_ms=edges,
    bucket=st.sampled_from(Bucket),
    group_by=st.none() | st.sampled_from(GroupBy),
    groups=st.none() | st.sampled_from((frozenset(), frozenset(("openai", "main", "success", True)))),
)


@pytest.fixture(scope="module")
def filled(stores: Stores) -> Stores:
    stranger = Scope("b" * 32, SCOPE.gateway_id)
    strangers = [moved(record, stranger, MIDNIGHT, number) for number, record in enumerate(varied(10))]
    stores.logs.append(logged([*ALL_LOGS, *strangers]), keep_all)
    return stores


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(question=questions)
def test_every_answer_is_what_the_logs_say(filled: Stores, question: Question) -> None:
    found = filled.analytics.answer(question)
    assert {point: analytics_oracle.plain(its) for point, its in found.items()} == analytics_oracle.answer(
        ALL_LOGS, question
    )


@pytest.mark.parametrize("group_by", [None, *GroupBy])
def test_the_groups_are_those_that_have_logs(filled: Stores, group_by: GroupBy | None) -> None:
    question = Question(
        account_id=ACCOUNT,
        start_ms=MIDNIGHT,
        end_ms=MIDNIGHT + DAY,
        bucket=Bucket.MINUTE,
        group_by=group_by,
        groups=frozenset(),
    )
    expected = Counter(
        analytics_oracle.group_of(log, group_by)
        for log in ALL_LOGS
        if question.start_ms <= log.created_at < question.end_ms
    )
    assert filled.analytics.groups(question) == expected


def test_sums_beyond_64_bits_are_exact(stores: Stores) -> None:
    scope = Scope("c" * 32, "large")
    largest = (1 << 62) - 1
    records = [
        a_log(
            scope,
            cost=Decimal("9000000.000000000001"),
            duration=(1 << 63) - 1,
            first_byte_ms=(1 << 63) - 1,
            usage=Usage(tokens_in=largest, tokens_out=largest, cached_tokens_in=largest),
            outcome=Outcome.CACHED,
            cost_saved=Decimal("9000000.5"),
        )
        for _ in range(5)
    ]
    stores.logs.append(logged(records), keep_all)
    question = Question(
        account_id=scope.account_id, start_ms=0, end_ms=1 << 48, bucket=Bucket.DAY, group_by=GroupBy.MODEL
    )
    (figures,) = stores.analytics.answer(question).values()
    assert figures.cost == Decimal("45000000.000000000005")
    assert figures.cost_saved == Decimal("45000002.5")
    assert figures.duration.total == figures.first_byte.total == 5 * ((1 << 63) - 1)
    assert figures.tokens_in == figures.tokens_out == figures.cached_tokens_in == 5 * largest


def test_more_models_than_have_names_are_one_group(stores: Stores) -> None:
    scope = Scope("d" * 32, "names")
    records = [a_log(scope, model="x" * 600), a_log(scope, model="y" * 600), a_log(scope, model="short")]
    stores.logs.append(logged(records), keep_all)
    question = Question(
        account_id=scope.account_id, start_ms=0, end_ms=1 << 48, bucket=Bucket.DAY, group_by=GroupBy.MODEL
    )
    assert stores.analytics.groups(question) == {"short": 1, None: 2}
    assert {group for _, group in stores.analytics.answer(question)} == {"short", None}
