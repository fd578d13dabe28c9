"""The built front-end as files: types, compressed forms, policy; and what is said where there is no build."""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from gaugeway.dashboard.pages import Pages

PAGE = '<html><meta name="csp-nonce" content="__CSP_NONCE__"><script src="/assets/a-1.js"></script></html>'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    assets = tmp_path / "assets"
    assets.mkdir()
    (tmp_path / "index.html").write_text(PAGE)
    (tmp_path / "favicon.svg").write_text("<svg/>")
    (tmp_path / ".sources").write_text("not for the web")
    script = b"export const answer = 42;" * 50
    (assets / "a-1.js").write_bytes(script)
    (assets / "a-1.js.gz").write_bytes(gzip.compress(script))
    (assets / "a-1.js.br").write_bytes(b"brotli")
    return tmp_path


def visit(pages: Pages, path: str, method: str = "GET", **headers: str) -> Any:
    sent = {"accept-encoding": "identity"} | {name.replace("_", "-"): value for name, value in headers.items()}
    return TestClient(pages).request(method, path, headers=sent)


def test_what_is_the_dashboards() -> None:
    pages = Pages(Path("/nowhere"))
    for path in ("/", "/gateways", "/gateways/a/logs", "/account/tokens", "/assets/a.js", "/favicon.svg"):
        assert pages.owns(path), path
    for path in ("/docs", "/openapi.json", "/client/v4/user/session", "/gatewaysx", "/assets", "//", "", "/v1/a"):
        assert not pages.owns(path), path


@pytest.mark.parametrize("path", ["/", "/gateways/x/logs", "/account/tokens", "/gateways/../../etc/passwd"])
def test_every_address_is_the_page_with_a_strict_policy(folder: Path, path: str) -> None:
    pages = Pages(folder)
    answer = visit(pages, path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
    assert (
        policy["default-src"]
        == policy["frame-ancestors"]
        == policy["base-uri"]
        == policy["form-action"]
        == "'none'"
    )
    assert policy["script-src"] == policy["connect-src"] == policy["font-src"] == "'self'"
    assert "unsafe" not in answer.headers["content-security-policy"]
    (nonce,) = re.findall(r'content="([^"]+)"', answer.text)
    assert policy["style-src"] == f"'self' 'nonce-{nonce}'"
    assert nonce not in visit(pages, path).text  # another one each time
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"


def test_assets_are_kept_for_ever_and_come_compressed(folder: Path) -> None:
    pages = Pages(folder)
    plain = visit(pages, "/assets/a-1.js")
    assert plain.headers["content-type"] == "text/javascript; charset=utf-8"
    assert plain.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert plain.headers["x-content-type-options"] == "nosniff"
    assert "content-encoding" not in plain.headers
    packed = visit(pages, "/assets/a-1.js", accept_encoding="gzip, deflate")
    assert (packed.headers["content-encoding"], packed.text) == ("gzip", plain.text)
    assert packed.headers["vary"] == "accept-encoding"
    for accepted, coding in (("br, gzip", "br"), ("br;q=0, gzip", "gzip"), ("BR", "br"), ("deflate", None)):
        head = visit(pages, "/assets/a-1.js", "HEAD", accept_encoding=accepted)
        assert (head.headers.get("content-encoding"), head.content) == (coding, b""), accepted


@pytest.mark.parametrize(
    "path", ["/assets/b.js", "/assets/../.sources", "/assets/%2e%2e/.sources", "/assets/a-1.js.gz"]
)
def test_there_is_nothing_but_the_build(folder: Path, path: str) -> None:
    assert visit(Pages(folder), path).status_code in (200, 404)
    assert "not for the web" not in visit(Pages(folder), path).text
    assert visit(Pages(folder), "/assets/b.js").status_code == 404


def test_files_without_a_hash_are_asked_for_again(folder: Path) -> None:
    answer = visit(Pages(folder), "/favicon.svg")
    assert (answer.headers["content-type"], answer.headers["cache-control"]) == ("image/svg+xml", "no-cache")


def test_only_reading(folder: Path) -> None:
    answer = visit(Pages(folder), "/", "POST")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


def test_without_a_build_the_page_says_how_to_make_one(tmp_path: Path, folder: Path) -> None:
    empty = tmp_path / "empty"
    pages = Pages(empty)
    answer = visit(pages, "/gateways")
    assert answer.status_code == 503
    assert "python dashboard/build.py" in answer.text
    assert "script" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    empty.mkdir()
    (empty / "index.html").write_text(PAGE)
    assert visit(pages, "/gateways").status_code == 200  # it need not be started anew
