"""Which logs become items: by definition, and however they are ordered."""

from __future__ import annotations

import json
import random
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from gaugeway.core.model import Bodies, LogRecord
from gaugeway.core.snapshots import Recipe, Sampling, Split
from gaugeway.evaluation.freezing.choosing import Chooser, allocate, part_of, request_key
from support.laboratory import log

SHARES = {"train": 80, "test": 20}


def asked(text: str, **more) -> Bodies:
    return Bodies(request=json.dumps({"model": "m", "messages": [text], **more}).encode())


def choose(recipe: Recipe, logs: list[tuple[LogRecord, Bodies | None]]) -> list[bytes]:
    chooser = Chooser(recipe)
    for record, bodies in logs:
        chooser.see(record, bodies)
    chosen, tally = chooser.chosen()
    assert tally.selected == len(logs)
    assert tally.selected == len(chosen) + tally.duplicates + tally.other_parts + tally.not_sampled
    return chosen


def some(number: int, **fields) -> list[tuple[LogRecord, Bodies | None]]:
    return [(log(**fields), asked(f"question {n}")) for n in range(number)]


def test_without_a_recipe_all_are_items() -> None:
    logs = some(5)
    assert choose(Recipe(), logs) == [record.id for record, _ in logs]


def test_of_equal_requests_the_oldest_stays() -> None:
    logs = some(3)
    reordered = b'{"messages": ["question 1"],\n "model": "m"}'
    same = (log(), Bodies(request=reordered))
    assert choose(Recipe(deduplicate=True), [*logs, same]) == [record.id for record, _ in logs]
    for other in (asked("question 1", n=2), Bodies(request=reordered, request_cut=True), Bodies(), None):
        assert len(choose(Recipe(deduplicate=True), [*logs, (log(), other)])) == 4
    for fields in ({"model": "another"}, {"provider": "another"}):
        assert len(choose(Recipe(deduplicate=True), [*logs, (log(**fields), asked("question 1"))])) == 4


def test_requests_that_are_no_json_are_compared_as_they_are() -> None:
    logs = [(log(), Bodies(request=body)) for body in (b"\xff", b"\xff", b"[", b"1e999", b"1e999", b"[" * 100_000)]
    assert len(choose(Recipe(deduplicate=True), logs)) == 4


@given(size=st.integers(1, 40), seed=st.integers(0, 5), order=st.randoms())
def test_a_sample_is_the_same_in_any_order_and_grows_by_itself(size: int, seed: int, order: random.Random) -> None:
    logs = some(30)
    recipe = Recipe(sampling=Sampling(seed=seed, size=size))
    chosen = choose(recipe, logs)
    assert len(chosen) == min(size, 30)
    shuffled = list(logs)
    order.shuffle(shuffled)
    assert choose(recipe, shuffled) == chosen
    more = some(5)
    kept = set(choose(recipe, [*logs, *more])) - {record.id for record, _ in more}
    assert kept <= set(chosen), "a log that comes later can only take a place"


def test_every_log_has_the_same_chance() -> None:
    logs = some(20)
    seen = Counter(one for seed in range(400) for one in choose(Recipe(sampling=Sampling(seed=seed, size=5)), logs))
    assert all(60 <= seen[record.id] <= 145 for record, _ in logs), "100 on average, six standard deviations"


def test_strata_get_their_share() -> None:
    logs = [*some(60, model="a"), *some(30, model="b"), *some(10, model="c")]
    names = {record.id: record.model for record, _ in logs}
    for sampling, wanted in (
        (Sampling(size=10, by="model"), {"a": 6, "b": 3, "c": 1}),
        (Sampling(per_group=20, by="model"), {"a": 20, "b": 20, "c": 10}),
        (Sampling(per_group=1, by="provider"), {"total": 1}),
    ):
        chosen = choose(Recipe(sampling=sampling), logs)
        found = Counter(names[one] for one in chosen)
        assert found == wanted or {"total": len(chosen)} == wanted


def test_what_has_no_entry_is_a_stratum() -> None:
    logs = [*some(4, metadata={"user": "x"}), *some(4)]
    assert len(choose(Recipe(sampling=Sampling(per_group=2, by="metadata.user")), logs)) == 4


@given(st.dictionaries(st.text(max_size=3), st.integers(1, 50), min_size=1), st.integers(1, 200))
def test_quotas_add_up_and_are_the_nearest_there_are(sizes: dict[str | None, int], wanted: int) -> None:
    quotas = allocate(sizes, wanted)
    total = sum(sizes.values())
    assert sum(quotas.values()) == min(wanted, total)
    for group, size in sizes.items():
        exact = size * min(wanted, total) / total
        assert int(exact) <= quotas[group] <= min(size, int(exact) + 1)


@given(st.lists(st.text(), unique=True, max_size=30), st.integers(0, 3))
def test_parts_are_disjoint_and_together_everything(texts: list[str], seed: int) -> None:
    logs = [(log(), asked(text)) for text in texts]
    parts = [choose(Recipe(split=Split(part=part, shares=SHARES, seed=seed)), logs) for part in SHARES]
    assert sorted(one for part in parts for one in part) == [record.id for record, _ in logs]


def test_a_request_is_in_the_same_part_whenever_it_is_asked() -> None:
    split = Split(part="test", shares=SHARES)
    first, second = some(200), some(200)
    in_test = [set(choose(Recipe(split=split), logs)) for logs in (first, second)]
    for (one, bodies), (other, _) in zip(first, second, strict=True):
        assert (one.id in in_test[0]) == (other.id in in_test[1])
        key = request_key(one, bodies)
        assert key is not None
        assert part_of(split, key) == part_of(Split(part="test", shares={"test": 20, "train": 80}), key)
    assert 15 <= len(in_test[0]) <= 70, "40 on average"
