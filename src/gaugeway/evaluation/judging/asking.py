"""One sample before one judge, one panel of them, or a model of embeddings."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from decimal import Decimal
from importlib import import_module
from typing import Any

import msgspec
from msgspec import Struct

from gaugeway.core.embeddings import EmbeddingScorer
from gaugeway.core.judging import (
    CapReached,
    Judge,
    JudgeFailed,
    JudgeScorer,
    JudgeSettings,
    ModelScorer,
    Purse,
    Question,
    Verdict,
    VerdictStore,
)
from gaugeway.core.ports import Clock
from gaugeway.core.samples import Mark, NotApplicable, Sample
from gaugeway.core.spending import Budget
from gaugeway.core.votes import Vote
from gaugeway.evaluation.conclusion import reason
from gaugeway.evaluation.expected import quoted
from gaugeway.evaluation.json_text import NoJson, read_json
from gaugeway.evaluation.judging.embedding import Embedding
from gaugeway.evaluation.panels import JudgePanel
from gaugeway.evaluation.scoring.marks import checked, shortened
from gaugeway.evaluation.threads import in_thread


class _Payer(Struct, frozen=True):
    """On whose behalf models are asked."""

    account_id: str
    evaluation_id: str
    purse: Purse


class Asking(Struct, frozen=True):
    """Everything that judges need in this process."""

    judge: Judge
    verdicts: VerdictStore
    clock: Clock
    embedding: Embedding | None = None  # None: there are no embeddings here

    async def mark(  # noqa: PLR0917 - who is asked about what, and on whose account
        self,
        scorer: ModelScorer,
        sample: Sample,
        account_id: str,
        evaluation_id: str,
        position: int,
        daily: Budget | None = None,
    ) -> Mark:
        """The models' mark, or why there is none. Raises nothing but CancelledError.

        `daily` must have room for its calls beside the scorer's own cap.
        """
        purse = Purse(f"{evaluation_id}:{position}", Decimal(repr(scorer.max_cost)), daily)
        payer = _Payer(account_id, evaluation_id, purse)
        try:
            return await self._mark(scorer, sample, payer)
        except NotApplicable as problem:
            return Mark(note=shortened(str(problem)))
        except JudgeFailed as problem:
            return Mark(failed=True, note=shortened(str(problem)))
        except Exception as problem:  # noqa: BLE001 - it becomes the mark's note
            return Mark(failed=True, note=reason(problem))

    async def _mark(self, scorer: ModelScorer, sample: Sample, payer: _Payer) -> Mark:
        match scorer:
            case JudgeScorer():
                return checked(scorer.conclude(await self._verdicts(scorer, sample, payer)))
            case JudgePanel():
                votes = [await self._vote(scorer, judge, sample, payer) for judge in scorer.judges]
                mark = scorer.conclude(votes)
                return msgspec.structs.replace(mark, note=shortened(mark.note))
            case EmbeddingScorer():
                return checked(scorer.conclude(await self._vectors(scorer, sample, payer)))
            case _:
                raise JudgeFailed("this server does not know how to ask it")

    async def _verdicts(self, judge: JudgeScorer, sample: Sample, payer: _Payer) -> list[Verdict]:
        return [await self._verdict(judge.settings, question, payer) for question in judge.questions(sample)]

    async def _vote(self, panel: JudgePanel, judge: JudgeScorer, sample: Sample, payer: _Payer) -> Vote:
        """What a member says, or why it says nothing.

        NotApplicable, CapReached: it is so for the whole panel. One that went on with the cheaper of its members
        because the money is up would be another panel.
        """
        try:
            verdicts = await self._verdicts(judge, sample, payer)
            mark = checked(judge.conclude(verdicts))
        except (NotApplicable, CapReached):
            raise
        except JudgeFailed as problem:
            return Vote(judge.model, note=shortened(str(problem)))
        except Exception as problem:  # noqa: BLE001 - it becomes the vote's note
            return Vote(judge.model, note=reason(problem))
        if mark.score is None:
            return Vote(judge.model, note=mark.note)
        return Vote(judge.model, panel.said(verdicts[0]), mark.score, mark.note)

    async def _verdict(self, settings: JudgeSettings, question: Question, payer: _Payer) -> Verdict:
        key = key_of(settings, question)
        known = await in_thread(self.verdicts.get, payer.account_id, key)
        if known is not None:
            return known
        metadata = {"judge": question.prompt, "evaluation": payer.evaluation_id}
        text = await self.judge.ask(payer.account_id, question, settings, payer.purse, metadata)
        verdict = read_verdict(text, question.schema)
        await in_thread(self.verdicts.put, payer.account_id, key, verdict, self.clock.now_ms())
        return verdict

    async def _vectors(self, scorer: EmbeddingScorer, sample: Sample, payer: _Payer) -> list[Sequence[float]]:
        if self.embedding is None:
            raise JudgeFailed("this server has no embeddings")
        metadata = {"embedding": scorer.model, "evaluation": payer.evaluation_id}
        return [
            await self.embedding.vector(payer.account_id, text, scorer.settings, payer.purse, metadata)
            for text in scorer.texts(sample)
        ]


def key_of(settings: JudgeSettings, question: Question) -> bytes:
    """The same for the same question to the same model by the same prompt."""
    told: Sequence[Any] = (
        settings.model,
        settings.gateway_id,
        settings.max_tokens,
        settings.response_format,
        settings.temperature,
        question.prompt,
        question.system,
        question.user,
        question.schema,
    )
    return hashlib.sha256(msgspec.json.encode(told, order="deterministic")).digest()


def read_verdict(text: str, schema: dict[str, Any]) -> Verdict:
    """A judge's answer as a verdict; JudgeFailed where it is not exactly what was asked for."""
    try:
        found = read_json(text, allow_fence=True)
    except NoJson as problem:
        raise JudgeFailed(f"the verdict is no JSON ({problem}): {quoted(text)}") from problem
    validators: Any = import_module("jsonschema.validators")
    for problem in validators.Draft202012Validator(schema).iter_errors(found):
        raise JudgeFailed(f"the verdict is not what was asked for: {quoted(str(problem.message), 200)}")
    return found
