"""Panels of judges: what becomes of their members' verdicts. The cases are written from the rules in the docs."""

from __future__ import annotations

import re
from typing import Any

import pytest

from gaugeway.core.errors import BadInput
from gaugeway.core.estimates import Measure
from gaugeway.core.judging import CapReached, JudgeFailed
from gaugeway.core.samples import Mark
from gaugeway.core.votes import Seat, Vote
from gaugeway.evaluation.judging.agreement import MOST_ITEMS, agreement_of
from gaugeway.evaluation.judging.asking import Asking
from gaugeway.evaluation.panels import JudgePanel
from support import laboratory as lab
from support.judges import Memory, Scripted
from support.samples import EVALUATORS, sample

MODELS = ["openai/a", "openai/b", "openai/c", "openai/d", "openai/e"]
OWN: dict[str, dict[str, Any]] = {
    "panel_rubric": {"rubric": "5 is helpful, 1 is not."},
    "panel_criteria": {"criteria": "It is polite."},
    "panel_factuality": {"expected": "Hello!"},
    "panel_label": {"labels": ["kind", "neutral", "rude"], "good": ["kind", "neutral"]},
}
FAILS = JudgeFailed("the judge's answer broke off")
SKIPPED, FAILED = "skipped", "failed"


def panel_of(evaluator_id: str, size: int = 3, /, **parameters: Any) -> JudgePanel:
    given = {
        "gateway_id": "judges",
        "max_cost": 1,
        "members": [{"model": model} for model in MODELS[:size]],
        **OWN[evaluator_id],
        **parameters,
    }
    panel = EVALUATORS[evaluator_id].configured(given)
    assert isinstance(panel, JudgePanel)
    return panel


def says(evaluator_id: str, word: object) -> object:
    """A member's verdict, or what goes wrong with it."""
    name = {
        "panel_rubric": "score",
        "panel_criteria": "pass",
        "panel_factuality": "verdict",
        "panel_label": "label",
    }
    return word if isinstance(word, Exception) else {"reason": "r", name[evaluator_id]: word}


async def marked(evaluator_id: str, words: list[object], memory: Memory | None = None, **parameters: Any) -> Mark:
    asking = Asking(Scripted(*(says(evaluator_id, word) for word in words)), memory or Memory(), lab.SystemClock())
    panel = panel_of(evaluator_id, len(words), **parameters)
    return await asking.mark(panel, sample("Hi!"), "a", "e", 0)


