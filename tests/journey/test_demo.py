"""`gaugeway demo`, from nothing to checked numbers, as people run it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gaugeway.demo.model import NoModel, find_weights
from support.command_line import command

pytest.importorskip("cloudflare", reason="the demo's clients are not installed (extra: demo)")
pytest.importorskip("openai", reason="the demo's clients are not installed (extra: demo)")


def start(*arguments: str, folder: Path) -> subprocess.Popen[str]:
    """Start the demo with its temporary files in the folder, in a session of its own."""
    environment = {n: v for n, v in os.environ.items() if not n.startswith("GAUGEWAY_")}
    environment |= {"TMPDIR": str(folder), "COLUMNS": "200", "CLOUDFLARE_API_KEY": "of another account"}
    return subprocess.Popen(
        [sys.executable, "-m", "gaugeway", "demo", "--port", "0", *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def processes_of(folder: Path) -> list[str]:
    """Command lines of processes whose temporary files are in the folder."""
    found: list[str] = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if f"TMPDIR={folder}".encode() in (process / "environ").read_bytes().split(b"\0"):
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return found


def assert_nothing_is_left(folder: Path) -> None:
    """No process and no file of the demo is there any more (a recorder may take a moment to finish)."""
    deadline = time.monotonic() + 20
    while processes_of(folder) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert processes_of(folder) == []
    assert list(folder.iterdir()) == []


def test_the_demo_with_a_simulated_upstream(tmp_path: Path) -> None:
    with start("--exit", "--simulate", "--chats", "4", folder=tmp_path) as demo:
        told, _ = demo.communicate(timeout=110)
    assert demo.returncode == 0, told
    assert "Checked: every log and every figure is what the demo worked out" in told
    assert "the answers are SIMULATED" in told
    assert "results (SIMULATED upstream)" in told
    assert "\x1b" not in told
    assert len(re.findall(r"^…\w{6} ", told, re.MULTILINE)) == 7
    assert re.search(r"hung up +client_gone +200 +\d+ +about \d+\+\d+ +0\.\d+", told)
    assert "estimated of 1 log: " in told
    assert re.search(
        r"^Cost +≈?0\.0000\d+ +USD +≈?0\.0000\d+ … ≈?0\.0000\d+ +4 of 7 +3 +0 +completed$", told, re.MULTILINE
    )
    assert re.search(r"^Human feedback +≈66\.6667 +% +≈20\.766 … ≈93\.8508 +3 of 7", told, re.MULTILINE)
    assert "cost not known of 2 logs: per_token_in cannot be applied" in told
    assert "cost not known of 1 log: custom provider without a price" in told
    assert_nothing_is_left(tmp_path)


def test_the_demo_with_the_real_model(tmp_path: Path) -> None:
    try:
        find_weights()
    except NoModel as problem:
        pytest.skip(f"the small model cannot be run here: {problem}")
    with start("--exit", "--chats", "4", folder=tmp_path) as demo:
        told, _ = demo.communicate(timeout=110)
    assert demo.returncode == 0, told
    if "No model" in told:
        pytest.skip("the small model cannot be run here: " + told.partition("Why: ")[2].partition("\n")[0])
    assert "SIMULATED" not in told
    assert "Checked: every log and every figure" in told
    assert_nothing_is_left(tmp_path)


def test_the_demo_stays_until_it_is_stopped_and_leaves_nothing(tmp_path: Path) -> None:
    with start("--simulate", "--chats", "1", folder=tmp_path) as demo:
        assert demo.stdout is not None
        told = ""
        for line in demo.stdout:
            told += line
            if "gaugeway evaluate --gateway" in line:
                break
        facts = dict(re.findall(r"^  (\S[\w ]*?) {2,}(\S+)", told, re.MULTILINE))
        url = facts["management API"]
        ran = command(
            "evaluate", "--gateway", "demo", "--filter", "success=true", "--base-url", url,
            "--token", facts["token"], "--account", facts["account"],
        )  # fmt: skip
        assert ran.code == 0, ran.err
        assert "1 log selected" in ran.out
        demo.send_signal(signal.SIGINT)
        rest = demo.communicate(timeout=60)[0]
    assert demo.returncode == 0, told + rest
    assert_nothing_is_left(tmp_path)


def test_a_stop_in_the_middle_leaves_nothing(tmp_path: Path) -> None:
    with start("--simulate", "--chats", "100", folder=tmp_path) as demo:
        assert demo.stdout is not None
        for line in demo.stdout:
            if "streamed: " in line:
                break
        demo.send_signal(signal.SIGTERM)
        told = demo.communicate(timeout=60)[0]
    assert demo.returncode == 130, told
    assert_nothing_is_left(tmp_path)


def test_a_second_demo_in_the_same_folder(tmp_path: Path) -> None:
    data, temporary = tmp_path / "data", tmp_path / "temporary"
    temporary.mkdir()
    for gateway in ("demo", "demo-2"):
        with start("--exit", "--simulate", "--chats", "1", "--data", str(data), folder=temporary) as demo:
            told, _ = demo.communicate(timeout=110)
        assert demo.returncode == 0, told
        assert f"gateway '{gateway}'" in told
        assert_nothing_is_left(temporary)
    assert "demo-2" in command("gateway", "list", "--data", str(data)).out


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    from contextlib import closing

    from gaugeway.app import listen

    with closing(listen("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        ran = command("demo", "--exit", "--port", str(port), TMPDIR=str(tmp_path))
    assert (ran.code, ran.out) == (2, "")
    assert f"port {port} on 127.0.0.1 is in use" in ran.err


def test_without_the_clients_the_demo_says_what_to_install(tmp_path: Path) -> None:
    program = (
        "import sys; sys.modules['cloudflare'] = None\n"
        "from gaugeway.cli import run; sys.exit(run(['demo', '--exit']))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], env=os.environ | {"TMPDIR": str(tmp_path)}, capture_output=True,
        text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr == "error: the demo needs the official clients: pip install 'gaugeway[demo]'\n"
