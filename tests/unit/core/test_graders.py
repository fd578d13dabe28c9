"""Graders as they are sent: what is read, and what is refused at which place."""

from __future__ import annotations

from typing import Any

import pytest

from gaugeway.core.errors import BadInput
from gaugeway.core.graders import (
    LabelModel,
    Multi,
    PythonGrader,
    ScoreModel,
    StringCheck,
    TextSimilarity,
    calculate,
    model_ref,
    python_graders,
    read_graders,
    text_of,
)

CHECK = {
    "type": "string_check",
    "name": "same",
    "input": "{{sample.output_text}}",
    "reference": "{{item.a}}",
    "operation": "eq",
}
ALIKE = {**CHECK, "type": "text_similarity", "name": "alike", "evaluation_metric": "bleu", "pass_threshold": 0.8}
del ALIKE["operation"]
LABEL = {
    "type": "label_model",
    "name": "kind",
    "model": "gpt-5-mini",
    "input": [{"role": "user", "content": [{"type": "input_text", "text": "{{item.q}}"}, "and"]}],
    "labels": ["right", "wrong"],
    "passing_labels": ["right"],
}
SCORE = {
    "type": "score_model",
    "name": "mark",
    "model": "anthropic/claude-5",
    "input": [{"type": "message", "role": "developer", "content": "Mark it."}],
    "range": [1, 5],
    "sampling_params": {"temperature": 0, "max_completions_tokens": 50},
}
PYTHON = {"type": "python", "name": "own", "source": "def grade(sample, item): return 1.0"}
MULTI = {
    "type": "multi",
    "name": "both",
    "graders": {"same": CHECK, "alike": ALIKE},
    "calculate_output": "0.5 * same + 0.5 * alike",
}


def test_all_kinds_are_read() -> None:
    check, alike, label, score, python, multi = read_graders([CHECK, ALIKE, LABEL, SCORE, PYTHON, MULTI], ())
    assert isinstance(check, StringCheck)
    assert isinstance(alike, TextSimilarity)
    assert alike.pass_threshold == 0.8
    assert isinstance(label, LabelModel)
    assert text_of(label.input[0]) == "{{item.q}}\nand"
    assert isinstance(score, ScoreModel)
    assert (score.range, score.threshold) == ((1.0, 5.0), 3.0)
    assert isinstance(python, PythonGrader)
    assert (python.pass_threshold, python.image_tag) == (0.5, None)
    assert isinstance(multi, Multi)
    assert list(multi.graders) == ["same", "alike"]


def test_where_the_python_stands() -> None:
    graders = read_graders([CHECK, PYTHON, {**MULTI, "graders": {**MULTI["graders"], "own": PYTHON}}], ())
    found = list(python_graders(graders, ("testing_criteria",)))
    assert [path for _, path in found] == [
        ("testing_criteria", 1, "source"),
        ("testing_criteria", 2, "graders", "own", "source"),
    ]


