"""One run of an eval: each item is answered, graded, and kept; then they are counted."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct, structs

from gaugeway.core import ids
from gaugeway.core.embeddings import Vector
from gaugeway.core.errors import BadInput
from gaugeway.core.evals import (
    MAX_ITEMS,
    CriterionCounts,
    EvalRun,
    EvalStore,
    ModelUse,
    Output,
    OutputState,
    RunItem,
    RunStatus,
    Slice,
)
from gaugeway.core.graders import (
    Grader,
    LabelModel,
    Multi,
    ScoreModel,
    TextSimilarity,
    model_ref,
    python_graders,
    read_graders,
)
from gaugeway.core.model import Bodies, LogRecord, RawFilter
from gaugeway.core.ports import Clock, LogSink, LogStore
from gaugeway.core.query import Slice as LogSlice
from gaugeway.core.query import Where, parse_all
from gaugeway.core.replays import Call, Called, Caller
from gaugeway.core.sandbox import Sandbox
from gaugeway.core.spending import NoRoom
from gaugeway.core.timestamps import to_rfc3339
from gaugeway.evaluation.conversations import read_conversation
from gaugeway.evaluation.durable import until_durable
from gaugeway.evaluation.evals.grading import FAULTS, grade
from gaugeway.evaluation.evals.programs import Programs
from gaugeway.evaluation.evals.sampling import (
    NoAnswer,
    namespaces_of,
    request_of,
    sample_of_answer,
    sample_of_log,
    use_of,
)
from gaugeway.evaluation.evals.templates import as_text
from gaugeway.evaluation.item_run import ClaimLost
from gaugeway.evaluation.judging.embedding import vector_of
from gaugeway.evaluation.scoring.marks import shortened
from gaugeway.evaluation.threads import in_thread

AT_ONCE = 4
"""Items that one run works on at a time: as many may have to be paid again after a death."""
PROGRESS_S = 5.0
FLUSH_S = 10.0
FROM_LOGS = ("stored_completions", "responses")
CALLED_BY, CALLED_FOR = "eval_run", "eval_call"
"""What the metadata of a run's own calls say."""
GONE = "the log was deleted before it was graded"


class EvalParts(Struct, frozen=True, kw_only=True):
    """What runs need."""

    store: EvalStore
    logs: LogStore
    sink: LogSink
    caller: Caller
    clock: Clock
    sandbox: Sandbox


