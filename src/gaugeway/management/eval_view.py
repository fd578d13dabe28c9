"""Evals, runs and output items as OpenAI's Evals API shows them, with what this server adds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gaugeway.core.evals import Eval, EvalRun, GraderResult, ModelUse, Output, OutputState, RunItem
from gaugeway.core.money import plain

_NO_ERROR = {"code": "", "message": ""}
_NO_USAGE = dict.fromkeys(("prompt_tokens", "completion_tokens", "total_tokens", "cached_tokens"))
_SAMPLE: dict[str, Any] = {
    "input": [],
    "output": [],
    "finish_reason": "",
    "model": "",
    "usage": _NO_USAGE,
    "temperature": None,
    "top_p": None,
    "seed": None,
    "max_completion_tokens": None,
}
_LOG_ITEM: dict[str, Any] = {
    "type": "object",
    "properties": {
        "log_id": {"type": "string"},
        "input": {"type": "array"},
        "input_trajectory": {"type": "array"},
        "model": {"type": "string"},
        "metadata": {"type": "object"},
    },
}
STATES = {OutputState.PASS: "pass", OutputState.FAIL: "fail", OutputState.ERROR: "error", OutputState.SENT: "sent"}


def show_eval(made: Eval) -> dict[str, Any]:
    """An eval."""
    return {
        "id": made.id,
        "object": "eval",
        "name": made.name,
        "created_at": made.created_at // 1000,
        "data_source_config": _show_config(made.data_source_config),
        "testing_criteria": made.testing_criteria,
        "metadata": made.metadata,
    }


def _show_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """With the schema of what templates can name."""
    if config["type"] != "custom":
        return {**config, "schema": _schema(_LOG_ITEM, with_sample=True)}
    schema = _schema(config["item_schema"], with_sample=bool(config.get("include_sample_schema")))
    return {"type": "custom", "schema": schema}


def _schema(item: Mapping[str, Any], *, with_sample: bool) -> dict[str, Any]:
    properties: dict[str, Any] = {"item": dict(item)}
    if with_sample:
        properties["sample"] = {
            "type": "object",
            "properties": {"output_text": {"type": "string"}, "model": {"type": "string"}},
        }
    return {"type": "object", "properties": properties, "required": list(properties)}


def show_run(run: EvalRun, url: str) -> dict[str, Any]:
    """A run; `max_cost` and `resent` are ours."""
    return {
        "id": run.id,
        "object": "eval.run",
        "eval_id": run.eval_id,
        "name": run.name,
        "created_at": run.created_at // 1000,
        "status": run.status.value,
        "model": run.model,
        "data_source": run.data_source,
        "metadata": run.metadata,
        "error": {"code": "failed", "message": run.error} if run.error else _NO_ERROR,
        "result_counts": {
            "total": run.total,
            "passed": run.passed,
            "failed": run.failed,
            "errored": run.errored,
        },
        "per_testing_criteria_results": [
            {"testing_criteria": one.name, "passed": one.passed, "failed": one.failed, "errored": one.errored}
            for one in run.per_criterion
        ],
        "per_model_usage": [_show_use(use) for use in run.per_model],
        "report_url": f"{url.rstrip('/')}/v1/evals/{run.eval_id}/runs/{run.id}/output_items",
        "max_cost": plain(run.max_cost),
        "resent": run.resent,
    }


def _show_use(use: ModelUse) -> dict[str, Any]:
    """The tokens are those of the calls that told them; `untold_count`, of those that did not, is ours."""
    return {
        "model_name": use.model,
        "invocation_count": use.calls,
        "untold_count": use.untold,
        "prompt_tokens": use.tokens_in,
        "completion_tokens": use.tokens_out,
        "total_tokens": use.tokens_in + use.tokens_out,
        "cached_tokens": use.cached_tokens,
    }


def item_id(run: EvalRun, place: int) -> str:
    """The id of an output item: its run's, and its place."""
    return f"outputitem_{run.id.removeprefix('evalrun_')}_{place}"


def place_of(run: EvalRun, identifier: str) -> int | None:
    """Where that item stands; None where the id is none of the run's."""
    head, _, place = identifier.rpartition("_")
    if f"{head}_" != item_id(run, 0)[:-1] or not place.isdecimal() or len(place) > 9:
        return None
    return int(place)


def show_output(run: EvalRun, item: RunItem, output: Output) -> dict[str, Any]:
    """An output item; `resent` is ours."""
    sample = {name: output.sample.get(name, usual) for name, usual in _SAMPLE.items()}
    return {
        "id": item_id(run, output.place),
        "object": "eval.run.output_item",
        "created_at": output.created_at // 1000,
        "eval_id": run.eval_id,
        "run_id": run.id,
        "status": STATES[output.state],
        "datasource_item_id": output.place,
        "datasource_item": item.item if output.item is None else output.item,
        "results": [_show_result(one) for one in output.results],
        "sample": {**sample, "error": {"code": "failed", "message": output.error} if output.error else _NO_ERROR},
        "resent": output.resent,
    }


def _show_result(result: GraderResult) -> dict[str, Any]:
    """What a grader says; one that could not grade did not pass, and its `sample` has an `error`."""
    sample = {"error": result.note} if result.errored else {"note": result.note} if result.note else None
    return {
        "name": result.name,
        "type": result.type,
        "passed": result.passed,
        "score": result.score,
        "sample": sample,
    }
