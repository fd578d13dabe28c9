"""A credential does not get into a log by another spelling."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaugeway.proxy.redaction import redacted

SECRET = b"sk-a/b+c0123456789"


@pytest.mark.parametrize(
    "spelt",
    [
        b"sk-a/b+c0123456789",
        rb"sk-a\/b+c0123456789",
        rb"sk-\u0061/b+c0123456789",
        rb"\u0073k-a\u002Fb\u002bc0123456789",
        b"".join(rb"\u00%02X" % character for character in SECRET),
    ],
)
def test_every_spelling_is_found(spelt: bytes) -> None:
    body = b'{"key": "' + spelt + rb'", "text": "caf\u00e9\/"}'
    assert redacted(body, [b"other-secret", SECRET]) == rb'{"key": "[redacted]", "text": "caf\u00e9\/"}'


def test_what_is_no_credential_stays() -> None:
    body = rb'{"text": "sk-a\/b and \u0073k-a, \\u0061"}'
    assert redacted(body, [SECRET]) == body


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=8, max_size=40), st.data())
def test_a_json_text_that_spells_it_in_any_way_does_not_say_it(secret: str, data: st.DataObject) -> None:
    plain = json.dumps(secret)[1:-1] == secret  # a quote or a backslash must be escaped
    as_escape = data.draw(st.lists(st.booleans(), min_size=len(secret), max_size=len(secret)))
    spelt = "".join(
        f"\\u{ord(character):04x}" if escape or not plain else character
        for character, escape in zip(secret, as_escape, strict=True)
    )
    body = json.dumps({"a": 1}).encode()[:-1] + b', "key": "' + spelt.encode() + b'"}'
    assert secret not in json.loads(redacted(body, [secret.encode()])).get("key", "")