class EvalWork:
    """One holder's work on one run."""

    def __init__(self, run: EvalRun, owner: str, parts: EvalParts) -> None:
        self._run = run
        self._owner = owner
        self._parts = parts
        self._store = parts.store
        self._graders: tuple[Grader, ...] = ()
        self._programs = Programs(parts.sandbox)

    async def work(self) -> None:
        """Until every item has ended; ClaimLost where somebody else holds the run."""
        try:
            self._graders = read_graders(self._run.criteria, ("testing_criteria",))
            self._require_sandbox()
            await self._save(status=RunStatus.IN_PROGRESS)
            await self._plan()
        except BadInput as problem:
            await self._save(status=RunStatus.FAILED, error=problem.message)
            return
        try:
            await self._grade_all()
        finally:
            self._programs.close()
        await self._tell(RunStatus.COMPLETED)

    def _require_sandbox(self) -> None:
        """BadInput where a grader is Python of the caller's, and none is run."""
        if self._parts.sandbox.refusal and any(python_graders(self._graders, ())):
            raise BadInput(self._parts.sandbox.refusal, ("testing_criteria",))

    async def _plan(self) -> None:
        source: dict[str, Any] = self._run.data_source["source"]
        if source["type"] in FROM_LOGS and not await in_thread(self._store.planned, self._run):
            await until_durable(self._parts.sink, FLUSH_S)
            limit = min(source.get("limit") or MAX_ITEMS, MAX_ITEMS)
            where = where_of(source, self._run.created_at)
            part = LogSlice(limit=limit)
            found = await in_thread(self._parts.logs.ids, self._run.scope, where, part)
            if not await in_thread(self._store.plan, self._run, self._owner, found):
                raise ClaimLost
        await self._save(total=await in_thread(self._store.planned, self._run))

    async def _grade_all(self) -> None:
        after, told = -1, time.monotonic()
        while pending := await in_thread(self._store.pending, self._run, after, AT_ONCE):
            tasks = [asyncio.create_task(self._end(item)) for item in pending]
            try:
                await asyncio.gather(*tasks)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.wait(tasks)
            after = pending[-1].place
            if time.monotonic() - told >= PROGRESS_S:
                await self._tell(RunStatus.IN_PROGRESS)
                told = time.monotonic()

    async def _end(self, item: RunItem) -> None:
        """Work one item to its end, and keep that."""
        if self._run.model or any(map(_may_call, self._graders)):
            await self._put(Output(place=item.place, state=OutputState.SENT, resent=item.was_sent))
        asked = _Asked(self._run, self._parts)
        output = await self._graded(item, asked)
        uses = merged([*output.uses, *asked.uses])
        await self._put(structs.replace(output, uses=uses, resent=item.was_sent))

    async def _graded(self, item: RunItem, asked: _Asked) -> Output:
        now = self._parts.clock.now_ms()
        shown: dict[str, Any] | None = None
        sample: dict[str, Any] | None = None
        try:
            told, sample = await self._material(item)
            shown = told if item.log_id is not None else None
            if self._run.model:
                sample = await asked.answer(told)
            namespaces = namespaces_of(told, sample)
        except FAULTS as problem:
            why = shortened(str(problem) or type(problem).__name__)
            return Output(place=item.place, state=OutputState.ERROR, item=shown, error=why, created_at=now)
        results = [await grade(grader, namespaces, asked, self._programs) for grader in self._graders]
        state = OutputState.PASS if all(one.passed for one in results) else OutputState.FAIL
        if any(one.errored for one in results):
            state = OutputState.ERROR
        return Output(
            place=item.place, state=state, results=results, item=shown, sample=sample or {}, created_at=now
        )

    async def _material(self, item: RunItem) -> tuple[dict[str, Any], dict[str, Any] | None]:
        """The item, and the answer that it comes with."""
        if item.log_id is None:
            return item.item, item.sample
        scope, logs = self._run.scope, self._parts.logs
        record = await in_thread(logs.get, scope, item.log_id)
        if record is None:
            raise NoAnswer(GONE)
        bodies = await in_thread(logs.bodies, scope, item.log_id)
        return await in_thread(_of_log, record, bodies)

    async def _tell(self, status: RunStatus) -> None:
        """Count what has ended, and write how the run stands."""
        counted = await in_thread(self._counted)
        await self._save(status=status, **counted)

    def _counted(self) -> dict[str, Any]:
        states = dict.fromkeys(OutputState, 0)
        criteria = {one.name: CriterionCounts(name=one.name) for one in self._graders}
        uses: list[ModelUse] = []
        resent = 0
        after: str | None = None
        more = True
        while more:
            found, more = self._store.outputs(self._run, Slice(after=after, limit=500))
            for _, output in found:
                states[output.state] += 1
                resent += output.resent
                uses = merged([*uses, *output.uses])
                for one in output.results:
                    kind = "errored" if one.errored else "passed" if one.passed else "failed"
                    known = criteria[one.name]
                    criteria[one.name] = structs.replace(known, **{kind: getattr(known, kind) + 1})
            after = str(found[-1][0].place) if found else after
        return {
            "passed": states[OutputState.PASS],
            "failed": states[OutputState.FAIL],
            "errored": states[OutputState.ERROR],
            "resent": resent,
            "per_criterion": list(criteria.values()),
            "per_model": uses,
        }

    async def _put(self, output: Output) -> None:
        if not await in_thread(self._store.put, self._run, self._owner, output):
            raise ClaimLost

    async def _save(self, **changes: Any) -> None:
        self._run = structs.replace(self._run, **changes)
        if not await in_thread(self._store.save, self._run, self._owner):
            raise ClaimLost


