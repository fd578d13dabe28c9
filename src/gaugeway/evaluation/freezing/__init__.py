"""Makes snapshots: which of a dataset's logs become items, what is taken out of them, and the runs that do it."""
