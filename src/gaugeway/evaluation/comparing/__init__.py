"""Comparisons: two lots of logs side by side, and whether their difference could be chance."""
