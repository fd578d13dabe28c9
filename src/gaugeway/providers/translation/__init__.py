"""Chat completions in other wire formats, both ways. Pure: one file a format.

`chat.py` is what OpenAI's clients send, `output.py` what they expect, `events.py` reads streams. A format's file
turns the one into its own and its own into the other. What has no counterpart is refused by name.
"""
