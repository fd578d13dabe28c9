"""The ground floor: what everything speaks about. No I/O, no clock, no environment (settings.py excepted)."""
