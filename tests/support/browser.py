"""Chromium, driven by Playwright, against pages of a server on loopback."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from support.alone import alone

ROOT = Path(__file__).resolve().parents[2]
FRONT_END = ROOT / "dashboard"
WAIT_MS = 30_000
"""What a page may take on a machine that is busy with other things; nothing waits longer than it must."""

expect.set_options(timeout=WAIT_MS)

_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-color-profile=srgb",
]
_INSTALL_S = 600


def chromium() -> Path:
    """The browser; installed through apt where this process may, else the test is skipped."""
    with alone("chromium"):
        found = shutil.which("chromium") or shutil.which("chromium-browser")
        if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
            _apt("update")
            _apt("install", "-y", "--no-install-recommends", "chromium", "fonts-dejavu-core")
            found = shutil.which("chromium")
    if found is None:
        pytest.skip("there is no chromium, and it could not be installed through apt")
    return Path(found)


def _apt(*words: str) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(
        ["apt-get", "-qq", *words], env=environment, capture_output=True, timeout=_INSTALL_S, check=False
    )


def build_dashboard() -> None:
    """Build the front-end where its sources have changed; skips the test where npm's registry is out of reach."""
    with alone("dashboard"):
        command = [sys.executable, FRONT_END / "build.py"]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=_INSTALL_S, check=False)
    if ran.returncode != 0 and any(word in ran.stderr for word in ("ENOTFOUND", "ECONNREFUSED", "EAI_AGAIN")):
        pytest.skip("the npm registry cannot be reached to build the dashboard")
    assert ran.returncode == 0, ran.stderr


@contextmanager
def running_browser() -> Iterator[Browser]:
    """A headless browser."""
    program = chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=_FLAGS)
        try:
            yield browser
        finally:
            browser.close()


class Watched:
    """A page, and what it did that it must not: errors, refusals of its policy, requests to other places."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.context = context
        self.url = url
        self.errors: list[str] = []
        self.strangers: list[str] = []
        self.page: Page = context.new_page()
        self.page.set_default_timeout(WAIT_MS)
        self.page.on("pageerror", lambda problem: self.errors.append(str(problem)))
        self.page.on("console", self._hear)
        self.page.on("dialog", self._refuse)
        context.on("request", self._see)

    def _hear(self, message: Any) -> None:
        # What the server refuses is answered on the page; the browser notes it all the same
        if message.type in ("error", "warning") and "the server responded with a status" not in message.text:
            self.errors.append(f"{message.type}: {message.text}")

    def _refuse(self, dialog: Any) -> None:
        self.errors.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _see(self, request: Any) -> None:
        if not request.url.startswith((self.url + "/", "data:")):
            self.strangers.append(request.url)

    def open(self, path: str = "/") -> Page:
        """Go to a page of the dashboard."""
        self.page.goto(self.url + path)
        return self.page

    def sign_in(self, token: str) -> Page:
        """Sign in with a token, from wherever the page is."""
        self.page.get_by_label("API token").fill(token)
        self.page.get_by_role("button", name="Sign in").click()
        expect(self.page.get_by_role("button", name="Account")).to_be_visible(timeout=WAIT_MS)
        return self.page

    def check(self) -> None:
        """Nothing went wrong, and nobody else was asked for anything."""
        assert self.errors == []
        assert self.strangers == []


@contextmanager
def watched(browser: Browser, url: str, **options: Any) -> Iterator[Watched]:
    """A page in a context of its own."""
    options.setdefault("viewport", {"width": 1280, "height": 800})
    context = browser.new_context(locale="en-GB", timezone_id="UTC", **options)
    context.set_default_timeout(WAIT_MS)
    try:
        yield Watched(context, url)
    finally:
        context.close()
