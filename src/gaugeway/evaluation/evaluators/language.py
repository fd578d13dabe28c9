"""Whether the answer is in the right language."""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from typing import Annotated, Any

from msgspec import Meta

from gaugeway.core.samples import Figure, ItemEvaluator, NotApplicable, Sample, Score, Scorer, passed

MIN_LETTERS = 20
"""A text with fewer could be in many languages."""
MIN_CERTAINTY = 0.8
"""What the identifier must give its first guess."""
MAX_LETTERS = 5000
"""Of a text that are looked at."""


class Language(Scorer, frozen=True, kw_only=True):
    """By py3langid, of 97 languages. A text too short or too mixed to tell is skipped, never guessed."""

    language: Annotated[
        Annotated[str, Meta(pattern="^[a-z]{2,3}$")] | None,
        Meta(description="The language's ISO 639 code, e.g. `en`. None: that of the last question."),
    ] = None

    def __post_init__(self) -> None:
        """ValueError for a language that is not known."""
        if self.language is not None and self.language not in known():
            raise ValueError(f"the language {self.language!r} is not known; there are {', '.join(known())}")

    def score(self, sample: Sample) -> Score:
        """Pass or miss."""
        wanted = self.language or identify(_last_question(sample), "the question")
        found = identify(sample.text, "the answer")
        return passed(found == wanted, f"it is in {found!r}, {wanted!r} was wanted")


def _last_question(sample: Sample) -> str:
    said = [message.text for message in sample.conversation.messages if message.role == "user" and message.text]
    if not said:
        raise NotApplicable("the log has no question whose language the answer should have")
    return said[-1]


def identify(text: str, what: str) -> str:
    """The language's code; NotApplicable where it cannot be told."""
    letters = sum(map(str.isalpha, text[:MAX_LETTERS]))
    if letters < MIN_LETTERS:
        raise NotApplicable(f"{what} is too short to tell its language")
    found, certainty = _identifier().classify(text[:MAX_LETTERS])
    if certainty < MIN_CERTAINTY:
        raise NotApplicable(f"the language of {what} cannot be told: {found!r} with certainty {certainty:.2f}")
    return str(found)


def known() -> list[str]:
    """The codes of the languages that can be told."""
    return sorted(_identifier().labels)


@lru_cache(1)
def _identifier() -> Any:
    langid: Any = import_module("py3langid.langid")  # it has no types
    return langid.LanguageIdentifier.from_model_file(langid.MODEL_FILE, norm_probs=True)


EVALUATOR = ItemEvaluator(
    id="language",
    name="Language",
    version="1",
    description="Answers in the given language (or that of the question), in percent of those whose language can be"
    " told. Higher is better.",
    unit="%",
    figure=Figure.SHARE,
    scorer=Language,
)
