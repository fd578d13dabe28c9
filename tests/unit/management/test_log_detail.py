"""One log: reading it, giving feedback on it, looking at its bodies."""

from __future__ import annotations

from typing import Any

import pytest

from gaugeway.core.model import Bodies
from support.control_plane import A_FULL_LOG, ControlPlane, error

LOGS = "/gateways/main/logs"
UNKNOWN = "01890000-0000-7000-8000-000000000000"


@pytest.fixture(autouse=True)
def gateway(plane: ControlPlane) -> str:
    return plane.make_gateway()


def detail(plane: ControlPlane, identifier: str) -> dict[str, Any]:
    return plane.get(f"{LOGS}/{identifier}")["result"]


def test_a_log_is_found_before_it_was_written(plane: ControlPlane) -> None:
    identifier = plane.log(**A_FULL_LOG)
    shown = detail(plane, identifier)
    listed = plane.get(LOGS)["result"][0]
    heads = ("request_head", "request_head_complete", "response_head", "response_head_complete")
    assert {name: value for name, value in shown.items() if name not in heads} == listed


@pytest.mark.parametrize("log_id", [UNKNOWN, "x", UNKNOWN.replace("-", ""), "{" + UNKNOWN + "}", "%00", "ä" * 36])
@pytest.mark.parametrize(
    ("method", "tail"), [("GET", ""), ("PATCH", ""), ("GET", "/request"), ("GET", "/response")]
)
def test_unknown_log(plane: ControlPlane, log_id: str, method: str, tail: str) -> None:
    body = {"feedback": 1} if method == "PATCH" else None
    code, _, message = error(plane.call(method, f"{LOGS}/{log_id}{tail}", body), 404)
    assert code == 7002
    assert message.startswith("Not Found")


@pytest.mark.parametrize(
    ("body", "cut", "head", "complete"),
    [
        (b"", False, "", True),
        (b"short", False, "short", True),
        (b"short", True, "short", False),
        (b"x" * 2048, False, "x" * 2048, True),
        (b"x" * 2049, False, "x" * 2048, False),
        ("\U0001f984".encode() * 2048, False, "\U0001f984" * 2048, True),
        ("\U0001f984".encode() * 2049, False, "\U0001f984" * 2048, False),
        ("a\U0001f984".encode() * 3000, False, "a\U0001f984" * 1024, False),
        (b"\xff" * 2048, False, "\ufffd" * 2048, True),
        (b"\xff" * 100_000, False, "\ufffd" * 2048, False),
    ],
)
def test_heads(plane: ControlPlane, body: bytes, cut: bool, head: str, complete: bool) -> None:
    bodies = Bodies(request=body, response=body, request_cut=cut, response_cut=cut)
    shown = detail(plane, plane.log(bodies=bodies, request_size=len(body), response_size=len(body)))
    assert (shown["request_head"], shown["request_head_complete"]) == (head, complete)
    assert (shown["response_head"], shown["response_head_complete"]) == (head, complete)


def test_heads_of_bodies_that_were_not_kept(plane: ControlPlane) -> None:
    shown = detail(plane, plane.log(request_size=10, response_size=0))
    assert (shown["request_head"], shown["request_head_complete"]) == (None, False)
    assert (shown["response_head"], shown["response_head_complete"]) == ("", True)


# --- bodies -----------------------------------------------------------------------------------------------


def test_bodies_come_back_as_they_were(plane: ControlPlane) -> None:
    every_byte = bytes(range(256)) * 100
    identifier = plane.log(
        bodies=Bodies(request=b'{"a": 1}', response=every_byte),
        request_content_type="application/json; charset=utf-8",
        response_content_type="audio/mpeg",
    )
    request = plane.call("GET", f"{LOGS}/{identifier}/request")
    assert (request.status_code, request.content) == (200, b'{"a": 1}')
    assert request.headers["content-type"] == "application/json; charset=utf-8"
    assert request.headers["content-disposition"] == "inline"
    response = plane.call("GET", f"{LOGS}/{identifier}/response")
    assert response.content == every_byte
    assert response.headers["content-type"] == "audio/mpeg"
    assert response.headers["content-disposition"] == f'attachment; filename="{identifier}-response"'
    assert response.headers["gaugeway-body-complete"] == "true"


@pytest.mark.parametrize(
    ("content_type", "sent"),
    [
        ("text/html", "text/html"),
        ("image/svg+xml; charset=utf-8", "image/svg+xml; charset=utf-8"),
        ("text/html\r\nset-cookie: a=b", "application/octet-stream"),
        ("text/häml", "application/octet-stream"),
        ("", "application/octet-stream"),
        (None, "application/octet-stream"),
    ],
)
def test_a_hostile_body_is_downloaded_and_never_run(
    plane: ControlPlane, content_type: str | None, sent: str
) -> None:
    attack = b"<script>alert(document.cookie)</script>"
    identifier = plane.log(bodies=Bodies(response=attack), response_content_type=content_type)
    answer = plane.call("GET", f"{LOGS}/{identifier}/response")
    assert answer.content == attack
    assert answer.headers["content-type"] == sent
    assert "set-cookie" not in answer.headers
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert answer.headers["content-disposition"].startswith("attachment")


