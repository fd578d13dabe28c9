"""Costs, words and metadata as columns."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaugeway.core.model import LogRecord, Outcome, Usage
from gaugeway.core.query import EVERYTHING, Filter, Operator, Slice, Where
from gaugeway.stores.sqlite import log_rows, metadata_text, words
from gaugeway.stores.sqlite.conditions import FALSE, TRUE, Condition, all_of, any_of, is_in, negated
from gaugeway.stores.sqlite.logs import SqliteLogStore
from gaugeway.stores.sqlite.metadata_text import SEPARATOR
from gaugeway.stores.sqlite.words import Word
from support.some_logs import SCOPE, a_log, keep_all, logged

amounts = st.builds(
    lambda sign, digits, exponent: Decimal((sign, digits, exponent)),
    st.integers(0, 1),
    st.lists(st.integers(0, 9), min_size=1, max_size=45).map(tuple),
    st.integers(-60, 3),
)


@given(amounts)
def test_a_cost_is_kept_exactly_or_refused(amount: Decimal) -> None:
    columns = log_rows.cost_columns(amount)
    if columns is None:
        assert abs(amount) > Decimal("9223372.036854775807")
    else:
        whole, digits = columns
        assert log_rows.cost_of(whole, digits) == amount
        assert Fraction(amount) * 10**12 - whole == (Fraction(int(digits), 10 ** len(digits)) if digits else 0)
        assert digits != ""


@given(amounts, amounts)
def test_costs_are_in_the_order_of_their_columns(one: Decimal, other: Decimal) -> None:
    left, right = log_rows.cost_columns(one), log_rows.cost_columns(other)
    if left and right:
        as_sqlite_sorts = [(whole, digits or "") for whole, digits in (left, right)]
        assert (as_sqlite_sorts[0] < as_sqlite_sorts[1]) == (one < other)


@pytest.mark.parametrize(
    "amount", ["NaN", "Infinity", "1e999999", "-1e999999", "1e-999999", "1e-200", f"1.{'0' * 300}1", "9223372.1"]
)
def test_absurd_amounts_are_refused_at_once(amount: str) -> None:
    assert log_rows.cost_columns(Decimal(amount)) is None


def test_zero_is_a_cost() -> None:
    assert log_rows.cost_columns(Decimal("0E-50")) == (0, None)
    assert log_rows.cost_columns(Decimal("0E+50")) == (0, None)


def test_every_outcome_has_its_code_for_ever() -> None:
    """The code is its place: what is stored must not change its meaning."""
    assert set(log_rows.OUTCOMES) == set(Outcome)
    assert [outcome.value for outcome in log_rows.OUTCOMES] == [
        "success",
        "cached",
        "refused",
        "rate_limited",
        "spend_limited",
        "blocked",
        "upstream_error",
        "timeout",
        "stream_cut",
        "client_gone",
        "internal_error",
    ]
    assert [outcome.is_success for outcome in log_rows.OUTCOMES] == [True] * 2 + [False] * 9


def test_rows_are_in_the_order_of_their_tables(tmp_path: Path) -> None:
    """They are inserted without the columns' names."""
    store = SqliteLogStore(tmp_path)
    logs = store.logs_database.rows("SELECT name FROM pragma_table_info('logs')")
    payloads = store.payloads.database.rows("SELECT name FROM pragma_table_info('payloads')")
    store.close()
    assert ", ".join(name for (name,) in logs) == log_rows.COLUMNS
    assert [name for (name,) in payloads] == ["pid", "zdict", "request_size", "response_size", "cut", "data"]


def test_every_kind_of_word_has_its_number_for_ever() -> None:
    assert [(kind.name, kind.value) for kind in Word] == [
        ("PROVIDER", 1),
        ("MODEL", 2),
        ("MODEL_TYPE", 3),
        ("REQUEST_TYPE", 4),
        ("REQUEST_CONTENT_TYPE", 5),
        ("RESPONSE_CONTENT_TYPE", 6),
        ("USER_AGENT", 7),
        ("PATH", 8),
        ("METADATA_KEYS", 9),
    ]


