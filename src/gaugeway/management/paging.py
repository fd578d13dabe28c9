"""Pages of lists (contract 1.3): `page` from 1, `per_page`, and what `result_info` says."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from gaugeway.management.validation import Query

LAST_PAGE = 1_000_000_000  # times the largest page this is still an offset that a store can count to


class Paged(Query):
    """The paging parameters of a list; the largest page is 100 unless a list says otherwise."""

    page: int = Field(1, ge=1, le=LAST_PAGE)
    per_page: int = Field(20, ge=1, le=100)

    @property
    def offset(self) -> int:
        """How many items come before the page."""
        return (self.page - 1) * self.per_page

    def info(self, count: int, total: int | None) -> dict[str, Any]:
        """The `result_info` of a page of `count` items; `total` None: not known, which is not 0."""
        return result_info(self.page, self.per_page, count, total)


def result_info(page: int, per_page: int, count: int, total: int | None) -> dict[str, Any]:
    """Where a page of `count` items stands in a list of `total`."""
    return {
        "count": count,
        "page": page,
        "per_page": per_page,
        "total_count": total,
        "total_pages": None if total is None else -(-total // per_page),
    }
