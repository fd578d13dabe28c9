"""What a run calls models with, and what it reads out of their answers: chat completions."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, cast

import msgspec

from gaugeway.core.errors import GaugewayError
from gaugeway.core.evals import EvalRun, ModelUse
from gaugeway.core.graders import Turn, located, model_ref, text_of
from gaugeway.core.model import LogRecord, Usage
from gaugeway.core.samples import Conversation
from gaugeway.evaluation.evals.templates import filled, looked_up

SAMPLED = ("temperature", "top_p", "seed", "max_completion_tokens")
"""Sampling parameters that an output item shows."""


class NoAnswer(GaugewayError):
    """There is nothing to grade; the message says why."""


def messages_of(data_source: Mapping[str, Any], item: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The messages for an item: a template's, filled, or those that the item itself holds. NoAnswer, NotThere."""
    told: dict[str, Any] = data_source["input_messages"]
    if told["type"] == "template":
        turns = turns_of(told["template"])
        return [{"role": turn.role, "content": filled(text_of(turn), {"item": item})} for turn in turns]
    found = looked_up(told["item_reference"], {"item": item})
    if not isinstance(found, list) or not found:
        raise NoAnswer(f"{told['item_reference']} is no list of messages")
    return cast("list[dict[str, Any]]", found)


def turns_of(template: Any) -> tuple[Turn, ...]:
    """A template's messages; BadInput that points into it."""
    try:
        return msgspec.convert(template, tuple[Turn, ...])
    except msgspec.ValidationError as problem:
        raise located(problem, ()) from None


def request_of(run: EvalRun, item: Mapping[str, Any]) -> dict[str, Any]:
    """The chat completion that answers an item."""
    body: dict[str, Any] = {"model": model_ref(run.model), "messages": messages_of(run.data_source, item)}
    parameters: dict[str, Any] = run.data_source.get("sampling_params") or {}
    for name, value in parameters.items():
        if value is None:
            continue
        if name == "text":
            body["response_format"] = _response_format(value)
        else:
            body[name] = value
    return body


def _response_format(text: Mapping[str, Any]) -> dict[str, Any]:
    """The Responses API's `text.format` as chat completions have it."""
    told: dict[str, Any] = dict(text.get("format") or {"type": "text"})
    if told.get("type") != "json_schema":
        return told
    return {"type": "json_schema", "json_schema": {name: told[name] for name in told if name != "type"}}


def sample_of_answer(request: Mapping[str, Any], answer: bytes) -> dict[str, Any]:
    """An output item's sample, and what templates find in `sample`. NoAnswer where it is no chat completion."""
    try:
        document: Any = msgspec.json.decode(answer)
        choice: Any = document["choices"][0]
        message: Any = choice["message"]
        text: object = message.get("content")
    except (ValueError, LookupError, TypeError, AttributeError) as problem:
        raise NoAnswer("the model's answer is no chat completion") from problem
    usage: dict[str, Any] = document.get("usage") or {}
    details: dict[str, Any] = usage.get("prompt_tokens_details") or {}
    sample: dict[str, Any] = {
        "input": request["messages"],
        "output": [{"role": "assistant", "content": text if isinstance(text, str) else ""}],
        "finish_reason": choice.get("finish_reason") or "",
        "model": document.get("model") or request["model"],
        "usage": {
            **{name: usage.get(name) for name in ("prompt_tokens", "completion_tokens", "total_tokens")},
            "cached_tokens": details.get("cached_tokens"),
        },
        **{name: request.get(name) for name in SAMPLED},
    }
    return sample | {"choices": document["choices"]}


def sample_of_log(record: LogRecord, conversation: Conversation) -> dict[str, Any]:
    """A logged answer as a sample; NoAnswer where the log has none that can be graded."""
    answer = conversation.answer
    if answer is None:
        raise NoAnswer(conversation.problem or "the log has no answer")
    tools = [{"function": {"name": call.name, "arguments": call.arguments}} for call in answer.tool_calls]
    tokens_in, tokens_out = record.usage.tokens_in, record.usage.tokens_out
    return {
        "input": [{"role": one.role, "content": one.text} for one in conversation.messages],
        "output": [{"role": "assistant", "content": answer.text}],
        "output_tools": tools,
        "finish_reason": "",
        "model": record.response_model or record.model,
        "usage": {
            "prompt_tokens": tokens_in,
            "completion_tokens": tokens_out,
            "total_tokens": None if tokens_in is None or tokens_out is None else tokens_in + tokens_out,
            "cached_tokens": record.usage.cached_tokens_in,
        },
        **dict.fromkeys(SAMPLED),
    }


def namespaces_of(item: Mapping[str, Any], sample: Mapping[str, Any] | None) -> dict[str, Any]:
    """What templates of graders can name. `output_json` is there where the answer is JSON."""
    if sample is None:
        return {"item": item}
    told = dict(sample)
    message = _first_message(told)
    if "output_text" not in told:
        text = message.get("content")
        output: Any = told.get("output")
        if not isinstance(text, str) and isinstance(output, list) and output:
            text = cast("list[dict[str, Any]]", output)[-1].get("content")
        if isinstance(text, str):
            told["output_text"] = text
    if "output_tools" not in told and message.get("tool_calls"):
        told["output_tools"] = message["tool_calls"]
    if "output_json" not in told and isinstance(told.get("output_text"), str):
        with suppress(msgspec.DecodeError, RecursionError):
            told["output_json"] = msgspec.json.decode(told["output_text"])
    return {"item": item, "sample": told}


def _first_message(sample: Mapping[str, Any]) -> dict[str, Any]:
    try:
        found: Any = sample["choices"][0]["message"]
    except (LookupError, TypeError):
        return {}
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def use_of(model: str, record: LogRecord | None) -> ModelUse:
    """One call of a model, as its log has it."""
    usage = Usage() if record is None else record.usage
    if usage.tokens_out is None and record is not None and record.model_type == "embeddings":
        usage = msgspec.structs.replace(usage, tokens_out=0)  # nothing is written
    if usage.tokens_in is None or usage.tokens_out is None:
        return ModelUse(model=model, calls=1, untold=1)
    return ModelUse(
        model=model,
        calls=1,
        tokens_in=usage.tokens_in,
        tokens_out=usage.tokens_out,
        cached_tokens=usage.cached_tokens_in or 0,
    )