texts = st.text(alphabet=st.sampled_from('ab\x1e\x1f\x00é日"\\,[]'), max_size=6)
values = texts | st.integers() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False)


@given(st.dictionaries(texts, values, max_size=5))
def test_metadata_comes_back_as_it_was(metadata) -> None:
    keys, joined = metadata_text.to_columns(metadata)
    back = metadata_text.from_columns(keys, joined)
    assert back == (metadata or None)
    if back:
        assert list(back) == list(metadata)
        assert [type(value) for value in back.values()] == [type(value) for value in metadata.values()]


def test_a_value_can_be_found_as_a_piece_of_text() -> None:
    _, joined = metadata_text.to_columns({"user": "u1", "n": 5, "ok": True, "x": 1e22})
    assert joined == f"{SEPARATOR}u1{SEPARATOR}5{SEPARATOR}true{SEPARATOR}1e+22{SEPARATOR}"


def test_words_stay_few_and_short_whatever_is_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "MAX_WORDS", 10)
    store = SqliteLogStore(tmp_path)
    records = [a_log(model=f"model {n}", user_agent="x" * 10_000 + str(n)) for n in range(30)]
    store.append(logged(records), keep_all)
    count = "SELECT count(*), max(length(text)) FROM words WHERE kind = ?"
    assert store.logs_database.rows(count, (Word.MODEL,)) == [(10, 7)]
    assert store.logs_database.rows(count, (Word.USER_AGENT,)) == [(0, None)]
    assert store.page(SCOPE, EVERYTHING, Slice(limit=30, descending=False)) == records
    for record in (records[3], records[25]):
        for key in ("model", "user_agent"):
            item = Filter(key, Operator.EQ, (getattr(record, key),))
            assert store.page(SCOPE, Where(((item,),)), Slice()) == [record]
            assert store.count(SCOPE, Where(((item,),))) == 1
    assert store.logs_database.rows("SELECT count(*) FROM counts") == [(11,)]
    store.close()


def test_another_process_sees_new_words(tmp_path: Path) -> None:
    ours, theirs = SqliteLogStore(tmp_path), SqliteLogStore(tmp_path)
    for number in range(5):
        record = a_log(provider=f"p{number}", model=f"m{number % 2}", metadata={f"k{number}": 1})
        (ours, theirs)[number % 2].append(logged([record]), keep_all)
        for store in (ours, theirs):
            assert store.get(SCOPE, record.id) == record
            assert store.count(SCOPE, Where(((Filter("provider", Operator.EQ, (record.provider,)),),))) == 1
    assert ours.logs_database.rows("SELECT count(*) FROM words WHERE kind = 1") == [(5,)]
    ours.close()
    theirs.close()


def test_a_word_cannot_be_made_outside_a_transaction(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="adding"):
        _ = words.Words()[Word.MODEL]["new"]


def test_conditions_fold_what_is_certain() -> None:
    unknown = Condition("x = ?", (1,))
    assert all_of([unknown, TRUE]) == unknown
    assert all_of([unknown, FALSE]) == FALSE
    assert any_of([unknown, FALSE]) == unknown
    assert any_of([unknown, TRUE]) == TRUE
    assert (all_of([]), any_of([])) == (TRUE, FALSE)
    assert (negated(TRUE), negated(FALSE)) == (FALSE, TRUE)
    assert is_in("x", []) == FALSE
    assert any_of([unknown, negated(unknown)]) == Condition("(x = ? OR NOT (x = ?))", (1, 1))


def test_usage_that_only_decides_the_price_is_not_kept() -> None:
    """So says core.model; whoever adds a field to Usage must decide whether it is kept."""
    kept = {name for name in Usage.__struct_fields__ if name in log_rows.Rest.__struct_fields__}
    columns = {"tokens_in", "tokens_out"}
    assert set(Usage.__struct_fields__) - kept - columns == {"other_units", "price_context", "doubt"}
    assert set(log_rows.Rest.__struct_fields__) - kept <= set(LogRecord.__struct_fields__)
