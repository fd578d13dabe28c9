"""The columnar projection of the logs: mapped files of columns, by which figures come in a fraction of a second.

`logs` stays the truth. A segment's file says what the logs of a span of ids were when it was read; `changed` says
which of them are different now, noted by triggers in the transactions that change them. So an answer is made of the
segments without the changed logs, and of SQLite for those, and for what no segment holds.
"""
