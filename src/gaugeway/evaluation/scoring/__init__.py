"""Scorers at work, in a process beside the server (docs/decisions: why). `marks.py` is what they do there,
`child.py` that process, `beside.py` the server's end of it, `wire.py` what the two say to each other.
"""