CRITERIA = [
    ([True, True, True], {}, 100),
    ([True, True, False], {}, 100),
    ([True, False, False], {}, 0),
    ([False, False, False], {}, 0),
    ([True, True, False, False, True], {}, 100),
    ([False, True, False, False, True], {}, 0),
    # an even split goes by the rule for ties
    ([True, False], {}, 0),
    ([True, False], {"tie": "miss"}, 0),
    ([True, False], {"tie": "pass"}, 100),
    ([True, False], {"tie": "skip"}, SKIPPED),
    ([True, True, False, False], {"tie": "skip"}, SKIPPED),
    # a member that fails counts for nothing
    ([True, True, FAILS], {}, 100),
    ([False, False, FAILS], {}, 0),
    ([True, False, FAILS], {"tie": "pass"}, 100),
    ([True, False, FAILS, True, True], {}, 100),
    # without a quorum there is no verdict, whatever was said
    ([True, FAILS, FAILS], {}, FAILED),
    ([FAILS, FAILS, FAILS], {}, FAILED),
    ([True, FAILS, FAILS], {"quorum": 1}, 100),
    ([True, True, FAILS], {"quorum": 3}, FAILED),
    ([True, True], {"quorum": 2}, 100),
    ([True, FAILS], {}, FAILED),  # more than half of two are two
    ([True, "yes", True], {}, 100),  # what is no verdict is a failure
    ([True, JudgeFailed("x"), RuntimeError("odd")], {}, FAILED),
]
FACTUALITY = [
    (["same", "same", "same"], {}, 100),
    (["same", "same", "contradicts"], {}, 100),
    (["same", "incomplete", "contradicts"], {}, 0),
    (["same", "same", "incomplete", "contradicts"], {}, 0),  # two to two
    (["same", "same", "incomplete", "contradicts"], {"tie": "pass"}, 100),
    (["same", "same", "incomplete", "contradicts"], {"tie": "skip"}, SKIPPED),
    (["incomplete", "incomplete", "incomplete"], {}, 0),
    (["contradicts", "contradicts", "same"], {}, 0),
    (["same", FAILS, "same"], {}, 100),
    (["same", FAILS, "incomplete"], {"tie": "pass"}, 100),
    (["same", FAILS, "incomplete"], {"tie": "miss"}, 0),
    (["same", FAILS, FAILS], {}, FAILED),
    (["contradicts", FAILS, FAILS], {"quorum": 1}, 0),
    (["same", "wrong", "same"], {}, 100),
    (["same", "wrong", "wrong"], {}, FAILED),
    (["same"] * 3 + ["contradicts"] * 2, {}, 100),
]
LABEL = [
    (["kind", "kind", "rude"], {}, 100),
    (["rude", "rude", "kind"], {}, 0),
    (["kind", "neutral", "rude"], {}, 0),  # all three once, some good and some not: a tie
    (["kind", "neutral", "rude"], {"tie": "pass"}, 100),
    (["kind", "neutral", "rude"], {"tie": "skip"}, SKIPPED),
    (["kind", "neutral"], {}, 100),  # whichever of the two it is, it is good
    (["kind", "rude"], {}, 0),
    (["kind", "rude"], {"tie": "skip"}, SKIPPED),
    (["kind", "neutral", "rude", "rude"], {}, 0),  # the label that most give, not the side
    (["rude", "rude", "rude"], {}, 0),
    (["neutral", "neutral", "neutral"], {}, 100),
    (["kind", "kind", FAILS], {}, 100),
    (["kind", FAILS, FAILS], {}, FAILED),
    (["rude", FAILS, FAILS], {"quorum": 1}, 0),
    (["Kind", "kind", "kind"], {}, 100),  # a label in another spelling is no verdict
    (["kind", "rude", "kind", "rude", "neutral"], {"tie": "pass"}, 100),
]
RUBRIC = [
    ([5, 5, 5], {}, 5),
    ([1, 2, 3], {}, 2),
    ([1, 1, 4], {}, 2),
    ([1, 1, 4], {"aggregate": "median"}, 1),
    ([1, 5, 5], {"aggregate": "median"}, 5),
    ([4, 5], {}, 4.5),
    ([4, 5], {"aggregate": "median"}, 4.5),
    ([1, 2, 4, 5], {"aggregate": "median"}, 3),
    ([3, FAILS, 5], {}, 4),
    ([3, FAILS, 5], {"aggregate": "median"}, 4),
    ([3, FAILS, FAILS], {}, FAILED),
    ([3, FAILS, FAILS], {"quorum": 1}, 3),
    ([6, 4, 2], {}, 3),  # beyond the scale is no verdict
    ([0, 10], {"lowest": 0, "highest": 10}, 5),
    ([1, 2, 3, 4, 5], {"quorum": 5}, 3),
    ([1, 2, 3, 4, 4.5], {"quorum": 5}, FAILED),
]
CASES = [
    (evaluator_id, *case)
    for evaluator_id, cases in (
        ("panel_criteria", CRITERIA),
        ("panel_factuality", FACTUALITY),
        ("panel_label", LABEL),
        ("panel_rubric", RUBRIC),
    )
    for case in cases
]


@pytest.mark.parametrize(("evaluator_id", "words", "parameters", "means"), CASES)
async def test_what_the_verdicts_mean(evaluator_id, words, parameters, means):
    found = await marked(evaluator_id, words, **parameters)
    if means in (SKIPPED, FAILED):
        assert (found.score, found.failed) == (None, means == FAILED)
        assert found.note
    else:
        assert (found.score, found.failed) == (means, False), found
    assert [vote.model for vote in found.votes] == MODELS[: len(words)]


