"""One sample under one scorer: whatever happens, a mark comes of it."""

from __future__ import annotations

from math import isfinite

from gaugeway.core.samples import Conversation, Mark, NotApplicable, Sample, Score, Scorer, Work
from gaugeway.evaluation.conclusion import reason
from gaugeway.evaluation.conversations import read_conversation

MAX_NOTE = 500
"""Characters of a note that are kept."""


def sample_of(work: Work, *, reads_bodies: bool) -> Sample:
    """What the scorers see of a log."""
    if not reads_bodies:
        return Sample(log=work.record, conversation=Conversation(), expected=work.expected)
    conversation = read_conversation(work.record, work.bodies)
    return Sample(log=work.record, conversation=conversation, expected=work.expected)


def mark(scorer: Scorer, sample: Sample) -> Mark:
    """The scorer's score, or why there is none. Never raises."""
    try:
        score: object = scorer.score(sample)
    except NotApplicable as problem:
        return Mark(note=shortened(str(problem)))
    except (Exception, SystemExit) as problem:  # noqa: BLE001 - it becomes the mark's note
        # a scorer may be anybody's: whatever it does, the other samples go on
        return Mark(failed=True, note=reason(problem))
    return checked(score)


def checked(score: object) -> Mark:
    """A score as a mark; what is none is a failure."""
    if score is None:
        return Mark(note="not applicable")
    if not isinstance(score, Score) or not isinstance(score.value, int | float) or not isfinite(score.value):  # pyright: ignore[reportUnnecessaryIsInstance] a stranger's score
        return Mark(failed=True, note=shortened(f"score() must return a Score with a finite value, not {score!r}"))
    return Mark(float(score.value), note=shortened(score.note))


def shortened(text: str) -> str:
    """One line of bounded length, which can be kept: no half surrogate pairs, no NUL."""
    line = " ".join(text[: 4 * MAX_NOTE].replace("\0", " ").split())
    line = line if len(line) <= MAX_NOTE else line[: MAX_NOTE - 1] + "…"
    return line.encode(errors="replace").decode()
