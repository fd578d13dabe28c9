"""Replays: `requests.py` makes a call, `forecast.py` says its cost, `sides.py` sends it, `results.py` compares."""