async def test_each_verdict_stands_on_the_mark():
    found = await marked("panel_label", ["kind", FAILS, "rude"], tie="pass")
    assert found.votes == (
        Vote("openai/a", "kind", 100, "kind: r"),
        Vote("openai/b", note="the judge's answer broke off"),
        Vote("openai/c", "rude", 0, "rude: r"),
    )
    assert found.note == "kind or rude: 1 of 2 members: split, which counts as a pass"
    failed = await marked("panel_criteria", [True, FAILS, RuntimeError("odd")])
    assert failed.note == (
        "1 of 3 members gave a verdict, and it takes 2: openai/b: the judge's answer broke off; openai/c:"
        " RuntimeError: odd"
    )
    assert len(failed.votes) == 3


async def test_when_the_money_is_up_the_panel_does_not_go_on_with_its_cheaper_members():
    judge = Scripted(says("panel_criteria", True), CapReached("the spend cap of 1 dollars has no room"))
    asking = Asking(judge, Memory(), lab.SystemClock())
    found = await asking.mark(panel_of("panel_criteria", quorum=1), sample("Hi!"), "a", "e", 0)
    assert (found.score, found.failed, found.note) == (None, True, "the spend cap of 1 dollars has no room")
    assert len(judge.asked) == 2


async def test_members_pay_from_one_purse_and_are_called_as_each_is_told():
    judge = Scripted(*[says("panel_criteria", True)] * 2)
    members = [{"model": "openai/a", "temperature": 1.0}, {"model": "groq/b", "response_format": "json_object"}]
    panel = panel_of("panel_criteria", max_cost=0.5, members=members)
    await Asking(judge, Memory(), lab.SystemClock()).mark(panel, sample("Hi!"), "a", "e", 2)
    first, second = judge.asked
    assert first[3] == second[3]
    assert (first[3].name, str(first[3].cap)) == ("e:2", "0.5")
    assert (first[2].temperature, second[2].temperature) == (1.0, None)
    assert (first[2].response_format, second[2].response_format) == ("json_schema", "json_object")
    assert first[1] == second[1]


async def test_a_member_s_verdict_is_kept_as_the_single_judge_s_and_not_paid_twice():
    memory = Memory()
    assert (await marked("panel_criteria", [True, FAILS, False], memory, tie="pass")).score == 100
    asking = Asking(judge := Scripted(says("panel_criteria", True)), memory, lab.SystemClock())
    again = await asking.mark(panel_of("panel_criteria"), sample("Hi!"), "a", "e", 0)
    assert again.score == 100
    assert [asked[2].model for asked in judge.asked] == ["openai/b"]
    single = EVALUATORS["judge_criteria"].configured(
        {"model": "openai/c", "gateway_id": "judges", "max_cost": 1, **OWN["panel_criteria"]}
    )
    assert (await asking.mark(single, sample("Hi!"), "a", "e", 0)).score == 0  # pyright: ignore[reportArgumentType] a judge
    assert len(judge.asked) == 1


async def test_what_cannot_be_judged_is_skipped_before_anybody_is_asked():
    asking = Asking(judge := Scripted(), Memory(), lab.SystemClock())
    found = await asking.mark(panel_of("panel_factuality", expected=None), sample("Hi!"), "a", "e", 0)
    assert found == Mark(note="there is no expected answer: the log's metadata has no 'expected'")
    assert judge.asked == []


@pytest.mark.parametrize(
    ("evaluator_id", "parameters", "told", "path"),
    [
        ("panel_criteria", {"members": [{"model": "openai/a"}]}, "length >= 2", ("members",)),
        ("panel_criteria", {"members": [{"model": f"openai/{n}"} for n in range(10)]}, "length <= 9", ("members",)),
        ("panel_criteria", {"members": [{"model": "openai/a"}] * 2}, "named twice", ()),
        ("panel_criteria", {"members": [{"model": "openai/a"}, {"model": "b"}]}, "regex", ("members", 1, "model")),
        ("panel_criteria", {"members": [{"model": "a/a"}, {"model": "b/b", "x": 1}]}, "field `x`", ("members", 1)),
        (
            "panel_criteria",
            {"members": [{"model": "a/a"}, {"model": "b/b", "cost_per_token_in": 0}]},
            "both or not at all",
            (),
        ),
        ("panel_criteria", {"quorum": 4}, "3 members only", ()),
        ("panel_criteria", {"quorum": 0}, ">= 1", ("quorum",)),
        ("panel_criteria", {"tie": "lot"}, "'lot'", ("tie",)),
        ("panel_criteria", {"model": "openai/a"}, "field `model`", ()),
        ("panel_rubric", {"lowest": 5}, "highest must be above lowest", ()),
        ("panel_rubric", {"tie": "skip"}, "field `tie`", ()),
        ("panel_label", {"good": ["nice"]}, "none of the labels", ()),
    ],
)
def test_parameters_that_make_no_sense_are_refused_where_they_stand(evaluator_id, parameters, told, path):
    with pytest.raises(BadInput, match=re.escape(told)) as refused:
        panel_of(evaluator_id, **parameters)
    assert refused.value.path == path


