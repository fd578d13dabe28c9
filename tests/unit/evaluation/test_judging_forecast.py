"""What judging would cost: the rule that docs/evaluators.md tells, and an interval that holds what is spent."""

from __future__ import annotations

import random
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from gaugeway.core.errors import LogsNotDurable
from gaugeway.core.estimating import tokens_of
from gaugeway.core.judging import Forecast, JudgeFailed, JudgeScorer, ModelScorer, Question
from gaugeway.core.model import Bodies, LogRecord, Outcome, Scope, Usage
from gaugeway.core.query import Slice, Where
from gaugeway.core.replays import Candidate, Judged, Replay
from gaugeway.core.replays import Forecast as ReplayForecast
from gaugeway.evaluation.conversations import read_conversation
from gaugeway.evaluation.judging.asking import Asking, key_of
from gaugeway.evaluation.judging.embedding import Embedding
from gaugeway.evaluation.judging.expecting import VERDICT_TOKENS, Pricing, Tally
from gaugeway.evaluation.judging.forecast import SAMPLED, Forecaster
from gaugeway.evaluation.panels import JudgePanel
from gaugeway.evaluation.predicting import Whole
from gaugeway.evaluation.replaying.forecast import ReplayForecaster
from support import laboratory as lab
from support.judges import INTO, OUT, Memory, Prices, Scripted
from support.samples import EVALUATORS, sample
from support.some_logs import ACCOUNT, SCOPE, a_log

JUDGES = Scope(ACCOUNT, "judges")
COMMON = {"gateway_id": "judges", "max_cost": 1}
CRITERIA: dict[str, Any] = {**COMMON, "criteria": "It is polite."}


class Logs:
    """The part of a LogStore that forecasts need: answers in one gateway, verdicts in another."""

    def __init__(self, answers: Sequence[str | None], verdicts: Sequence[LogRecord] = ()) -> None:
        logs = [a_log(path="v1/chat/completions", usage=Usage(tokens_in=9, tokens_out=9)) for _ in answers]
        self._logs = dict(
            zip([log.id for log in logs], zip(logs, map(bodies_of, answers), strict=True), strict=True)
        )
        self._verdicts = verdicts

    def ids(self, _scope: Scope, _where: Where, part: Slice) -> list[bytes]:
        return sorted(self._logs)[: part.limit]

    def get(self, _scope: Scope, log_id: bytes) -> LogRecord:
        return self._logs[log_id][0]

    def bodies(self, _scope: Scope, log_id: bytes) -> Bodies:
        return self._logs[log_id][1]

    def page(self, scope: Scope, _where: Where, part: Slice) -> list[LogRecord]:
        assert scope == JUDGES
        return list(self._verdicts[: part.limit])

    def samples(self) -> list[Any]:
        return [sample_like(read_conversation(log, bodies)) for _, (log, bodies) in sorted(self._logs.items())]


def sample_like(conversation: Any) -> Any:
    return msgspec.structs.replace(sample("x"), conversation=conversation)


def bodies_of(answer: str | None) -> Bodies:
    request = msgspec.json.encode({"messages": [{"role": "user", "content": "What is it?"}]})
    if answer is None:
        return Bodies(request=request)
    told = {"choices": [{"message": {"role": "assistant", "content": answer}}]}
    return Bodies(request=request, response=msgspec.json.encode(told))


def a_verdict(tokens: int | None, prompt: str = "criteria.1", model: str = "small", **fields: Any) -> LogRecord:
    usage = Usage(tokens_in=300, tokens_out=tokens)
    return a_log(JUDGES, model=model, usage=usage, metadata={"judge": prompt}, **fields)


def scorer_of(evaluator_id: str, **parameters: Any) -> ModelScorer:
    scorer = EVALUATORS[evaluator_id].configured(parameters)
    assert isinstance(scorer, ModelScorer)
    return scorer


def pricing_of(logs: Any, memory: Memory | None = None) -> Pricing:
    kept = memory or Memory()
    clock = lab.SystemClock()
    return Pricing(Asking(Scripted(), kept, clock, Embedding(Prices(), kept, clock)), Prices(), logs)


async def forecast(logs: Logs, scorer: ModelScorer, memory: Memory | None = None) -> Forecast:
    evaluation = msgspec.structs.replace(lab.evaluation(lab.dataset(), types=["x"]), account_id=ACCOUNT)
    forecaster = Forecaster(logs, lab.ReadySink(), pricing_of(logs, memory))
    _, [told] = await forecaster.forecast(evaluation, {0: scorer})
    return told


def asked_of(logs: Logs, judge: ModelScorer) -> list[Question]:
    assert isinstance(judge, JudgeScorer)
    return [question for one in logs.samples() for question in judge.questions(one)]


