"""Which of the logs that a dataset selects become items: without duplicates, of one part of a split, a sample.

Everything is decided by hashes of a seed with what an item is, so the same logs give the same choice in any order,
and a log that comes later changes nothing about where the others are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from fractions import Fraction
from hashlib import sha256

import msgspec
from msgspec import Struct, structs

from gaugeway.core.model import Bodies, LogRecord
from gaugeway.core.query import METADATA
from gaugeway.core.snapshot_hashes import canonical
from gaugeway.core.snapshots import Recipe, Sampling, Split, Tally

Group = str | None


class Candidate(Struct, frozen=True):
    """A log that may be sampled."""

    rank: bytes  # the lowest are taken
    log_id: bytes
    group: Group


class Chooser:
    """Shown every log once, in the order of their ids; then it tells which are chosen."""

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe
        self._seen: set[bytes] = set()
        self._candidates: list[Candidate] = []
        self._tally = Tally()

    @property
    def reads_bodies(self) -> bool:
        """Whether it must be shown the requests."""
        return self._recipe.deduplicate or self._recipe.split is not None

    def see(self, record: LogRecord, bodies: Bodies | None) -> None:
        """Consider a log."""
        self._count("selected")
        recipe, key = self._recipe, request_key(record, bodies) if self.reads_bodies else None
        if recipe.deduplicate and key is not None:
            if key in self._seen:
                self._count("duplicates")
                return
            self._seen.add(key)
        if recipe.split is not None and part_of(recipe.split, key or record.id) != recipe.split.part:
            self._count("other_parts")
            return
        sampling = recipe.sampling or Sampling()
        rank = sha256(b"gaugeway sample %d\n" % sampling.seed + record.id).digest()[:12]
        self._candidates.append(Candidate(rank, record.id, group_of(record, sampling.by)))

    def chosen(self) -> tuple[list[bytes], Tally]:
        """The ids of the logs that become items, in order, and what became of the others."""
        sampling = self._recipe.sampling
        taken = self._candidates if sampling is None else sample(self._candidates, sampling)
        tally = structs.replace(self._tally, not_sampled=len(self._candidates) - len(taken))
        return sorted(candidate.log_id for candidate in taken), tally

    def _count(self, name: str) -> None:
        self._tally = structs.replace(self._tally, **{name: getattr(self._tally, name) + 1})


def request_key(record: LogRecord, bodies: Bodies | None) -> bytes | None:
    """The same for requests that ask the same of the same; None where the request was not kept whole.

    JSON is compared as JSON: the order of keys and white space do not matter.
    """
    if bodies is None or bodies.request is None or bodies.request_cut:
        return None
    try:
        body = canonical(msgspec.json.decode(bodies.request))
    except (ValueError, RecursionError):  # UnicodeDecodeError too
        body = bodies.request
    return sha256(b"\n".join([record.provider.encode(), record.model.encode(errors="replace"), body])).digest()


def part_of(split: Split, key: bytes) -> str:
    """Which part an item is in."""
    place = int.from_bytes(sha256(b"gaugeway split %d\n" % split.seed + key).digest()[:8])
    of_shares = place * sum(split.shares.values()) >> 64
    for part in sorted(split.shares):
        of_shares -= split.shares[part]
        if of_shares < 0:
            return part
    raise AssertionError("the shares add up to their sum")


def group_of(record: LogRecord, by: str) -> Group:
    """The stratum of a log; None where it has no such entry in its metadata."""
    if by in ("provider", "model"):
        return getattr(record, by)
    if not by:
        return None
    value = (record.metadata or {}).get(by.removeprefix(METADATA))
    if value is None or isinstance(value, str):
        return value
    return msgspec.json.encode(value).decode()


def sample(candidates: Sequence[Candidate], sampling: Sampling) -> list[Candidate]:
    """Those with the lowest ranks of each stratum."""
    groups: dict[Group, list[Candidate]] = defaultdict(list)
    for candidate in candidates:
        groups[candidate.group].append(candidate)
    sizes = {group: len(members) for group, members in groups.items()}
    if sampling.per_group is not None:
        quotas = {group: min(size, sampling.per_group) for group, size in sizes.items()}
    else:
        quotas = allocate(sizes, len(candidates) if sampling.size is None else sampling.size)
    return [
        candidate
        for group, members in groups.items()
        for candidate in sorted(members, key=lambda one: (one.rank, one.log_id))[: quotas[group]]
    ]


def allocate(sizes: Mapping[Group, int], wanted: int) -> dict[Group, int]:
    """So many in all, each stratum by its share (largest remainders); all of them where there are not more."""
    total = sum(sizes.values())
    wanted = min(wanted, total)
    exact = {group: Fraction(size * wanted, total) for group, size in sizes.items()}
    quotas = {group: int(share) for group, share in exact.items()}
    by_remainder = sorted(sizes, key=lambda group: (quotas[group] - exact[group], group is None, group or ""))
    for group in by_remainder[: wanted - sum(quotas.values())]:
        quotas[group] += 1
    return quotas