def test_a_body_that_was_cut_says_so(plane: ControlPlane) -> None:
    identifier = plane.log(bodies=Bodies(request=b"begi", request_cut=True))
    assert plane.call("GET", f"{LOGS}/{identifier}/request").headers["gaugeway-body-complete"] == "false"


@pytest.mark.parametrize(("lost", "why"), [(False, "it was not collected"), (True, "it was lost")])
def test_no_body(plane: ControlPlane, lost: bool, why: str) -> None:
    identifier = plane.log(bodies_lost=lost, bodies=None if lost else Bodies(request=b"x"))
    code, _, message = error(plane.call("GET", f"{LOGS}/{identifier}/response"), 404)
    assert code == 7002
    assert message.startswith("Not Found")
    assert why in message


def test_an_empty_body_is_a_body(plane: ControlPlane) -> None:
    identifier = plane.log(bodies=Bodies(request=b"", response=b""))
    answer = plane.call("GET", f"{LOGS}/{identifier}/response")
    assert (answer.status_code, answer.content) == (200, b"")


# --- feedback ---------------------------------------------------------------------------------------------


def patch(plane: ControlPlane, identifier: str, body: Any) -> Any:
    return plane.call("PATCH", f"{LOGS}/{identifier}", body)


def test_patch_changes_only_what_is_sent(plane: ControlPlane) -> None:
    identifier = plane.log()
    steps: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({"feedback": 1}, {"feedback": 1, "score": None, "metadata": None}),
        ({"score": 99.5}, {"feedback": 1, "score": 99.5, "metadata": None}),
        (
            {"metadata": {"a": "b", "n": 1.5, "t": True}},
            {"score": 99.5, "metadata": {"a": "b", "n": 1.5, "t": True}},
        ),
        ({"metadata": {"c": -7}}, {"feedback": 1, "metadata": {"c": -7}}),
        ({}, {"feedback": 1, "score": 99.5, "metadata": {"c": -7}}),
        ({"feedback": -1.0, "score": 0}, {"feedback": -1, "score": 0, "metadata": {"c": -7}}),
        ({"feedback": 0}, {"feedback": None, "score": 0}),
        ({"feedback": None, "score": None, "metadata": None}, {"feedback": None, "score": None, "metadata": None}),
    ]
    for body, expected in steps:
        answer = patch(plane, identifier, body)
        assert answer.json() == {"success": True, "errors": [], "messages": [], "result": {}}
        assert detail(plane, identifier).items() >= expected.items()


@pytest.mark.parametrize(
    ("body", "path", "message"),
    [
        ({"feedback": 2}, ["feedback"], "Expected -1, 0 or 1"),
        ({"feedback": 0.5}, ["feedback"], "Expected -1, 0 or 1"),
        ({"feedback": "1"}, ["feedback"], "Expected number, received string"),
        ({"feedback": True}, ["feedback"], "Expected number, received boolean"),
        ({"score": -0.1}, ["score"], "Number must be greater than or equal to 0"),
        ({"score": 101}, ["score"], "Number must be less than or equal to 100"),
        ({"score": "80"}, ["score"], "Expected number, received string"),
        ({"metadata": []}, ["metadata"], "Expected object, received array"),
        ({"metadata": {"a": None}}, ["metadata", "a"], "Expected string, number or boolean, received null"),
        ({"metadata": {"a": {}}}, ["metadata", "a"], "Expected string, number or boolean, received object"),
        ({"metadata": {"a": "x" * 4097}}, ["metadata", "a"], "String must contain at most 4096 character(s)"),
        ({"metadata": {"a": 1 << 63}}, ["metadata", "a"], "The number is too large"),
        ({"metadata": {"": 1}}, None, "String must contain at least 1 character(s)"),
        ({"metadata": {str(n): n for n in range(65)}}, ["metadata"], None),
        ({"feedbak": 1}, ["feedbak"], "Unrecognized key: this is not a parameter of this operation"),
        ({"success": True}, ["success"], None),
    ],
)
def test_bad_patches_change_nothing(
    plane: ControlPlane, body: Any, path: list[Any] | None, message: str | None
) -> None:
    identifier = plane.log(feedback=1, score=5.0, metadata={"keep": "this"})
    code, where, said = error(patch(plane, identifier, {"score": 50, **body} if "score" not in body else body))
    assert code == 7001
    assert path is None or where == ["body", *path]
    assert message is None or said == message
    assert detail(plane, identifier).items() >= {"feedback": 1, "score": 5.0, "metadata": {"keep": "this"}}.items()


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"-Infinity", b"1e999"])
def test_numbers_that_are_none(plane: ControlPlane, number: bytes) -> None:
    identifier = plane.log()
    for body in (b'{"score":%s}' % number, b'{"feedback":%s}' % number, b'{"metadata":{"a":%s}}' % number):
        answer = plane.call("PATCH", f"{LOGS}/{identifier}", content=body)
        assert error(answer)[0] == 7001


def test_patched_metadata_is_found(plane: ControlPlane) -> None:
    identifier = plane.log()
    patch(plane, identifier, {"metadata": {"team": "blue"}})
    assert [item["id"] for item in plane.get(LOGS, search="BLUE")["result"]] == [identifier]
