"""docs/costs.md names every field of a cost rule, and its example is accepted."""

from __future__ import annotations

import json
import re
from pathlib import Path

from gaugeway.core.pricing import CUSTOM_COST
from gaugeway.management.cost_rules import NewCostRule, Prices

PAGE = (Path(__file__).parents[2] / "docs" / "costs.md").read_text()


def test_every_field_is_explained() -> None:
    named = set(re.findall(r"`(\w+)`", PAGE))
    assert set(NewCostRule.model_fields) <= named
    assert set(Prices.model_fields) <= named


def test_the_example_is_accepted() -> None:
    example = NewCostRule.model_validate(json.loads(re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)[0]))
    assert example.token_pricing is not None


def test_whose_price_it_is() -> None:
    assert f"| `{CUSTOM_COST}` |" in PAGE
