"""Templates: what is filled in, and what is an error."""

from __future__ import annotations

from typing import Any

import pytest

from gaugeway.evaluation.evals.templates import NotThere, filled, looked_up

TOLD: dict[str, Any] = {
    "item": {
        "q": "What?",
        "n": 3,
        "list": [{"a": "x"}, "y"],
        "empty": "",
        "none": None,
        "with space": 1,
        "t": "{{item.q}}",
    },
    "sample": {
        "output_text": "That.",
        "output_json": {"label": True},
        "choices": [{"message": {"content": "That."}}],
    },
}


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("no place", "no place"),
        ("{{item.q}}", "What?"),
        ("{{ item.q }} {{item.n}}", "What? 3"),
        ("{{item.list}}", '[{"a":"x"},"y"]'),
        ("{{item.list[0].a}}{{item.list[1]}}", "xy"),
        ("{{item.empty}}|{{item.none}}", "|null"),
        ("{{item.with space}}", "1"),
        ("{{sample.output_text}}", "That."),
        ("{{sample.output_json.label}}", "true"),
        ("{{sample.choices[0].message.content}}", "That."),
        ("{{item}}"[:2] + "item.q}} {single} }}", "What? {single} }}"),
        ("{{item.t}}", "{{item.q}}"),
    ],
)
def test_places_are_filled_once(template: str, expected: str) -> None:
    assert filled(template, TOLD) == expected


@pytest.mark.parametrize(
    "path",
    ["item.x", "item.q.x", "item.list[7]", "item.list.a", "other.q", "item.q[0]", "", "item.", "item[x]", "a b"],
)
def test_what_is_not_there_is_an_error_and_no_empty_text(path: str) -> None:
    with pytest.raises(NotThere):
        looked_up(path, TOLD)
    with pytest.raises(NotThere):
        filled(f"a {{{{{path}}}}} b", TOLD)
