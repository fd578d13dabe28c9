"""What becomes of a provider's answer at `ai/run`."""

from __future__ import annotations

import json

import pytest

from gaugeway.proxy.rest import RunCall

CALL = RunCall(path="chat/completions", body=b"{}", is_stream=False, is_enveloped=False)


@pytest.mark.parametrize("answer", [b'{"choices": [], "error": null}', b"[1, 2]", b'"text"', b"5"])
def test_an_answer_is_the_result_of_a_success(answer: bytes) -> None:
    enveloped = json.loads(CALL.answer(answer))
    assert enveloped == {"result": json.loads(answer), "success": True, "errors": [], "messages": []}


@pytest.mark.parametrize("answer", [b'{"error": {"message": "no"}}', b'{"error": "no"}', b"<html>", b"", b"{"])
def test_what_is_no_answer_is_no_success(answer: bytes) -> None:
    assert CALL.answer(answer) == answer
