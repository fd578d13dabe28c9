"""docs/provider-keys.md names every field of a stored key, and the codes that the program gives."""

from __future__ import annotations

import re
from pathlib import Path

from gaugeway.management.provider_configs import NewProviderConfig
from gaugeway.proxy.answers import NO_KEY, RATE_LIMITED, UNAUTHORIZED
from gaugeway.proxy.stored_keys import KEYLESS
from gaugeway.stores.sealing import FILE

PAGE = (Path(__file__).parents[2] / "docs" / "provider-keys.md").read_text()


def test_every_field_is_explained() -> None:
    named = set(re.findall(r"`(\w+)`", PAGE))
    assert set(NewProviderConfig.model_fields) - {"secret_id"} <= named


def test_the_codes_and_names_are_the_programs() -> None:
    for code in (NO_KEY, RATE_LIMITED, UNAUTHORIZED):
        assert f"code {code}" in PAGE
    assert f"`{FILE}`" in PAGE
    assert f"except for `{KEYLESS}`" in PAGE
