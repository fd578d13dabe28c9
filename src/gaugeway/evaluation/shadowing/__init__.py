"""Shadows: `looking.py` finds what is drawn, `run.py` sends it as replays do, `runner.py` holds the lease."""
