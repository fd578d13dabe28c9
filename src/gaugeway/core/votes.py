"""What the members of a panel of judges said of one log, and how far they agree over many."""

from __future__ import annotations

from msgspec import Struct

from gaugeway.core.estimates import Estimate, Measure


class Vote(Struct, frozen=True, array_like=True):
    """One member's verdict, or why there is none."""

    model: str
    verdict: str = ""  # in a word: "pass", "miss", a label, a score; "" where there is none
    score: float | None = None  # in the evaluator's unit; None: there is no verdict
    note: str = ""  # its reason, or what went wrong


class Seat(Struct, frozen=True):
    """One member over all logs that came before the panel."""

    model: str
    gave: int  # verdicts
    failed: int  # logs on which it gave none
    sided: int | None  # of its verdicts, those that the panel came to as well; None: where scores are averaged


class PanelAgreement(Struct, frozen=True):
    """How far a panel's members agree beyond chance, over the logs that came before it."""

    measure: Measure  # nominal: by what they said; interval: by how far their scores are apart
    shared: int  # logs with verdicts of two members or more, which say something of agreement
    alpha: Estimate  # Krippendorff's; 1: they always agree, 0: as by chance
    seats: tuple[Seat, ...]
