"""Snapshots' items as Parquet files: the plain format with a typed column for each field (docs/datasets.md).

Files are written here, in row groups of bounded size. They are read by a process beside this one with a bound on
its memory and time: nothing in a file says for certain how large it becomes when it is unpacked.
"""
