from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaugeway.cli.filters import parse_filter
from gaugeway.core.errors import BadInput
from gaugeway.core.model import Join, RawFilter, RawGroup
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
        ("metadata.key=team", RawFilter("metadata.key", "eq", ["team"])),
        ("metadata.team=1", RawFilter("metadata.team", "eq", ["1"])),
        ("provider neq openai", RawFilter("provider", "neq", ["openai"])),
        ("tokens eq [1, 2]", RawFilter("tokens", "eq", [1, 2])),
    ],
)
def test_what_is_understood(text: str, expected: RawFilter) -> None:
    assert parse_filter(text) == expected


A, B = RawFilter("model", "eq", ["a"]), RawFilter("cost", "gt", [0.01])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"any_of": ["model=a", "cost>0.01"]}', RawGroup(Join.ANY_OF, [A, B])),
        (' {"none_of": ["model=a"]} ', RawGroup(Join.NONE_OF, [A])),
        ('{"all_of": [{"key": "model", "operator": "eq", "value": ["a"]}]}', RawGroup(Join.ALL_OF, [A])),
        (
            '{"any_of": ["model=a", {"all_of": ["cost>0.01", {"none_of": ["model eq a"]}]}]}',
            RawGroup(Join.ANY_OF, [A, RawGroup(Join.ALL_OF, [B, RawGroup(Join.NONE_OF, [A])])]),
        ),
        (
            '{"any_of": ["request_body~Grüße and = all", "response_body not_contains x"]}',
            RawGroup(
                Join.ANY_OF,
                [
                    RawFilter("request_body", "contains", ["Grüße and = all"]),
                    RawFilter("response_body", "not_contains", ["x"]),
                ],
            ),
        ),
        ('{"key": "model", "operator": "eq", "value": ["a"]}', A),
    ],
)  # fmt: skip
def test_groups_are_json_with_expressions_in_it(text: str, expected: RawFilter | RawGroup) -> None:
    assert parse_filter(text) == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"any_of": ["model=a"]', "this is not"),
        ('{"any_of": []}', "any_of: A group needs at least one filter"),
        ('{"one_of": ["model=a"]}', 'expected {"any_of": [...]}'),
        ('{"any_of": ["model=a"], "none_of": ["model=b"]}', 'expected {"any_of": [...]}'),
        ('{"any_of": "model=a"}', 'expected {"any_of": [...]}'),
        ('{"any_of": ["model"]}', "expected KEY OPERATOR VALUE"),
        ('{"any_of": ["model=a", {"all_of": ["cost gt cheap"]}]}', "any_of.1.all_of.0.value.0: Expected a number"),
        ('{"any_of": [7]}', 'expected {"any_of": [...]}'),
        ('{"any_of":[' * 6 + '"model=a"' + "]}" * 6, "At most 5 groups"),
        ('{"any_of":[' * 5000 + '"model=a"' + "]}" * 5000, "--filter"),
        ("{}", 'expected {"any_of": [...]}'),
    ],
)
def test_a_group_that_is_refused_says_why_and_where(text: str, reason: str) -> None:
    with pytest.raises(BadInput) as refused:
        parse_filter(text)
    assert reason in str(refused.value)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("response_body=x", "use contains or not_contains"),
        ("provider", "expected KEY OPERATOR VALUE"),
        ("", "expected KEY OPERATOR VALUE"),
        ("provider ==openai", "expected KEY OPERATOR VALUE"),
        ("nosuch=1", "Expected 'created_at'"),
        ("metadata.=team", "Expected 'created_at'"),
        ("wholesale=true", "Expected 'created_at'"),
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
