"""From a difference and its chance to one of three verdicts, in words: better, worse, or cannot tell."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

from msgspec import Struct

from gaugeway.core.comparisons import Difference, Gate, Margin, NonInferiority, Pairs, Subject, Verdict
from gaugeway.core.metrics import Direction
from gaugeway.evaluation.figures.contrast import Contrast, Spread
from gaugeway.evaluation.statistics.non_inferiority import Inferiority, inferiority
from gaugeway.evaluation.statistics.power import ALPHA, detectable, fewest, more_needed

MOST = 10_000_000
"""A number of logs beyond which nobody will wait."""

_GATES = {
    Verdict.BETTER: Gate.PASS,
    Verdict.WORSE: Gate.WORSE,
    Verdict.CANNOT_TELL: Gate.CANNOT_TELL,
    Inferiority.NOT_WORSE: Gate.PASS,
    Inferiority.WORSE: Gate.WORSE,
    Inferiority.CANNOT_TELL: Gate.CANNOT_TELL,
}


class Found(Struct, frozen=True):
    """What is known of one evaluation type on one side, against the baseline."""

    subject: Subject
    side: int
    contrast: Contrast | None  # None: one of the two has no figure
    baseline: float | None  # its figure
    pairs: Pairs | None = None
    unpaired: str = ""  # why there are no pairs, where they were asked for

    @property
    def p_value(self) -> float | None:
        """Not adjusted."""
        return None if self.contrast is None else self.contrast.p_value


def judge(found: Found, margins: dict[str, Margin], adjusted_p: float | None, tests: int) -> Difference:
    """The verdict. `tests` is of how many questions this is one: what can be found depends on it."""
    subject, contrast = found.subject, found.contrast
    if contrast is None:
        return Difference(
            type_id=subject.type_id,
            side=found.side,
            verdict=Verdict.CANNOT_TELL,
            words=f"{Verdict.CANNOT_TELL}: one of the two has no log with a figure",
            difference=None,
            why="; ".join(filter(None, ("one of the two has no log with a figure", found.unpaired))),
        )
    alpha = ALPHA / max(tests, 1)
    gain = _gain(subject, contrast.difference)
    verdict = Verdict.CANNOT_TELL
    if adjusted_p is not None and adjusted_p <= ALPHA and gain:
        verdict = Verdict.BETTER if gain > 0 else Verdict.WORSE
    error = contrast.error
    more = None if verdict is not Verdict.CANNOT_TELL else _more(contrast.spreads, gain, alpha, contrast.slack)
    margin = _margin(found, margins.get(subject.type_id))
    low, high = contrast.interval or (None, None)
    return Difference(
        type_id=subject.type_id,
        side=found.side,
        verdict=verdict,
        words=_words(found, contrast, verdict, more, margin),
        difference=contrast.difference,
        low=low,
        high=high,
        method=contrast.method,
        test=contrast.test,
        p_value=contrast.p_value,
        spreads=tuple((one.n, one.variance) for one in contrast.spreads),
        adjusted_p=adjusted_p,
        detectable=None if error is None else detectable(error, alpha),
        more_needed=more,
        why="; ".join(filter(None, (contrast.why, found.unpaired))),
        pairs=found.pairs,
        non_inferiority=margin,
        gate=_GATES[Inferiority(margin.verdict) if margin else verdict],
    )


def overall(differences: Sequence[Difference]) -> Gate:
    """Worse where anything is; else cannot tell where that is so of anything; else it passes."""
    gates = {one.gate for one in differences}
    return next((gate for gate in (Gate.WORSE, Gate.CANNOT_TELL) if gate in gates), Gate.PASS)


def _gain(subject: Subject, difference: float) -> float:
    """How much better."""
    return difference if subject.direction is Direction.HIGHER else -difference


def _more(spreads: Sequence[Spread], effect: float, alpha: float, slack: float = 0.0) -> int | None:
    """How many more items show an effect of that size; None where none do, or too many would be needed.

    One at least: it is asked where those that there are did not show it.
    """
    if not effect or not spreads:
        return None
    needed = more_needed(abs(effect), [(side.n, side.variance) for side in spreads], alpha)
    if needed is None or needed > MOST:
        return None
    return max(needed + ceil(slack), fewest(len(spreads), alpha) - min(side.n for side in spreads), 1)


def _margin(found: Found, margin: Margin | None) -> NonInferiority | None:
    contrast = found.contrast
    if margin is None or contrast is None:
        return None
    amount = float(margin.amount)
    if margin.is_percent:
        amount *= abs(found.baseline or 0.0) / 100
    if contrast.interval is None or not amount:
        return NonInferiority(margin=amount, verdict=Inferiority.CANNOT_TELL, more_needed=None)
    low, high = sorted(_gain(found.subject, end) for end in contrast.interval)
    verdict = inferiority(low, high, amount)
    room = _gain(found.subject, contrast.difference) + amount
    more = _more(contrast.spreads, room, ALPHA) if verdict is Inferiority.CANNOT_TELL and room > 0 else None
    return NonInferiority(margin=amount, verdict=verdict, more_needed=more)


def _words(
    found: Found, contrast: Contrast, verdict: Verdict, more: int | None, margin: NonInferiority | None
) -> str:
    unit = "points" if found.subject.unit == "%" else found.subject.unit
    seen = _amount(contrast.difference, unit)
    if contrast.interval is not None:
        low, high = contrast.interval
        seen += f" (95 % interval {low:.4g} … {high:.4g})"
    if verdict is Verdict.CANNOT_TELL:
        text = f"{verdict}{_needed(found, contrast, more)}: {seen}" + (f"; {contrast.why}" if contrast.why else "")
    else:
        text = f"{verdict}: {seen}"
    if margin is not None:
        text += f"; margin {margin.margin:.4g} {unit}: {_margin_words(margin, found)}"
    return text + (f"; {found.unpaired}" if found.unpaired else "")


def _amount(difference: float, unit: str) -> str:
    if not difference:
        return "no difference seen"
    return f"{abs(difference):.4g} {unit} {'higher' if difference > 0 else 'lower'}"


def _needed(found: Found, contrast: Contrast, more: int | None) -> str:
    if more is not None:
        return f" (about {_about(more)} more {_items(found)} needed)"
    if contrast.spreads and contrast.difference:
        return f" (more than {MOST:,} more {_items(found)} needed)"
    return ""


def _items(found: Found) -> str:
    return "pairs" if found.pairs else "logs on each side"


def _margin_words(margin: NonInferiority, found: Found) -> str:
    if not margin.margin:
        return "cannot tell, as a share of a baseline of 0 is nothing"
    if margin.verdict == Inferiority.NOT_WORSE:
        return "not worse by more than that"
    if margin.verdict == Inferiority.WORSE:
        return "worse by more than that"
    needed = f" (about {_about(margin.more_needed)} more {_items(found)} needed)" if margin.more_needed else ""
    return f"cannot tell whether worse by more than that{needed}"


def _about(number: int) -> str:
    """To two digits: it is an estimate."""
    digits = max(len(str(number)) - 2, 0)
    step = 10**digits
    return f"{-(-number // step) * step:,}"
