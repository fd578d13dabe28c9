"""Embeddings behind the Caller's port: similarity from the definition of the cosine, and what is paid for."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from gaugeway.core.embeddings import MAX_DIMENSIONS, EmbeddingScorer
from gaugeway.core.errors import BadInput
from gaugeway.core.judging import daily_budget
from gaugeway.core.model import Bodies, Scope
from gaugeway.core.pricing import Priced
from gaugeway.core.replays import Call, Called
from gaugeway.core.samples import Mark, ToolCall
from gaugeway.core.samples import Message as Said
from gaugeway.core.spending import Budget, NoRoom
from gaugeway.evaluation.judging.asking import Asking
from gaugeway.evaluation.judging.embedding import Embedding
from gaugeway.evaluation.prompts import MAX_MATERIAL
from gaugeway.evaluation.statistics.cosine import cosine
from support import laboratory as lab
from support.judges import Memory, Scripted
from support.samples import EVALUATORS, sample

GIVEN = {"model": "openai/embed", "gateway_id": "judges", "max_cost": 1}


class Vectors:
    """A Caller whose model knows the vectors of some texts, and remembers what it was asked."""

    def __init__(self, vectors: Mapping[str, Any], most: Decimal | None = Decimal("0.001")) -> None:
        self.vectors = vectors
        self.most = most
        self.asked: list[dict[str, Any]] = []
        self.daily: Budget | None = None
        self.purses: list[tuple[Scope, Budget, Decimal, Mapping[str, str]]] = []

    async def call(
        self,
        scope: Scope,
        call: Call,
        purse: Budget,
        most: Decimal,
        metadata: Mapping[str, str],
        *,
        daily: Budget | None = None,
    ) -> Called:
        assert call.endpoint == "embeddings"
        asked = msgspec.json.decode(call.body)
        self.asked.append(asked)
        self.purses.append((scope, purse, most, metadata))
        self.daily = daily
        found = self.vectors[asked["input"]]
        if isinstance(found, Exception):
            raise found
        if isinstance(found, Called):
            return found
        return answered({"data": [{"index": 0, "embedding": found}]})

    async def at_most(self, scope: Scope, call: Call) -> Priced:
        return Priced(self.most, None if self.most is not None else "no price is known for it")

    async def would_cost(self, scope: Scope, call: Call, tokens_in: int, tokens_out: int) -> Priced:
        raise AssertionError("nobody forecasts here")


def answered(document: object, status: int = 200, **bodies: Any) -> Called:
    body = document if isinstance(document, bytes) else msgspec.json.encode(document)
    return Called(status=status, record=None, bodies=Bodies(response=body, **bodies))


def scorer_of(**parameters: Any) -> EmbeddingScorer:
    scorer = EVALUATORS["embedding_similarity"].configured({**GIVEN, **parameters})
    assert isinstance(scorer, EmbeddingScorer)
    return scorer


async def marked(
    vectors: Mapping[str, Any] | Vectors, of: Any = None, memory: Memory | None = None, **parameters: Any
) -> Mark:
    caller = vectors if isinstance(vectors, Vectors) else Vectors(vectors)
    kept = memory or Memory()
    asking = Asking(Scripted(), kept, lab.SystemClock(), Embedding(caller, kept, lab.SystemClock()))
    return await asking.mark(scorer_of(**parameters), of or sample("said", "meant"), "a", "e", 0)


ROOT = 1 / math.sqrt(2)
COSINES = [
    ([1, 0], [1, 0], 1),
    ([1, 0], [0, 1], 0),
    ([1, 0], [-1, 0], -1),
    ([1, 0], [5, 0], 1),  # only directions count
    ([1, 1], [1, 0], ROOT),
    ([1, 1], [-1, 0], -ROOT),
    ([3, 4], [4, 3], 24 / 25),
    ([1, 2, 3], [4, 5, 6], 32 / math.sqrt(14 * 77)),
    ([1, 2, 3], [3, 2, 1], 10 / 14),
    ([1, 2, 3], [-1, -2, -3], -1),
    ([1, 2, 2], [2, -2, 1], 0),
    ([0.5], [0.25], 1),
    ([-0.5], [0.25], -1),
    ([1, 0, 0, 0], [1, 1, 1, 1], 0.5),
    ([1e30, 1e30], [1e-30, 0], ROOT),  # neither too large nor too small to be squared
    ([1e38, 1e38], [1e38, 1e38], 1),
    ([0.1] * 1536, [0.1] * 1535 + [-0.1], 1534 / 1536),
]


@pytest.mark.parametrize(("said", "meant", "score"), COSINES)
async def test_it_is_the_cosine(said, meant, score):
    found = await marked({"said": said, "meant": meant})
    assert not found.failed, found.note
    assert found.score == pytest.approx(score, abs=1e-6)
    assert cosine(said, meant) == pytest.approx(score, abs=1e-12)
    assert cosine(said, said) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize(
    ("vectors", "told"),
    [
        (([0, 0], [1, 0]), "a vector of zeros has no direction"),
        (([1e-60, 0], [1, 0]), "a vector of zeros has no direction"),  # in 32 bits
        (([1, 0], [1, 0, 0]), "the vectors have 2 and 3 numbers"),
        (([1e39, 0], [1, 0]), "too large"),
        (([], [1]), "no list of numbers"),
        ((["1"], [1]), "no list of numbers"),
        (([True], [1]), "no list of numbers"),
        (([[1]], [1]), "no list of numbers"),
        ((None, [1]), "no list of numbers"),
        (("AACAPw==", [1]), "no list of numbers"),  # base64 was not asked for
        (([1] * (MAX_DIMENSIONS + 1), [1]), f"{MAX_DIMENSIONS} are taken"),
        ((answered({"data": []}), [1]), "not one embedding"),
        ((answered({"data": [{"embedding": [1]}] * 2}), [1]), "not one embedding"),
        ((answered({"error": "x"}), [1]), "not one embedding"),
        ((answered(b"<html>"), [1]), "not one embedding"),
        ((answered(b'{"data": [{"embedding": [1e999]}]}'), [1]), "embedding"),
        ((answered(b"slow down", 429), [1]), "answered with status 429: slow down"),
        ((answered({"data": []}, response_cut=True), [1]), "broke off"),
        ((NoRoom("the spend cap of 1 dollars has no room"), [1]), "the spend cap of 1 dollars has no room"),
        ((RuntimeError("odd"), [1]), "RuntimeError: odd"),
    ],
)
async def test_what_is_no_embedding_fails_the_log_and_is_never_a_zero(vectors, told):
    found = await marked(dict(zip(("said", "meant"), vectors, strict=True)))
    assert (found.score, found.failed) == (None, True)
    assert told in found.note


@pytest.mark.parametrize(
    ("of", "told"),
    [
        (sample("said"), "there is no expected answer: the log's metadata has no 'expected'"),
        (sample("", "meant"), "the answer is empty"),
        (sample(" \n", "meant"), "the answer is empty"),
        (sample("said", " "), "the expected answer is empty"),
        (sample(None, "meant"), "there is none"),
        (sample(Said("assistant", "", (ToolCall("f", "{}"),)), "meant"), "only tool calls"),
        (sample("x" * (MAX_MATERIAL + 1), "meant"), f"more than {MAX_MATERIAL} characters"),
        (sample("said", "x" * (MAX_MATERIAL + 1)), f"more than {MAX_MATERIAL} characters"),
    ],
)
async def test_what_has_no_embedding_is_skipped_and_nobody_asked(of, told):
    caller = Vectors({})
    found = await marked(caller, of)
    assert (found.score, found.failed) == (None, False)
    assert told in found.note
    assert caller.asked == []


async def test_a_text_is_paid_for_once_for_each_model():
    caller, memory = Vectors({"said": [1, 0], "meant": [1, 1], "other": [0, 1]}), Memory()
    first = await marked(caller, memory=memory)
    assert [asked["input"] for asked in caller.asked] == ["said", "meant"]
    assert await marked(caller, memory=memory) == first
    assert len(caller.asked) == 2
    await marked(caller, sample("other", "meant"), memory)
    assert [asked["input"] for asked in caller.asked[2:]] == ["other"]
    await marked(caller, memory=memory, model="openai/larger")
    await marked(caller, memory=memory, dimensions=2)
    await marked(caller, memory=memory, gateway_id="elsewhere")
    assert len(caller.asked) == 9
    assert await marked(Vectors({"same": [1, 2]}), sample("same", "same")) == Mark(pytest.approx(1))


async def test_an_answer_that_is_no_embedding_is_not_kept():
    memory = Memory()
    assert (await marked({"said": [0, "x"], "meant": [1, 0]}, memory=memory)).failed
    assert (await marked({"said": [0, 1], "meant": [1, 0]}, memory=memory)).score == pytest.approx(0)


async def test_who_pays_and_what_is_sent():
    caller = Vectors({"said": [1, 0], "meant": [1, 1]})
    await marked(caller, dimensions=256, max_cost=0.25, cost_per_token_in=0.0001)
    assert caller.asked[0] == {"model": "openai/embed", "input": "said", "dimensions": 256}
    scope, purse, most, metadata = caller.purses[0]
    assert scope == Scope("a", "judges")
    assert (purse.rule_id, purse.limit) == ("embedding e:0", 250_000_000_000)
    assert most == Decimal("0.001")
    assert metadata == {"embedding": "openai/embed", "evaluation": "e"}


async def test_a_monitor_s_daily_cap_holds_for_embeddings_too():
    caller, kept, clock = Vectors({"said": [1, 0], "meant": [1, 1]}), Memory(), lab.SystemClock()
    daily = daily_budget(Scope("a", "main"), "m", Decimal(1))
    asking = Asking(Scripted(), kept, clock, Embedding(caller, kept, clock))
    await asking.mark(scorer_of(), sample("said", "meant"), "a", "e", 0, daily)
    assert caller.daily == daily


async def test_without_a_price_nothing_is_sent():
    caller = Vectors({}, most=None)
    found = await marked(caller)
    assert found.failed
    assert "cost_per_token_in" in found.note
    assert caller.asked == []


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ({"model": "embed"}, "matching regex"),
        ({"max_cost": 0}, "> 0"),
        ({"dimensions": 0}, ">= 1"),
        ({"cost_per_token_in": -1}, ">= 0"),
        ({"cost_per_token_out": 0}, "unknown field"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(parameters, told):
    with pytest.raises(BadInput, match=re.escape(told)):
        scorer_of(**parameters)
