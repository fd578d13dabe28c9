"""The data that the package genai-prices brings along: its edition, and the units that its prices are of."""

from __future__ import annotations

from functools import cache
from importlib import metadata
from typing import Any


@cache
def version() -> str:
    """Which edition of the price data is used, e.g. `genai-prices 0.2.3`.

    Kept, as each log's cost names it and reading a package's metadata takes longer than all the rest of a log.
    """
    return "genai-prices " + metadata.version("genai-prices")


@cache
def units() -> dict[str, dict[str, Any]]:
    """What prices are of, by genai-prices' names of them."""
    from genai_prices.data_units import unit_data

    return unit_data


@cache
def units_by_price() -> dict[str, str]:
    """The unit of each of a price's fields."""
    return {unit["price_key"]: name for name, unit in units().items()}
