"""Python that users wrote, run where it can do no harm (docs/decisions: 11).

`inside/` is what runs in the processes of the sandbox, on Python's standard library alone: a keeper that forks a
cell for every single call. `sandbox.py` says whether there is one, `program.py` is the server's end of a keeper,
`scoring.py` what evaluations make of it.
"""
