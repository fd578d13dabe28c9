"""docs/analytics.md names every parameter, figure and bound of analytics."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from gaugeway.management.analytics_query import MAX_BUCKETS, MAX_POINTS, MAX_TOP, AnalyticsQuery
from gaugeway.management.analytics_view import AnalyticsView, FiguresView, SeriesView, TimingsView

PAGE = (Path(__file__).parents[2] / "docs" / "analytics.md").read_text()
CODE = set(re.findall(r"`(\w+)`", PAGE))
FIELDS = AnalyticsQuery.model_fields
CHOICES = [*get_args(FIELDS["bucket"].annotation), *get_args(FIELDS["group_by"].annotation)]


@pytest.mark.parametrize("name", [*FIELDS, *FiguresView.model_fields, *TimingsView.model_fields, *CHOICES])
def test_every_name_is_explained(name: str) -> None:
    assert name in CODE


@pytest.mark.parametrize("name", [*AnalyticsView.model_fields, *SeriesView.model_fields])
def test_the_shape_is_drawn(name: str) -> None:
    assert re.search(rf"\b{name}\b", PAGE.partition("## The answer")[2].partition("- Buckets begin")[0])


@pytest.mark.parametrize(
    "bound", [f"{MAX_BUCKETS} buckets", f"{MAX_POINTS} figures", f"{MAX_TOP}: only so many groups"]
)
def test_the_bounds_are_true(bound: str) -> None:
    assert bound in PAGE