WRONG: list[tuple[Any, list[str | int], str]] = [
    ([], [], "one criterion"),
    ([CHECK] * 51, [], "At most 50"),
    ([CHECK, CHECK], [1, "name"], "Two criteria"),
    ([7], [0], "Expected"),
    ([{"type": "guess"}], [0], "guess"),
    ([{**CHECK, "operation": "about"}], [0, "operation"], "about"),
    ([{**CHECK, "inputs": "x"}], [0], "inputs"),
    ([{name: value for name, value in CHECK.items() if name != "input"}], [0], "input"),
    ([{**ALIKE, "embedding_model": "e"}], [0, "embedding_model"], "bleu asks no model"),
    ([{**ALIKE, "evaluation_metric": "cosine", "embedding_model": ""}], [0, "embedding_model"], "length >= 1"),
    ([{**ALIKE, "evaluation_metric": "meteor"}], [0, "evaluation_metric"], "synonyms"),
    ([{**ALIKE, "evaluation_metric": "rouge_9"}], [0, "evaluation_metric"], "rouge_9"),
    ([{**LABEL, "passing_labels": ["great"]}], [0, "passing_labels"], "none of the labels"),
    ([{**LABEL, "labels": ["right", "right"]}], [0, "labels"], "once"),
    ([{**LABEL, "input": [{"role": "robot", "content": "x"}]}], [0, "input", 0, "role"], "robot"),
    (
        [{**LABEL, "input": [{"role": "user", "content": [{"type": "input_image", "image_url": "x"}]}]}],
        [0, "input", 0, "content", 0],
        "",
    ),
    ([{**SCORE, "range": [5, 1]}], [0, "range"], "lower one first"),
    ([{**SCORE, "sampling_params": {"temperature": 3}}], [0, "sampling_params", "temperature"], "2"),
    ([{**MULTI, "calculate_output": "same +"}], [0, "calculate_output"], "formula"),
    ([{**MULTI, "calculate_output": "same + other"}], [0, "calculate_output"], "other"),
    ([{**MULTI, "graders": {"a b": CHECK}}], [0, "graders"], "letters"),
    (
        [{**MULTI, "graders": {"p": {**PYTHON, "image_tag": "v1"}}}],
        [0, "graders", "p", "image_tag"],
        "leave it out",
    ),
    ([{**PYTHON, "image_tag": "2025-05-08"}], [0, "image_tag"], "There are no images here"),
    ([{**PYTHON, "source": "x" * 100_001}], [0, "source"], "100000"),
    ([{"type": "python", "name": "p"}], [0], "source"),
    ([{**MULTI, "graders": {"m": MULTI}}], [0, "graders"], "multi"),
]


@pytest.mark.parametrize(("criteria", "path", "words"), WRONG)
def test_what_cannot_be_is_refused_at_its_place(criteria: list[Any], path: list[str | int], words: str) -> None:
    with pytest.raises(BadInput) as caught:
        read_graders(criteria, ("testing_criteria",))
    assert list(caught.value.path)[: len(path) + 1] == ["testing_criteria", *path]
    assert words in caught.value.message


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("1", 1.0),
        ("a", 0.5),
        ("0.25 * a + 0.75 * b", 0.875),
        ("(a + b) / 2", 0.75),
        ("-a + +b", 0.5),
        ("a ** 2", 0.25),
        ("min(a, b) + max(a, b)", 1.5),
        ("abs(a - b)", 0.5),
        ("floor(a) + ceil(a)", 1.0),
        ("sqrt(4 * b) + exp(0) + log(1)", 3.0),
    ],
)
def test_formulas(formula: str, expected: float) -> None:
    assert calculate(formula, {"a": 0.5, "b": 1.0}) == pytest.approx(expected)


@pytest.mark.parametrize(
    "formula",
    [
        "",
        "a +",
        "c",
        "a.__class__",
        "__import__('os')",
        "(lambda: 1)()",
        "[a]",
        "a if b else 1",
        "a and b",
        "a < b",
        "'text'",
        "True",
        "a % b",
        "9 ** 9 ** 9",
        "(0 - 2) ** 0.5",
        "1e308 * 10",
        "min()",
        "print(a)",
        "min(a, key=b)",
        "(" * 300 + "a" + ")" * 300,
    ],
)
def test_what_is_no_formula_is_refused_and_never_run(formula: str) -> None:
    with pytest.raises((ValueError, ArithmeticError)):
        calculate(formula, {"a": 0.5, "b": 1.0})


def test_a_division_by_zero_is_arithmetic_and_no_mistake_of_the_formula() -> None:
    with pytest.raises(ZeroDivisionError):
        calculate("1 / (a - 0.5)", {"a": 0.5})
    read_graders([{**MULTI, "calculate_output": "1 / (same - 0.5)"}], ())


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ("gpt-5-mini", "openai/gpt-5-mini"),
        ("anthropic/claude-5", "anthropic/claude-5"),
        ("custom-a/m/1", "custom-a/m/1"),
    ],
)
def test_models_without_a_provider_are_openais(named: str, expected: str) -> None:
    assert model_ref(named) == expected
