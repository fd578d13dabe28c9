"""What figures say and how sure they are: pure arithmetic, one idea a file. In words: docs/evaluators.md."""

from __future__ import annotations

from gaugeway.evaluation.statistics.decimals import DIGITS, average, divide

__all__ = ["DIGITS", "average", "divide"]