def asking_costs(question: Question, out: float) -> float:
    return (tokens_of(question.system) + tokens_of(question.user)) * INTO + out * OUT


def about(amount: float) -> Any:
    return pytest.approx(amount, rel=1e-6)


JUDGE = scorer_of("judge_criteria", model="openai/small", **CRITERIA)


async def test_before_any_verdict_is_logged_its_length_is_supposed_and_there_is_no_interval() -> None:
    logs = Logs(["thank you", "go away" * 50])
    told = await forecast(logs, JUDGE)
    assert float(told.expected) == about(
        sum(asking_costs(question, VERDICT_TOKENS) for question in asked_of(logs, JUDGE))
    )
    assert (told.low, told.high) == (None, None)
    assert f"verdicts of {VERDICT_TOKENS} tokens" in told.note
    assert (told.calls, told.known, told.worst_case) == (2, 0, 2)  # the judge says 1 dollar at most, each
    short = scorer_of("judge_criteria", model="openai/small", max_tokens=16, **CRITERIA)
    assert float((await forecast(logs, short)).expected) == about(
        sum(asking_costs(question, 16) for question in asked_of(logs, JUDGE))
    )


async def test_verdicts_are_as_long_as_the_logged_ones_of_that_model_and_prompt() -> None:
    verdicts = [a_verdict(tokens) for tokens in (100, 200, 300)]
    verdicts += [a_verdict(9000, "rubric.1"), a_verdict(9000, model="large"), a_verdict(None)]
    verdicts += [a_verdict(9000, outcome=Outcome.CACHED)]
    logs = Logs(["thank you", "go away"], verdicts)
    told = await forecast(logs, JUDGE)
    assert float(told.expected) == about(sum(asking_costs(question, 200) for question in asked_of(logs, JUDGE)))
    assert told.low is not None
    assert told.high is not None
    assert told.low < told.expected < told.high
    assert "as long as the newest logged ones" in told.note


async def test_what_is_known_already_costs_nothing() -> None:
    logs, memory = Logs(["thank you", "go away"]), Memory()
    first, second = asked_of(logs, JUDGE)
    assert isinstance(JUDGE, JudgeScorer)
    memory.put(ACCOUNT, key_of(JUDGE.settings, first), {}, 0)
    told = await forecast(logs, JUDGE, memory)
    assert (told.calls, told.known, told.worst_case) == (2, 1, 2)
    assert float(told.expected) == about(asking_costs(second, VERDICT_TOKENS))
    memory.put(ACCOUNT, key_of(JUDGE.settings, second), {}, 0)
    told = await forecast(logs, JUDGE, memory)
    assert (told.expected, told.low, told.high, told.note) == (0, 0, 0, "nothing is to be paid for")


async def test_all_members_of_a_panel_are_asked_and_paid() -> None:
    members = [{"model": "openai/small"}, {"model": "openai/large"}]
    panel = scorer_of("panel_criteria", members=members, **CRITERIA)
    assert isinstance(panel, JudgePanel)
    verdicts = [*[a_verdict(100)] * 2, *[a_verdict(500, model="large")] * 2]
    logs = Logs(["thank you", None], verdicts)
    told = await forecast(logs, panel)
    [question] = [question for one in logs.samples()[:1] for question in panel.judges[0].questions(one)]
    assert told.calls == 2
    assert float(told.expected) == about(asking_costs(question, 100) + asking_costs(question, 500))
    partly = await forecast(Logs(["thank you"], verdicts[:2]), panel)
    assert (partly.low, partly.high) == (None, None), "of one member nothing is known"


async def test_an_embedding_costs_its_text_and_the_same_text_once_for_a_log() -> None:
    near = scorer_of("embedding_similarity", model="openai/e", expected="four letters each", **COMMON)
    told = await forecast(Logs(["x" * 400, "four letters each", None]), near)
    expected = (100 + 2 * tokens_of("four letters each")) * INTO
    assert (told.calls, float(told.expected)) == (3, about(expected))
    assert (told.low, told.worst_case) == (None, Decimal("0.03"))
    assert "every log was looked at" in told.note


async def test_some_of_many_logs_stand_for_all() -> None:
    logs = Logs(["thank you" * (n % 9) for n in range(3 * SAMPLED)], [a_verdict(90 + n) for n in range(9)])
    told = await forecast(logs, JUDGE)
    assert (told.sampled, told.calls, told.worst_case) == (SAMPLED, 3 * SAMPLED, 3 * SAMPLED)
    whole = sum(asking_costs(question, 94) for question in asked_of(logs, JUDGE))
    assert float(told.low) < whole < float(told.high)


