"""Evaluators that do what they should not, for tests of those who run them."""

import os
import signal
import time

from gaugeway.core.metrics import Direction
from gaugeway.core.samples import Figure, ItemEvaluator, Sample, Score, Scorer, passed


class Unruly(Scorer, frozen=True, kw_only=True):
    """Does what the answer says."""

    def score(self, sample: Sample) -> Score:
        print("this must not get into what the processes say to each other")
        if sample.text == "exit":
            os._exit(3)
        if sample.text == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if sample.text == "raise":
            raise RuntimeError("as it was told")
        if sample.text == "hang":
            time.sleep(3600)
        if sample.text == "memory":
            return passed(len(bytearray(1 << 31)) > 0)
        return passed(ok=True)


class SlowLength(Scorer, frozen=True, kw_only=True):
    """Takes its time."""

    def score(self, sample: Sample) -> Score:
        time.sleep(0.003)
        return Score(len(sample.text))


UNRULY = ItemEvaluator(
    id="unruly",
    name="Unruly",
    version="1",
    description="Answers of good will, in percent. Higher is better.",
    unit="%",
    figure=Figure.SHARE,
    scorer=Unruly,
)
SLOW = ItemEvaluator(
    id="slow_length",
    name="Slow length",
    version="1",
    description="Length of the answers in characters. Neither is better.",
    unit="characters",
    direction=Direction.NEITHER,
    scorer=SlowLength,
)