class _Asked:
    """The calls that are made for one item, within the run's purse."""

    def __init__(self, run: EvalRun, parts: EvalParts) -> None:
        self._run = run
        self._caller = parts.caller
        self.uses: list[ModelUse] = []

    async def answer(self, item: Mapping[str, Any]) -> dict[str, Any]:
        """The tested model's answer to an item, as a sample."""
        request = request_of(self._run, item)
        return sample_of_answer(request, await self._called(request, "sample"))

    async def __call__(
        self,
        model: str,
        messages: Sequence[Mapping[str, str]],
        schema: dict[str, Any],
        parameters: Mapping[str, Any],
    ) -> str:
        """A grading model's words; see grading.Ask."""
        shape = {"name": "verdict", "strict": True, "schema": schema}
        request = {
            "model": model_ref(model),
            "messages": list(messages),
            "response_format": {"type": "json_schema", "json_schema": shape},
            **parameters,
        }
        told = namespaces_of({}, sample_of_answer(request, await self._called(request, "grader")))
        return told["sample"].get("output_text", "")

    async def embedding(self, model: str, text: str) -> Vector:
        """A text's vector; see grading.Ask."""
        request = {"model": model_ref(model), "input": text}
        return vector_of(await self._call(request, "embeddings", "grader"))

    async def _called(self, request: Mapping[str, Any], what: str) -> bytes:
        called = await self._call(request, "chat/completions", what)
        return called.bodies.response or b""

    async def _call(self, request: Mapping[str, Any], endpoint: str, what: str) -> Called:
        """A good answer, paid from the run's purse; NoAnswer."""
        model = request["model"]
        call = Call(model=model, endpoint=endpoint, body=msgspec.json.encode(request))
        most = await self._caller.at_most(self._run.scope, call)
        if most.cost is None:
            raise NoAnswer(
                f"what {model} costs at most is not known ({most.reason}):"
                " give it a cost rule, or its calls max_completion_tokens"
            )
        try:
            called = await self._caller.call(
                self._run.scope, call, self._run.purse, most.cost, {CALLED_BY: self._run.id, CALLED_FOR: what}
            )
        except NoRoom as problem:
            raise NoAnswer(f"{model} was not called: {problem}") from problem
        self.uses.append(use_of(model, called.record))
        body = called.bodies.response or b""
        if called.bodies.response_cut:
            raise NoAnswer(f"the answer of {model} broke off")
        if called.status != 200:
            raise NoAnswer(
                f"{model} was answered with status {called.status}: {body[:300].decode(errors='replace')}"
            )
        return called


def _may_call(grader: Grader) -> bool:
    """Whether it may ask a model."""
    if isinstance(grader, TextSimilarity):
        return grader.asks_a_model
    return isinstance(grader, LabelModel | ScoreModel | Multi)


def where_of(source: Mapping[str, Any], until_ms: int) -> Where:
    """The logs that a source names: those that succeeded, up to the run's creation.

    What runs called themselves went through the same gateway, and is no traffic: it counts if it is asked for.
    """
    metadata: dict[str, Any] = source.get("metadata") or {}
    raw = [RawFilter("success", "eq", [True])]
    if CALLED_BY not in metadata:
        raw.append(RawFilter(f"metadata.{CALLED_BY}", "eq", [None]))
    if source.get("model"):
        raw.append(RawFilter("model", "eq", [source["model"]]))
    for name, operator, shift in (("created_after", "gt", -1), ("created_before", "lt", 1)):
        if source.get(name) is not None:
            raw.append(RawFilter("created_at", operator, [to_rfc3339(source[name] * 1000 + shift)]))
    filters = parse_all(raw, ("data_source", "source"), for_dataset=False)
    entries = tuple((key, as_text(value)) for key, value in metadata.items())
    return Where(alternatives=(filters,), until_ms=until_ms, entries=entries)


def _of_log(record: LogRecord, bodies: Bodies | None) -> tuple[dict[str, Any], dict[str, Any]]:
    """A log as an item, and its answer as a sample."""
    conversation = read_conversation(record, bodies)
    sample = sample_of_log(record, conversation)
    item = {
        "log_id": ids.to_text(record.id),
        "input": sample["input"],
        "input_trajectory": sample["input"],
        "model": record.model,
        "metadata": record.metadata or {},
    }
    return item, sample


def merged(uses: Sequence[ModelUse]) -> list[ModelUse]:
    """One entry for each model."""
    found: dict[str, ModelUse] = {}
    for use in uses:
        known = found.get(use.model)
        found[use.model] = (
            use
            if known is None
            else ModelUse(
                model=use.model,
                calls=known.calls + use.calls,
                untold=known.untold + use.untold,
                tokens_in=known.tokens_in + use.tokens_in,
                tokens_out=known.tokens_out + use.tokens_out,
                cached_tokens=known.cached_tokens + use.cached_tokens,
            )
        )
    return list(found.values())
