"""Gaugeway: a self-hosted AI gateway that measures what flows through it."""

__version__ = "0.1.0"
