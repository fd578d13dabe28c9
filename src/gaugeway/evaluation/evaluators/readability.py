"""How hard the answer is to read."""

from __future__ import annotations

import re

from gaugeway.core.metrics import Direction
from gaugeway.core.samples import ItemEvaluator, NotApplicable, Sample, Score, Scorer

MIN_WORDS = 10
"""A shorter text has no meaningful grade."""

_WORD = re.compile(r"[^\W_]+(?:['\u2019-][^\W_]+)*")
_SENTENCE_END = re.compile(r"[.!?\u2026]+(?=\s|$)|\n\s*\n|[\u3002\uff01\uff1f]")


class Readability(Scorer, frozen=True, kw_only=True):
    """The Automated Readability Index (Smith and Senter 1967), made for English.

    4.71 * characters / words + 0.5 * words / sentences - 21.43, where characters are letters and digits. A sentence
    ends with . ! ? or an empty line.
    """

    def score(self, sample: Sample) -> Score:
        """The grade: about the years at school that a reader needs."""
        words = _WORD.findall(sample.text)
        if len(words) < MIN_WORDS:
            raise NotApplicable(f"the answer has fewer than {MIN_WORDS} words")
        sentences = sum(1 for part in _SENTENCE_END.split(sample.text) if _WORD.search(part))
        characters = sum(character.isalnum() for word in words for character in word)
        grade = 4.71 * characters / len(words) + 0.5 * len(words) / sentences - 21.43
        return Score(grade, f"{characters} characters, {len(words)} words, {sentences} sentences")


EVALUATOR = ItemEvaluator(
    id="readability",
    name="Readability",
    version="1",
    description="Automated Readability Index of the answers, in school grades, on average; made for English. Lower"
    " is easier to read. Neither is better.",
    unit="grades",
    direction=Direction.NEITHER,
    scorer=Readability,
)
