"""Wire formats: where each API's answers carry usage and model, in JSON and in streams.

`reading.py` finds the few documents of an answer that can hold usage, `sse.py` within streams and `fragments.py`
within answers whose beginning, middle or end is missing; the other files know one family of documents each.
"""
