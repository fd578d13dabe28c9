"""Times in bins: how far a percentile may be from the true one."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaugeway.core.timings import EXACT_BELOW_MS, RELATIVE_ERROR, Timings, bin_of, middle_of

times = st.integers(0, 300) | st.integers(0, 100_000) | st.integers(0, (1 << 63) - 1)


def timings_of(values: list[int]) -> Timings:
    return Timings(count=len(values), total=sum(values), bins=Counter(map(bin_of, values)))


@given(times)
def test_a_bin_stands_for_what_is_in_it(ms: int) -> None:
    middle = middle_of(bin_of(ms))
    assert abs(middle - ms) <= ms * RELATIVE_ERROR
    assert bin_of(middle) == bin_of(ms)
    if ms < EXACT_BELOW_MS:
        assert middle == ms


@given(times, times)
def test_longer_times_are_in_no_lower_bin(one: int, other: int) -> None:
    low, high = sorted((one, other))
    assert bin_of(low) <= bin_of(high)


@given(st.lists(times, min_size=1, max_size=60), st.integers(1, 100))
def test_a_percentile_is_the_time_of_its_rank_within_the_error(values: list[int], percent: int) -> None:
    rank = -(-len(values) * percent // 100)
    exact = sorted(values)[rank - 1]
    (found,) = timings_of(values).percentiles(percent)
    assert found is not None
    assert abs(found - exact) <= exact * RELATIVE_ERROR


def test_a_negative_time_counts_as_none() -> None:
    assert bin_of(-5) == 0


def test_of_no_time_there_is_no_figure() -> None:
    assert Timings().percentiles(50, 99) == [None, None]
    assert Timings().mean() is None


@pytest.mark.parametrize(("percent", "expected"), [(1, 1), (50, 2), (51, 3), (75, 3), (99, 4), (100, 4)])
def test_the_rank_is_the_nearest_one(percent: int, expected: int) -> None:
    assert timings_of([4, 1, 3, 2]).percentiles(percent) == [expected]


@given(st.lists(times, max_size=20), st.lists(times, max_size=20))
def test_parts_add_up_to_the_whole(some: list[int], others: list[int]) -> None:
    added = timings_of(some)
    more = timings_of(others)
    added.add(more.count, more.total, more.bins)
    assert added == timings_of([*some, *others])
