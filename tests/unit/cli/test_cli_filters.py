from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaugeway.cli.filters import parse_filter
from gaugeway.core.errors import BadInput
from gaugeway.core.model import RawFilter
from gaugeway.core.query import DATASET_KEYS


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("provider eq openai", RawFilter("provider", "eq", ["openai"])),
        ("provider=openai", RawFilter("provider", "eq", ["openai"])),
        ("  provider =  openai ", RawFilter("provider", "eq", ["openai"])),
        ("cost gt 0.01", RawFilter("cost", "gt", [0.01])),
        ("cost>0.01", RawFilter("cost", "gt", [0.01])),
        ("tokens<100", RawFilter("tokens", "lt", [100])),
        ("model~gpt", RawFilter("model", "contains", ["gpt"])),
        ("model=1", RawFilter("model", "eq", ["1"])),
        ("model=a=b c", RawFilter("model", "eq", ["a=b c"])),
        ("success=true", RawFilter("success", "eq", [True])),
        ("cached eq False", RawFilter("cached", "eq", [False])),
        ("feedback=-1", RawFilter("feedback", "eq", [-1])),
        ("created_at>2026-11-01", RawFilter("created_at", "gt", ["2026-11-01"])),
        ('model eq ["a", "b"]', RawFilter("model", "eq", ["a", "b"])),
        ("tokens eq [1, 2]", RawFilter("tokens", "eq", [1, 2])),
    ],
)
def test_what_is_understood(text: str, expected: RawFilter) -> None:
    assert parse_filter(text) == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("provider", "expected KEY OPERATOR VALUE"),
        ("", "expected KEY OPERATOR VALUE"),
        ("provider ==openai", "expected KEY OPERATOR VALUE"),
        ("nosuch=1", "Expected 'created_at'"),
        ("metadata.key=team", "Expected 'created_at'"),
        ("provider neq openai", "Expected 'eq'"),
        ("provider is openai", "Expected 'eq'"),
        ("cost gt cheap", "Expected a number of dollars"),
        ("cost>=1", "expected KEY OPERATOR VALUE"),
        ("success=yes", "Expected true or false"),
        ("tokens ~ 5", "'contains' works on text"),
        ("provider<a", "works on numbers and times"),
        ("created_at>yesterday", "Expected an RFC 3339 time"),
        ("model eq []", "At least one value"),
        ("model eq [a", "no JSON list"),
        ('cost gt ["1", "2"]', "exactly one value"),
    ],
)
def test_what_is_refused_repeats_the_filter_and_says_why(text: str, reason: str) -> None:
    with pytest.raises(BadInput) as refused:
        parse_filter(text)
    assert reason in str(refused.value)
    assert str(refused.value).startswith("--filter")


@given(key=st.sampled_from(DATASET_KEYS), operator=st.sampled_from(["eq", "contains", "lt", "gt"]), value=st.text())
def test_any_text_is_understood_or_refused(key: str, operator: str, value: str) -> None:
    try:
        found = parse_filter(f"{key} {operator} {value}")
    except BadInput:
        return
    assert (found.key, found.operator) == (key, operator)
    assert msgspec.json.decode(msgspec.json.encode(found.value)) == found.value


@given(
    st.text(alphabet=st.characters(categories=["L", "N", "P", "S"]), min_size=1).filter(lambda t: t[0] not in "=[")
)
def test_a_text_value_arrives_as_written(value: str) -> None:
    assert parse_filter(f"model={value}").value == [value]
    assert parse_filter(f"model eq {value}").value == [value]
