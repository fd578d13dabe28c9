"""The front-end's own tests, its types against the API as it is, and the size of its first page."""

from __future__ import annotations

import gzip
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gaugeway.core.monitors import ASKED_LOOKS, Finding
from gaugeway.core.notices import Delivery
from gaugeway.core.query import DATASET_KEYS, KEYS
from gaugeway.core.replays import Reason
from gaugeway.core.sandbox import PythonScorer
from gaugeway.core.shadows import Unshadowed
from gaugeway.dashboard.build import FOLDER, File, read_build
from gaugeway.evaluation.evaluators.python import EVALUATOR
from support.browser import FRONT_END
from support.node import node
from support.samples import sample

MAX_SCRIPT = 300 * 1024  # bytes, compressed, until a page is there


def _node(*arguments: str | Path, cwd: Path = FRONT_END) -> None:
    ran = subprocess.run([node(), *arguments], cwd=cwd, capture_output=True, text=True, timeout=300, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_the_front_ends_own_tests() -> None:
    tests = sorted((FRONT_END / "tests").glob("*.test.ts"))
    assert tests
    _node("--test", *tests)


def test_its_form_is_held(tmp_path: Path) -> None:
    """As `make check` does it, on a copy in which one line goes out of shape and one value is never used."""
    front_end = tmp_path / "dashboard"
    shutil.copytree(FRONT_END, front_end, ignore=shutil.ignore_patterns("node_modules"))
    checker = FRONT_END / "checks" / "node_modules"

    def check() -> subprocess.CompletedProcess[str]:
        command = [sys.executable, front_end / "check.py"]
        return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)

    subprocess.run([sys.executable, FRONT_END / "check.py"], capture_output=True, timeout=300, check=False)
    if not checker.is_dir():
        pytest.skip("the npm registry cannot be reached")
    (front_end / "checks" / "node_modules").symlink_to(checker)
    ran = check()
    assert ran.returncode == 0, ran.stdout + ran.stderr
    for text, said in (
        ("export const  one=1\n", "format"),
        ("import { test } from 'node:test';\n", "noUnusedImports"),
    ):
        (front_end / "src" / "more.ts").write_text(text)
        ran = check()
        assert ran.returncode == 1
        assert said in ran.stdout + ran.stderr


def test_it_fits_the_management_api_as_it_is(tmp_path: Path, dashboard: None) -> None:
    """The types are generated anew: an endpoint or parameter that went breaks this test, not the page."""
    shutil.copytree(FRONT_END / "src", tmp_path / "src")
    shutil.copy(FRONT_END / "tsconfig.json", tmp_path)
    (tmp_path / "node_modules").symlink_to(FRONT_END / "node_modules")
    sys.path.insert(0, str(FRONT_END))
    try:
        import make_types

        make_types.write(tmp_path / "src" / "api" / "schema.d.ts")
    finally:
        sys.path.remove(str(FRONT_END))
    _node(FRONT_END / "node_modules" / "typescript" / "bin" / "tsc", "--noEmit", cwd=tmp_path)


def test_the_filters_are_those_of_the_api() -> None:
    text = (FRONT_END / "src" / "logs" / "filter-keys.ts").read_text()
    offered = dict(re.findall(r"key: '([^']+)'.*?inDatasets: (true|false)", text))
    assert set(offered) == set(KEYS)
    assert {key for key, inside in offered.items() if inside == "true"} == set(DATASET_KEYS)


def test_what_a_sample_has_is_what_the_page_says() -> None:
    text = (FRONT_END / "src" / "evaluations" / "source.ts").read_text()
    said = re.findall(r"^  \['(\w+)', '.*'\],$", text, re.MULTILINE)
    scorer = EVALUATOR.configured({"source": "x", "figure": "share", "direction": "higher", "needs_answer": False})
    assert isinstance(scorer, PythonScorer)
    assert said == list(scorer.argument(sample("")))


def test_what_watching_pages_say_is_what_the_program_says() -> None:
    """No finding, reason or state without words, and the chance of a false alarm reckoned alike."""
    api, words = ((FRONT_END / "src" / path).read_text() for path in ("api/monitors.ts", "trials/reasons.ts"))
    findings = api.partition("export type Finding =")[2].partition(";")[0]
    assert re.findall(r"'([^']+)'", findings) == list(Finding)
    states = re.search(r"  state: (.+);", api)
    assert states is not None
    assert re.findall(r"'([^']+)'", states[1]) == list(Delivery)
    told = set(re.findall(r"^  (\w+): '", words.partition("STATES")[0], re.MULTILINE))
    assert told == {*Reason, *Unshadowed}
    schedule = (FRONT_END / "src" / "monitors" / "schedule.ts").read_text()
    assert f"const ASKED_LOOKS = {ASKED_LOOKS};" in schedule


def test_the_lock_file_names_no_registry() -> None:
    text = (FRONT_END / "package-lock.json").read_text()
    assert '"resolved"' not in text
    assert '"integrity"' in text


def test_every_page_is_small(dashboard: None) -> None:
    """What a page needs before it is there: the entry, its own chunk, and all that these import."""
    files = read_build(FOLDER)
    assert files is not None
    entry = files["/index.html"].plain.decode()
    scripts = {path: file for path, file in files.items() if path.endswith(".js")}
    first = {path for path in scripts if path in entry}
    assert first
    pages = [path for path in scripts if re.match(r"/assets/\w+Page-", path)]
    assert len(pages) >= 10
    sizes = {page: _script_size(scripts, {*first, page}) for page in ["", *pages]}
    assert {page: size for page, size in sizes.items() if size > MAX_SCRIPT} == {}
    for file in scripts.values():
        assert all(
            gzip.decompress(packed) == file.plain for coding, packed in file.encoded.items() if coding == "gzip"
        )


def _script_size(scripts: dict[str, File], paths: set[str]) -> int:
    """Bytes, compressed, of some scripts and everything that they import before they run."""
    needed, waiting = set[str](), paths & scripts.keys()
    while waiting:
        path = waiting.pop()
        needed.add(path)
        names = re.findall(r"(?:from|import)\s?[\"']\./([\w.-]+\.js)[\"']", scripts[path].plain.decode())
        waiting |= {f"/assets/{name}" for name in names} - needed
    return sum(
        len(scripts[path].encoded["gzip"]) if scripts[path].encoded else len(scripts[path].plain) for path in needed
    )


def test_nothing_in_the_build_is_loaded_from_elsewhere(dashboard: None) -> None:
    files = read_build(FOLDER)
    assert files is not None
    page, styles = files["/index.html"].plain.decode(), [f for path, f in files.items() if path.endswith(".css")]
    assert "://" not in page
    assert all(b"url(http" not in file.plain and b"@import" not in file.plain for file in styles)
