"""Custom providers through the API, and where they may be."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

import pytest

from support.control_plane import NOW, ControlPlane, error, errors, installation

PROVIDERS = "/custom-providers"
BODY = {"name": "Mine", "slug": "mine", "base_url": "https://ai.example.com/v1"}
FULL = {
    **BODY,
    "description": "My own",
    "link": "https://example.com",
    "enable": True,
    "beta": True,
    "curl_example": "curl …",
    "js_example": "fetch()",
    "position": 3,
    "headers": '{"x-api-key": "sk-secret", "x-team": "blue"}',
}


@pytest.fixture(scope="module")
def lenient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """An API whose operator allows some private upstreams."""
    folder = tmp_path_factory.mktemp("lenient") / "data"
    with installation(folder, "127.0.0.0/8", "fd00::/8", "models.internal") as made:
        yield ControlPlane(made)


def test_create_shows_every_field_with_its_default(plane: ControlPlane) -> None:
    made = plane.make(PROVIDERS, BODY)
    assert made == {
        "id": made["id"],
        **BODY,
        "description": None,
        "link": None,
        "enable": False,
        "beta": False,
        "curl_example": None,
        "js_example": None,
        "position": None,
        "headers": None,
        "logo": made["logo"],
        "created_at": "2026-11-18T11:06:40.000Z",
        "modified_at": "2026-11-18T11:06:40.000Z",
    }
    assert plane.get(f"{PROVIDERS}/{made['id']}")["result"] == made
    assert plane.get(PROVIDERS)["result"] == [made]


def test_create_keeps_what_was_sent(plane: ControlPlane) -> None:
    made = plane.make(PROVIDERS, FULL)
    assert made.items() >= FULL.items()


@pytest.mark.parametrize("name", ["Mine", "<script>", "& <b>", "…", "\U0001f984"])
def test_the_logo_is_a_small_picture_whatever_the_name(plane: ControlPlane, name: str) -> None:
    made = plane.make(PROVIDERS, {**BODY, "name": name})
    kind, _, data = made["logo"].partition(",")
    assert kind == "data:image/svg+xml;base64"
    picture = ElementTree.fromstring(base64.b64decode(data))
    assert picture.tag == "{http://www.w3.org/2000/svg}svg"
    assert len(made["logo"]) < 1000


def test_a_reader_sees_which_headers_there_are_but_not_their_values(plane: ControlPlane) -> None:
    made = plane.make(PROVIDERS, FULL)
    hidden = '{"x-api-key": "[hidden]", "x-team": "[hidden]"}'
    answer = plane.call("GET", f"{PROVIDERS}/{made['id']}", token="reader")
    assert answer.json()["result"] == made | {"headers": hidden}
    assert "sk-secret" not in plane.call("GET", PROVIDERS, token="reader").text


def test_a_taken_slug_is_409_and_not_worth_repeating(plane: ControlPlane) -> None:
    plane.make(PROVIDERS, BODY)
    answer = plane.call("POST", PROVIDERS, {**BODY, "name": "Other"})
    assert error(answer, 409)[:2] == (1003, ["body", "slug"])
    assert answer.headers["x-should-retry"] == "false"
    other = plane.make(PROVIDERS, {**BODY, "slug": "other"})
    assert error(plane.call("PATCH", f"{PROVIDERS}/{other['id']}", {"slug": "mine"}), 409)[0] == 1003


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_unknown_provider(plane: ControlPlane, method: str) -> None:
    answer = plane.call(method, f"{PROVIDERS}/unknown", {} if method == "PATCH" else None)
    assert error(answer, 404) == (1004, [], "Custom Provider not found")


def test_patch_changes_what_is_sent(plane: ControlPlane) -> None:
    made = plane.make(PROVIDERS, FULL)
    plane.clock.now = NOW + 1
    change: dict[str, Any] = {"name": "Ours", "enable": False, "position": None, "headers": None}
    answer = plane.call("PATCH", f"{PROVIDERS}/{made['id']}", change)
    shown = answer.json()["result"]
    expected = made | change | {"modified_at": "2026-11-18T11:06:40.001Z", "logo": shown["logo"]}
    assert shown == expected
    assert plane.get(f"{PROVIDERS}/{made['id']}")["result"] == expected


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"name": ""}, ["name"]),
        ({"name": None}, ["name"]),
        ({"slug": None}, ["slug"]),
        ({"base_url": None}, ["base_url"]),
        ({"enable": None}, ["enable"]),
        ({"id": "x"}, ["id"]),
        ({"logo": "x"}, ["logo"]),
    ],
)
def test_bad_patches(plane: ControlPlane, change: dict[str, Any], path: list[str]) -> None:
    made = plane.make(PROVIDERS, FULL)
    assert error(plane.call("PATCH", f"{PROVIDERS}/{made['id']}", change))[:2] == (7001, ["body", *path])
    url = plane.call("PATCH", f"{PROVIDERS}/{made['id']}", {"base_url": "http://ai.example.com"})
    assert error(url)[:2] == (1002, ["body", "base_url"])
    assert plane.get(f"{PROVIDERS}/{made['id']}")["result"] == made


def test_delete(plane: ControlPlane) -> None:
    made = plane.make(PROVIDERS, BODY)
    assert plane.call("DELETE", f"{PROVIDERS}/{made['id']}").json()["result"] == made
    assert plane.get(PROVIDERS)["result"] == []
    assert error(plane.call("DELETE", f"{PROVIDERS}/{made['id']}"), 404)[0] == 1004


def test_order_search_and_pages(plane: ControlPlane) -> None:
    for slug, position in (("c", 2), ("b", None), ("a", None), ("d", 1)):
        plane.make(
            PROVIDERS,
            {
                **BODY,
                "name": f"Name {slug}",
                "slug": slug,
                "position": position,
                "beta": slug == "c",
                "enable": slug < "c",
            },
        )

    def listed(**query: Any) -> list[str]:
        return [item["slug"] for item in plane.get(PROVIDERS, **query)["result"]]

    assert listed() == ["d", "c", "a", "b"]
    assert listed(page=2, per_page=3) == ["b"]
    assert listed(enable="true") == ["a", "b"]
    assert listed(enable="true", page=2, per_page=1) == ["b"]
    assert listed(beta="true") == ["c"]
    assert listed(beta="false", enable="false") == ["d"]
    assert listed(search="NAME A") == ["a"]
    assert plane.get(PROVIDERS, search="name", per_page=1)["result_info"]["total_count"] == 4


@pytest.mark.parametrize("slug", ["", "a b", "a/b", "a.b", "ä", "x" * 65, 7, None])
def test_bad_slugs(plane: ControlPlane, slug: Any) -> None:
    assert error(plane.call("POST", PROVIDERS, {**BODY, "slug": slug}))[:2] == (7001, ["body", "slug"])


@pytest.mark.parametrize("missing", BODY)
def test_required(plane: ControlPlane, missing: str) -> None:
    body = {name: value for name, value in BODY.items() if name != missing}
    assert error(plane.call("POST", PROVIDERS, body)) == (7001, ["body", missing], "Required")


GOOD_URLS = [
    "https://ai.example.com",
    "https://ai.example.com:8443/a/b/",
    "https://[2606:4700::1111]/v1",
    "https://1.1.1.1",
]
BAD_URLS = [
    "http://ai.example.com",
    "ftp://ai.example.com",
    "ai.example.com",
    "//ai.example.com",
    "",
    "https://",
    "https:///v1",
    "https://user@ai.example.com",
    "https://user:password@ai.example.com",
    "https://@ai.example.com",
    "https://ai.example.com/v1?key=1",
    "https://ai.example.com/v1?",
    "https://ai.example.com/#top",
    "https://ai.example.com/a b",
    "https://ai.example.com\\@evil.example",
    "https://ai.example.com/\r\nx: y",
    "https://ai.example.com:0",
    "https://ai.example.com:99999",
    "https://ai.example.com:port",
    "https://[::1",
    "https://ä.example",
]
PRIVATE_URLS = [
    "https://localhost/v1",
    "https://LOCALHOST.",
    "https://a.localhost",
    "https://127.0.0.1:9000",
    "https://127.1",
    "https://2130706433",
    "https://0x7f.0.0.1",
    "https://0177.0.0.1",
    "https://10.0.0.1",
    "https://192.168.1.1",
    "https://169.254.169.254/latest/meta-data",
    "https://100.64.0.1",
    "https://0.0.0.0",
    "https://[::1]",
    "https://[::ffff:127.0.0.1]",
    "https://[fd00::1]",
    "https://[fe80::1]",
]


@pytest.mark.parametrize("url", GOOD_URLS)
def test_good_urls(plane: ControlPlane, url: str) -> None:
    assert plane.make(PROVIDERS, {**BODY, "base_url": url})["base_url"] == url


@pytest.mark.parametrize("url", BAD_URLS)
def test_bad_urls(plane: ControlPlane, url: str) -> None:
    code, path, message = error(plane.call("POST", PROVIDERS, {**BODY, "base_url": url}))
    assert (code, path) == (1002, ["body", "base_url"])
    assert "base_url" in message
    assert "password" not in message
    assert plane.get(PROVIDERS)["result"] == []


@pytest.mark.parametrize("url", PRIVATE_URLS)
def test_private_addresses_are_refused_with_the_setting_that_allows_them(plane: ControlPlane, url: str) -> None:
    code, path, message = error(plane.call("POST", PROVIDERS, {**BODY, "base_url": url}))
    assert (code, path) == (1002, ["body", "base_url"])
    assert "GAUGEWAY_PRIVATE_UPSTREAMS" in message


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9000/v1",
        "http://localhost:9000",
        "http://127.1",
        "https://127.0.0.1",
        "http://[fd00::1]",
        "http://models.internal/v1",
        "http://MODELS.internal.",
        "https://ai.example.com",
    ],
)
def test_the_operator_can_allow_private_addresses_and_plain_http_to_them(lenient: ControlPlane, url: str) -> None:
    slug = f"s{abs(hash(url))}"
    assert lenient.make(PROVIDERS, {**BODY, "slug": slug, "base_url": url})["base_url"] == url


@pytest.mark.parametrize(
    "url",
    ["http://ai.example.com", "http://10.0.0.1", "https://10.0.0.1", "http://[::1]", "http://x.models.internal"],
)
def test_what_the_operator_allows_is_not_everything(lenient: ControlPlane, url: str) -> None:
    assert error(lenient.call("POST", PROVIDERS, {**BODY, "slug": "no", "base_url": url}))[0] == 1002


@pytest.mark.parametrize(
    "headers",
    [
        "",
        "x-a: b",
        "[]",
        "null",
        '"x"',
        "{",
        "[" * 8000,
        '{"a": 1}',
        '{"a": null}',
        '{"a": "x\\r\\ny: z"}',
        '{"a": "\\u0000"}',
        '{"a": "ä"}',
        '{"a b": "c"}',
        '{"": "c"}',
        '{"a\\n": "c"}',
        '{"a": "b", "A": "c"}',
        '{"Host": "evil.example"}',
        '{"Connection": "close"}',
        '{"transfer-encoding": "chunked"}',
        '{"Content-Length": "0"}',
        '{"cf-aig-authorization": "Bearer x"}',
        json.dumps({"a": "x" * 8192}),
        {"a": "b"},
    ],
)
def test_bad_headers(plane: ControlPlane, headers: Any) -> None:
    code, path, message = error(plane.call("POST", PROVIDERS, {**BODY, "headers": headers}))
    assert (code, path) == (7001, ["body", "headers"])
    assert "evil" not in message


def test_several_errors_come_together(plane: ControlPlane) -> None:
    found = errors(plane.call("POST", PROVIDERS, {**BODY, "name": 1, "position": "first", "colour": "red"}))
    assert [one["path"][1] for one in found] == ["name", "position", "colour"]
