"""Datasets to a selection: a union up to the evaluation's moment, or a refusal; never silently everything."""

from __future__ import annotations

import pytest
from msgspec import structs

from gaugeway.core.query import Filter, Operator
from gaugeway.evaluation.selection import Unselectable, select
from support import laboratory as lab


def test_one_alternative_per_dataset_up_to_the_evaluation():
    where = select(
        lab.evaluation(
            lab.dataset(("provider", "eq", ["openai"]), ("success", "eq", [True])),
            lab.dataset(("duration", "gt", [10])),
            created_at=lab.NOON + 5,
        )
    )
    assert where.until_ms == lab.NOON + 5
    assert where.search is None
    assert where.alternatives == (
        (Filter("provider", Operator.EQ, ("openai",)), Filter("success", Operator.EQ, (True,))),
        (Filter("duration", Operator.GT, (10,)),),
    )


def test_a_dataset_without_filters_is_all_logs():
    assert select(lab.evaluation(lab.dataset())).alternatives == ((),)


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (("colour", "eq", ["red"]), "filters.0.key: Invalid enum value"),
        (("model", "is", ["m"]), "filters.0.operator: Invalid enum value"),
        (("model", "eq", []), "filters.0.value: At least one value"),
        (("duration", "lt", ["soon"]), "filters.0.value.0: Expected a whole number"),
        (("wholesale", "eq", [True]), "filters.0.key: Invalid enum value"),
    ],
)
def test_a_stored_filter_that_cannot_be_read_is_named(bad, says):
    good, broken = lab.dataset(name="good"), lab.dataset(bad, name="from an older day")
    with pytest.raises(Unselectable) as refused:
        select(lab.evaluation(good, broken))
    assert "'from an older day'" in str(refused.value)
    assert broken.id in str(refused.value)
    assert says in str(refused.value)


def test_no_dataset_is_not_everything():
    nothing = structs.replace(lab.evaluation(), datasets=[])
    with pytest.raises(Unselectable, match="no dataset"):
        select(nothing)
