"""Child processes never outlive the demo, and say why where they fail."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gaugeway.demo.children import ChildFailed, Children
from gaugeway.demo.upstream import start_upstream


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_a_child_is_gone_after_the_block(tmp_path: Path) -> None:
    with Children(tmp_path) as children:
        child = children.start("upstream", ["gaugeway.demo.simulated"])
        assert child.address(30).startswith("http://127.0.0.1:")
        children.check()
    assert gone(child.pid)


def test_a_child_is_gone_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), Children(tmp_path) as children:
        child = children.start("upstream", ["gaugeway.demo.simulated"])
        child.address(30)
        raise ZeroDivisionError
    assert gone(child.pid)


def test_a_child_that_fails_says_why(tmp_path: Path) -> None:
    with Children(tmp_path) as children:
        child = children.start("the nothing", ["gaugeway.demo.nosuch"])
        with pytest.raises(ChildFailed, match="the nothing ended with code 1") as failed:
            child.address(30)
        assert "No module named" in str(failed.value)
        with pytest.raises(ChildFailed):
            children.check()


def test_a_child_that_says_nothing_is_not_waited_for_without_end(tmp_path: Path) -> None:
    with Children(tmp_path) as children:
        child = children.start("silent", ["http.server", "--bind", "127.0.0.1", "0"])
        with pytest.raises(ChildFailed, match=r"was not ready after 0\.2 s"):
            child.address(0.2)


def test_the_upstream_says_that_it_is_simulated(tmp_path: Path) -> None:
    with Children(tmp_path) as children:
        upstream = start_upstream(children, simulate=True)
        assert (upstream.real, upstream.model, upstream.why_not) == (False, "simulated", "it was asked for")


def test_an_upstream_ends_when_its_parent_is_killed_outright(tmp_path: Path) -> None:
    program = (
        "import sys, time, pathlib; from gaugeway.demo.children import Children\n"
        "children = Children(pathlib.Path(sys.argv[1]))\n"
        "child = children.start('upstream', ['gaugeway.demo.simulated']); child.address(30)\n"
        "print(child.pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    with parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert not gone(pid)
        parent.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 30
    while not _ended(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert _ended(pid)


def _ended(pid: int) -> bool:
    """Gone, or only waiting for whoever inherited it to notice."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return True
    return state == "Z"
