"""How alike two texts are, 0 to 1, by the metrics of text similarity graders."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Any

from gaugeway.evaluation.evaluators.rouge import grams, words

GLEU_ORDER = 4


def similarity(metric: str, text: str, reference: str) -> float:
    """Two texts without a word are fully alike, one of them not at all."""
    if metric == "fuzzy_match":
        from rapidfuzz import fuzz

        return fuzz.ratio(text, reference) / 100
    if metric == "bleu":
        return min(1.0, _bleu().sentence_score(text, [reference]).score / 100)
    ours, theirs = words(text), words(reference)
    if not ours or not theirs:
        return float(ours == theirs)
    if metric == "gleu":
        return gleu(ours, theirs)
    if metric == "rouge_l":
        from rapidfuzz.distance import LCSseq

        return 2 * LCSseq.similarity(ours, theirs) / (len(ours) + len(theirs))
    return rouge(ours, theirs, int(metric.removeprefix("rouge_")))


def gleu(ours: Sequence[str], theirs: Sequence[str]) -> float:
    """Wu et al. 2016, arXiv 1609.08144, section 9: of all 1- to 4-grams, the lower of precision and recall."""
    sizes = range(1, GLEU_ORDER + 1)
    found, wanted = (sum((grams(of, size) for size in sizes), Counter[Any]()) for of in (ours, theirs))
    return (found & wanted).total() / max(found.total(), wanted.total())


def rouge(ours: Sequence[str], theirs: Sequence[str], size: int) -> float:
    """ROUGE-N (Lin 2004) as F1. Texts shorter than N words are alike where they are the same."""
    found, wanted = grams(ours, size), grams(theirs, size)
    if not found or not wanted:
        return float(ours == theirs)
    return 2 * (found & wanted).total() / (found.total() + wanted.total())


@cache
def _bleu() -> Any:
    from sacrebleu.metrics.bleu import BLEU

    return BLEU(effective_order=True)
