"""Asks judges: from a sample to its mark, with what was asked before remembered. See `asking.py`."""
