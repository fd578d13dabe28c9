"""Identifiers: their order is the order of time, within a process and over several."""

from __future__ import annotations

import os
from itertools import pairwise
from uuid import UUID

from gaugeway.core import ids

NOON_MS = 1_795_000_000_000
NOON_NS = NOON_MS * 1_000_000


class SetClock:
    """Unix time in ns that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = NOON_NS

    def __call__(self) -> int:
        return self.now


def test_an_id_is_a_uuid_of_version_7_that_tells_its_millisecond() -> None:
    made = ids.Uuid7(SetClock(), os.urandom)()
    read = UUID(bytes=made)
    assert (read.version, read.variant) == (7, "specified in RFC 4122")
    assert ids.time_ms(made) == NOON_MS
    assert ids.from_text(ids.to_text(made)) == made


def test_ids_of_two_processes_within_a_millisecond_stand_in_the_order_of_time() -> None:
    clock = SetClock()
    makers = [ids.Uuid7(clock, os.urandom) for _ in range(2)]
    made: list[bytes] = []
    for number in range(3_000):
        made.append(makers[number % 2]())
        clock.now += 300
    assert made == sorted(made)
    assert ids.time_ms(made[-1]) == NOON_MS


def test_ids_increase_while_the_clock_stands_still() -> None:
    make = ids.Uuid7(SetClock(), os.urandom)
    made = [make() for _ in range(10_000)]
    assert all(earlier < later for earlier, later in pairwise(made))
    assert ids.time_ms(made[-1]) == NOON_MS + 2  # a millisecond has 4096 steps


def test_ids_increase_though_the_clock_steps_back() -> None:
    clock = SetClock()
    make = ids.Uuid7(clock, os.urandom)
    before = make()
    clock.now -= 10**12
    after = make()
    assert before < after
    assert ids.time_ms(after) == NOON_MS


def test_the_bounds_of_a_millisecond_hold_every_id_made_in_it() -> None:
    clock = SetClock()
    make = ids.Uuid7(clock, os.urandom)
    first = make()
    clock.now += 999_999
    last = make()
    assert ids.first_at(NOON_MS) <= first < last < ids.first_at(NOON_MS + 1)
