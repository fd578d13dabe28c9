"""What is text: what UTF-8 can hold."""

from __future__ import annotations


def is_text(value: str) -> bool:
    """Whether it holds no half of a surrogate pair, which JSON can spell but UTF-8 cannot."""
    return not any("\ud800" <= character <= "\udfff" for character in value)