# --- agreement --------------------------------------------------------------------------------------------


def votes_of(*words: str | None) -> tuple[Vote, ...]:
    """Of members that said these labels; None: nothing."""
    scores = {"kind": 100.0, "neutral": 100.0, "rude": 0.0}
    return tuple(
        Vote(model, note="x") if word is None else Vote(model, word, scores.get(word) or float(word == "5") * 5)
        for model, word in zip(MODELS, words, strict=False)
    )


def test_agreement_is_over_what_was_said_and_counts_who_said_nothing():
    items = [(100.0, votes_of("kind", "neutral", "kind")), (0.0, votes_of("rude", None, "rude"))] * 6
    items += [(None, votes_of("kind", None, None))]
    found = agreement_of(panel_of("panel_label"), items)
    assert found.measure is Measure.NOMINAL
    assert found.shared == 12
    assert found.seats == (
        Seat("openai/a", 13, 0, 12),
        Seat("openai/b", 6, 7, 6),
        Seat("openai/c", 12, 1, 12),
    )
    # 30 pairable labels, 12 kind, 6 neutral, 12 rude; of each kind item 1 pair in 3 is alike, of rude ones all
    observed = 6 * 2 * (2 / 2) / 30
    expected = 1 - (12 * 11 + 6 * 5 + 12 * 11) / (30 * 29)
    assert found.alpha.value == pytest.approx(1 - observed / expected)
    assert found.alpha.low is not None
    assert found.alpha.low <= found.alpha.value <= found.alpha.high


def test_scores_that_are_near_agree_better_than_scores_that_are_far():
    near = [(4.5, (Vote("a", "4", 4), Vote("b", "5", 5))), (1.0, (Vote("a", "1", 1), Vote("b", "1", 1)))] * 6
    far = [(3.0, (Vote("a", "1", 1), Vote("b", "5", 5))), (1.0, (Vote("a", "1", 1), Vote("b", "1", 1)))] * 6
    panel = panel_of("panel_rubric", 2)
    found = agreement_of(panel, near)
    assert found.measure is Measure.INTERVAL
    assert found.alpha.value > agreement_of(panel, far).alpha.value
    assert found.seats == (Seat("openai/a", 12, 0, None), Seat("openai/b", 12, 0, None))


def test_where_nothing_can_be_said_of_agreement_the_reason_is_told():
    panel = panel_of("panel_label", 2)
    alone = agreement_of(panel, [(100.0, votes_of("kind", None))])
    assert (alone.alpha.value, alone.alpha.note) == (None, "no log has verdicts of two members")
    alike = agreement_of(panel, [(100.0, votes_of("kind", "kind"))] * 20)
    assert alike.alpha.value is None
    assert "all labels are the same" in alike.alpha.note
    few = agreement_of(panel, [(100.0, votes_of("kind", "kind")), (0.0, votes_of("rude", "rude"))])
    assert (few.alpha.value, few.alpha.low) == (1, None)
    assert "takes 10" in few.alpha.note
    assert agreement_of(panel, []).shared == 0


def test_of_very_many_logs_some_stand_for_all_and_that_is_told():
    items = [(100.0, votes_of("kind", "kind")), (0.0, votes_of("rude", "rude"))] * MOST_ITEMS
    found = agreement_of(panel_of("panel_label", 2), items)
    assert (found.shared, found.alpha.n) == (2 * MOST_ITEMS, MOST_ITEMS)
    assert found.alpha.note == f"computed from {MOST_ITEMS} of {2 * MOST_ITEMS} logs, evenly spread"
