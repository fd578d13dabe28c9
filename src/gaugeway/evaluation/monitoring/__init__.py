"""Live traffic, window by window: when one is due, what it says, and who is told. See `watch.py`."""
