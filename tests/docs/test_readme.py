"""The README's examples run as they stand, against a real server: only addresses, ids and keys are filled in."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from support.server import Server, new_server
from support.upstream import WORDS, Upstream

README = Path(__file__).parents[2] / "README.md"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README.read_text(), re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory, shared_upstream: Upstream) -> Any:
    server = new_server(tmp_path_factory.mktemp("readme"), shared_upstream.url)
    server.start()
    yield server
    server.stop()


@pytest.mark.skipif(shutil.which("curl") is None, reason="the tour's first step is curl, which is not here")
def test_the_tour_runs(fresh: Server) -> None:
    """curl, then the OpenAI client, then the Cloudflare client, in the README's order and with its text."""
    shell = next(block for block in blocks("sh") if "curl" in block)
    shell = "\n".join(line for line in shell.splitlines() if not line.startswith("export"))
    environment = os.environ | {
        "CLOUDFLARE_ACCOUNT_ID": fresh.account_id,
        "CLOUDFLARE_API_TOKEN": fresh.token,
        "CLOUDFLARE_BASE_URL": fresh.base_url,
        "OPENAI_API_KEY": "sk-own-key",
        "GAUGEWAY_DATA": str(fresh.data),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    script = "set -e\n" + shell.replace("http://127.0.0.1:8787", fresh.url)
    ran = subprocess.run(
        ["bash", "-c", script], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout[ran.stdout.index("{") :])["choices"][0]["message"]["content"] == "".join(WORDS)

    known: dict[str, Any] = {"account_id": fresh.account_id, "token": fresh.token}
    os.environ["OPENAI_API_KEY"] = "sk-own-key"
    try:
        for block in blocks("python"):
            exec(compile(block.replace("http://127.0.0.1:8787", fresh.url), "README.md", "exec"), known)
    finally:
        del os.environ["OPENAI_API_KEY"]
    answer = known["client"].chat.completions.create(model="ok", messages=[{"role": "user", "content": "Hi"}])
    assert answer.choices[0].message.content == "".join(WORDS)
    assert {result.evaluation_type_id for result in known["evaluation"].results} == {
        "cost",
        "speed",
        "human_feedback",
    }
    known["client"].close()

    said = re.search(r"`(gaugeway evaluate [^`]+)`", README.read_text())
    assert said is not None
    ran = subprocess.run(
        ["bash", "-c", said[1]], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert "Human feedback" in ran.stdout


def test_every_page_that_is_linked_exists() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README.read_text()):
        if "://" not in target:
            assert (README.parent / target).exists(), f"README.md links to {target}"


def test_the_make_targets_exist() -> None:
    makefile = (README.parent / "Makefile").read_text()
    for target in set(re.findall(r"(?:^|`)make (\w+)", README.read_text(), re.MULTILINE)):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