async def test_an_unknown_price_is_said_and_never_a_number() -> None:
    dear = scorer_of("embedding_similarity", model="dear/unknown", expected="x", **COMMON)
    with pytest.raises(JudgeFailed, match="cost_per_token_in"):
        await forecast(Logs(["thank you"]), dear)


async def test_nothing_is_forecast_over_logs_that_may_be_missing() -> None:
    logs = Logs(["thank you"])
    evaluation = lab.evaluation(lab.dataset(), types=["x"])
    with pytest.raises(LogsNotDurable):
        await Forecaster(logs, lab.ReadySink(refuse=1), pricing_of(logs)).forecast(evaluation, {0: JUDGE})
    with pytest.raises(LogsNotDurable):
        await ReplayForecaster(logs, lab.ReadySink(refuse=1), Prices()).forecast(a_replay())


def a_replay(*judged: Judged) -> Replay:
    return Replay(
        account_id=ACCOUNT,
        gateway_id=SCOPE.gateway_id,
        id="r",
        name="r",
        created_at=1,
        modified_at=1,
        dataset=lab.dataset(),
        through="other",
        candidates=(Candidate(label="one", model="cheap/one"), Candidate(label="two", model="cheap/two")),
        judged=judged,
        max_cost=Decimal(1),
    )


async def replay_forecast(logs: Logs, *judged: Judged, memory: Memory | None = None) -> ReplayForecast:
    forecaster = ReplayForecaster(
        logs, lab.ReadySink(), Prices(), pricing=pricing_of(logs, memory), evaluators=EVALUATORS
    )
    return await forecaster.forecast(a_replay(*judged))


def judged_by(evaluator_id: str, **parameters: Any) -> Judged:
    return Judged(evaluation_type_id=evaluator_id, evaluator_id=evaluator_id, parameters=parameters)


async def test_a_replay_s_judges_are_asked_about_the_logged_answer_and_all_candidates() -> None:
    logs = Logs(["thank you", "go away"], [a_verdict(100)] * 3)
    told = await replay_forecast(
        logs,
        judged_by("json_validity"),
        judged_by("judge_criteria", model="openai/small", **CRITERIA),
        judged_by("judge_pairwise", model="openai/small", **COMMON),
        judged_by("judge_criteria", model="openai/small"),  # whose parameters do not fit: it costs nothing
        judged_by("embedding_similarity", model="dear/unknown", expected="x", **COMMON),
    )
    one, pairwise, dear = told.judges
    assert (one.position, pairwise.position, dear.position) == (1, 2, 4)
    assert float(one.expected) == about(3 * sum(asking_costs(asked, 100) for asked in asked_of(logs, JUDGE)))
    assert one.low is not None
    assert (one.calls, one.worst_case, pairwise.calls) == (6, 6, 8), "both orders, and only for the candidates"
    assert pairwise.low is None
    assert (dear.expected, dear.low, dear.worst_case) == (None, None, None)
    assert "cost_per_token_in" in dear.unknown


async def test_a_replay_s_known_verdicts_are_those_of_the_logged_answers_only() -> None:
    logs, memory = Logs(["thank you"]), Memory()
    [question] = asked_of(logs, JUDGE)
    assert isinstance(JUDGE, JudgeScorer)
    memory.put(ACCOUNT, key_of(JUDGE.settings, question), {}, 0)
    judged = judged_by("judge_criteria", model="openai/small", **CRITERIA)
    [told] = (await replay_forecast(logs, judged, memory=memory)).judges
    assert (told.calls, told.known) == (3, 1)
    assert float(told.expected) == about(2 * asking_costs(question, VERDICT_TOKENS))


@pytest.mark.parametrize(("sampled", "items"), [(40, 400), (40, 40)])
async def test_the_interval_holds_what_is_spent_nineteen_times_in_twenty(sampled: int, items: int) -> None:
    """Questions and verdicts of skewed lengths; the verdicts' are known from 60 earlier ones."""
    chance, held, rounds = random.Random(5), 0, 80
    assert isinstance(JUDGE, JudgeScorer)
    for _ in range(rounds):
        samples = [sample("x" * round(chance.lognormvariate(6, 0.7))) for _ in range(items)]
        history = [a_verdict(round(chance.lognormvariate(4, 0.8))) for _ in range(60)]
        tally = Tally(pricing_of(Logs([], history)), ACCOUNT, JUDGE)
        for one in samples[:sampled]:
            await tally.add(one)
        told = tally.forecast(0, Whole(sampled, items))
        spent = sum(asking_costs(JUDGE.questions(one)[0], round(chance.lognormvariate(4, 0.8))) for one in samples)
        held += float(told.low) <= spent <= float(told.high)
    assert held / rounds >= 0.9
