"""A custom provider's logo: its initial on a disc whose colour follows from its slug."""

from __future__ import annotations

from base64 import b64encode
from html import escape
from zlib import crc32


def draw_logo(name: str, slug: str) -> str:
    """A small SVG as a data URL."""
    initial = next((character for character in name if character.isalnum()), "?").upper()
    hue = crc32(slug.encode()) % 360
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">'
        f'<circle cx="16" cy="16" r="16" fill="hsl({hue} 55% 40%)"/>'
        '<text x="16" y="22" font-family="sans-serif" font-size="17" fill="#fff" text-anchor="middle">'
        f"{escape(initial)}</text></svg>"
    )
    return "data:image/svg+xml;base64," + b64encode(svg.encode()).decode()
