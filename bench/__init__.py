"""Measures Gaugeway against plain nginx in the same run. See README.md."""
