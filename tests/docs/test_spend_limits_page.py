"""docs/spend-limits.md gives the program's own figures, and its example is accepted."""

from __future__ import annotations

import json
import re
from pathlib import Path

from gaugeway.core.estimating import ASCII_PER_TOKEN
from gaugeway.core.model import Scope
from gaugeway.core.spending import MAX_LIMIT, SLOTS, rules_of
from gaugeway.management.gateway_settings import SpendLimits, SpendRule
from gaugeway.proxy.answers import SPEND_LIMITED
from gaugeway.stores.sqlite.ledger import LEASE_MS

PAGE = (Path(__file__).parents[2] / "docs" / "spend-limits.md").read_text()


def test_the_figures_are_those_of_the_program() -> None:
    assert f"up to {MAX_LIMIT:,} |" in PAGE
    assert f"up to 1/{SLOTS} of the window later" in PAGE
    assert f"429 with code {SPEND_LIMITED}" in PAGE
    assert (ASCII_PER_TOKEN, "four ASCII characters a token" in PAGE) == (4, True)
    assert (LEASE_MS, "a minute after its last sign of life" in PAGE) == (60_000, True)


def test_every_field_of_a_rule_is_explained() -> None:
    rows = re.findall(r"^\| (`.+?`) \|", PAGE, re.MULTILINE)
    explained = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert {field.alias or name for name, field in SpendRule.model_fields.items()} - {"limitType"} <= explained


def test_the_example_is_accepted_and_its_message_is_the_programs() -> None:
    example = json.loads("{" + re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)[0] + "}")
    accepted = SpendLimits.model_validate(example["spend_limits"])
    rules = rules_of(Scope("a" * 32, "g"), accepted.model_dump(by_alias=True, exclude_none=True))
    assert f"Spend limit exceeded: {rules[0].budget.described} for openai gpt-4o\n" in PAGE
