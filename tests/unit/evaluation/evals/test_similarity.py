"""Similarity metrics: golden cases from their definitions."""

from __future__ import annotations

from typing import get_args, get_type_hints

import pytest

from gaugeway.core.graders import TextSimilarity
from gaugeway.evaluation.evals.similarity import gleu, similarity

METRICS = ["fuzzy_match", "bleu", "gleu", "rouge_1", "rouge_2", "rouge_3", "rouge_4", "rouge_5", "rouge_l"]


def test_these_are_all_metrics_that_a_grader_can_name() -> None:
    """`cosine` asks a model: see the tests through a server."""
    assert sorted(get_args(get_type_hints(TextSimilarity)["evaluation_metric"])) == sorted([*METRICS, "cosine"])


@pytest.mark.parametrize("metric", METRICS)
def test_the_same_text_is_fully_alike_and_another_not_at_all(metric: str) -> None:
    text = "the cat sat on the mat today"
    assert similarity(metric, text, text) == pytest.approx(1)
    assert similarity(metric, "zzz", text) < 0.2


@pytest.mark.parametrize("metric", METRICS[2:])
def test_texts_without_words(metric: str) -> None:
    assert similarity(metric, "", "") == 1
    assert similarity(metric, "", "a word") == 0


@pytest.mark.parametrize(
    ("metric", "text", "reference", "expected"),
    [
        ("rouge_1", "the cat sat", "the cat ran", 2 / 3),
        ("rouge_1", "the the the", "the cat", 2 * 1 / 5),
        ("rouge_2", "the cat sat", "the cat ran", 1 / 2),
        ("rouge_3", "a b c d", "a b c e", 1 / 2),
        ("rouge_4", "a b c d", "a b c d e", 2 * 1 / 3),
        ("rouge_5", "a b", "a b", 1),
        ("rouge_5", "a b", "a c", 0),
        ("rouge_l", "a x b y c", "a b c", 2 * 3 / 8),
        ("rouge_l", "c b a", "a b c", 2 * 1 / 6),
        ("gleu", "a b", "a b c", 3 / 6),
        ("gleu", "a b c", "a b", 3 / 6),
        ("fuzzy_match", "abcd", "abxd", 0.75),
        ("fuzzy_match", "", "abc", 0),
    ],
)
def test_by_hand(metric: str, text: str, reference: str, expected: float) -> None:
    assert similarity(metric, text, reference) == pytest.approx(expected)


def test_gleu_of_the_definition_is_the_lower_of_precision_and_recall() -> None:
    assert gleu(["a"], ["a", "b"]) == pytest.approx(1 / 3)
    assert gleu(["a", "b"], ["a"]) == pytest.approx(1 / 3)
