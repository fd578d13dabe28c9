"""The walls themselves: what is allowed, and that nothing runs where one of them is missing."""

from __future__ import annotations

import os
import re
import sys
from contextlib import closing
from pathlib import Path

import pytest

from gaugeway.core.sandbox import SCORE
from gaugeway.evaluation.sandbox.inside import library, proof, syscalls
from gaugeway.evaluation.sandbox.program import COMMAND, NoSandbox, SandboxedProgram
from gaugeway.evaluation.sandbox.sandbox import OFF, PythonSandbox

HEADERS = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}
NEVER = {
    *("open", "openat", "openat2", "creat", "socket", "connect", "clone", "clone3", "fork", "vfork", "execve"),
    *("execveat", "kill", "tkill", "tgkill", "ptrace", "prctl", "seccomp", "ioctl", "io_uring_setup", "bpf", "dup"),
    *("mount", "unshare", "setns", "pidfd_open", "process_vm_readv", "memfd_create", "userfaultfd", "sendmsg"),
}


def without(wall: str) -> tuple[str, ...]:
    """The command of a keeper whose cells lack a wall."""
    changed = f"layers, syscalls = keeper.layers, keeper.cell.syscalls\n{wall}\nkeeper.main()"
    return (*COMMAND[:-1], COMMAND[-1].replace("keeper.main()", changed))


@pytest.mark.parametrize(
    ("wall", "says"),
    [
        ("syscalls.install = lambda: None", "it does not hold: a connection (IPv4), a connection (IPv6)"),
        (
            "syscalls.PLAIN['openat'] = (257, 56)",
            "it does not hold: reading a file, reading a folder, reading its parent's",
        ),
        ("syscalls.PLAIN['kill'] = (62, 129)", "it does not hold: a signal to its parent, a signal to itself"),
        (
            "syscalls.NOT_EXECUTABLE.clear()\nsyscalls.PLAIN.update(mmap=(9, 222))",
            "it does not hold: code of its own",
        ),
        ("syscalls._MODE_FILTER = 99", "NoFilter: the kernel takes no seccomp filter (error 22)"),
        ("syscalls.ARCHITECTURES.clear()", "NoFilter: its filter is made for"),
        ("layers._PR_SET_NO_NEW_PRIVS = 9999", "[Errno 22] prctl(PR_SET_NO_NEW_PRIVS)"),
        ("layers.limit = None", "TypeError"),
        ("raise SystemExit(3)", "its process did not begin"),
    ],
)
def test_where_a_wall_is_missing_nothing_is_run(wall: str, says: str) -> None:
    sandbox = PythonSandbox(wanted=True, command=without(wall))
    assert sandbox.refusal.startswith("Python that users write cannot be run on this machine: ")
    assert says in sandbox.refusal
    with pytest.raises(NoSandbox):
        sandbox.open("def score(sample): return 1", SCORE)


def test_with_all_walls_it_is_run_and_names_those_behind_the_filter() -> None:
    sandbox = PythonSandbox(wanted=True, command=without("pass"))
    assert sandbox.refusal == ""
    assert set(sandbox.layers) <= {"another user", "namespaces", "Landlock"}
    assert ("another user" in sandbox.layers) <= (os.geteuid() == 0)
    assert sandbox.check("def score(sample): return 1", SCORE) == ""


def test_off_nothing_is_started() -> None:
    sandbox = PythonSandbox(wanted=False, command=("/does/not/exist",))
    assert sandbox.refusal == OFF
    with pytest.raises(NoSandbox, match="GAUGEWAY_PYTHON_EVALUATORS"):
        sandbox.check("def score(sample): return 1", SCORE)


@pytest.mark.parametrize("machine", syscalls.ARCHITECTURES)
def test_the_numbers_are_the_kernel_s(machine: str) -> None:
    header = HEADERS[machine]
    if not header.exists():
        pytest.skip(f"there is no {header} here")
    known = dict(re.findall(r"^#define __NR(?:3264)?_(\w+) (\d+)$", header.read_text(), re.MULTILINE))
    column = syscalls.ARCHITECTURES[machine][0]
    for name, numbers in {**syscalls.PLAIN, **syscalls.NOT_EXECUTABLE}.items():
        assert str(numbers[column]) == known.get(name, "None")


def test_what_would_be_a_door_is_not_allowed() -> None:
    assert not NEVER & {*syscalls.PLAIN, *syscalls.NOT_EXECUTABLE}
    with pytest.raises(syscalls.NoFilter, match="this machine is riscv64"):
        syscalls.instructions("riscv64")


def test_outside_of_a_cell_the_proof_finds_what_is_not_refused() -> None:
    attempts = proof.attempts()
    harmless = [
        name for name in attempts if name.startswith(("a connection (Unix)", "reading a f", "a signal to itself"))
    ]
    assert len(harmless) == 4
    assert all(attempts[name]() >= 0 for name in harmless)


def test_its_processes_have_nothing_but_the_standard_library() -> None:
    source = """
import sys
def score(sample):
    own = {name for name in sys.modules if name.startswith("gaugeway")}
    foreign = {name.partition(".")[0] for name in sys.modules} - set(sys.stdlib_module_names)
    return {"score": len(own), "reason": " ".join(sorted(foreign))}
"""
    with closing(SandboxedProgram(source, SCORE)) as program:
        returned = program.call([{}])
    assert returned.reason == "__main__ evaluator gaugeway"
    assert returned.value == 10


@pytest.mark.parametrize("name", library.MODULES)
def test_what_it_has_is_of_the_standard_library(name: str) -> None:
    assert name.partition(".")[0] in sys.stdlib_module_names


def test_what_it_has_can_be_used_without_files() -> None:
    source = """
import calendar, csv, datetime, decimal, difflib, hashlib, html, ipaddress, json, random, re, statistics, string
import textwrap, time, tokenize, traceback, unicodedata, urllib.parse, uuid, xml.etree.ElementTree, zlib
def score(sample):
    assert hashlib.sha256(b"a").hexdigest().startswith("ca97")
    assert hashlib.md5(b"a").hexdigest() and hashlib.blake2b(b"a").hexdigest()
    assert datetime.datetime.strptime("2026-11-26", "%Y-%m-%d").strftime("%A") == "Thursday"
    assert json.loads('{"a": [1]}') == {"a": [1]}
    assert difflib.SequenceMatcher(None, "ab", "ac").ratio() == 0.5
    assert xml.etree.ElementTree.fromstring("<a><b/></a>")[0].tag == "b"
    assert list(csv.reader(["a,b"])) == [["a", "b"]]
    assert "é".encode("latin-1") and "é".encode("cp1252") and "é".encode("utf-16") and "a".encode("idna")
    assert unicodedata.normalize("NFC", "e\\u0301") == "é"
    assert statistics.mean([1, 2]) == 1.5 and random.random() < 1 and uuid.uuid4().version == 4
    assert time.localtime() and time.strftime("%Y") and calendar.month_name[11] == "November"
    assert decimal.Decimal("0.1") * 3 == decimal.Decimal("0.3") and zlib.decompress(zlib.compress(b"a")) == b"a"
    try:
        raise ValueError("x")
    except ValueError:
        assert "ValueError: x" in traceback.format_exc()
    return True
"""
    with closing(SandboxedProgram(source, SCORE)) as program:
        assert program.call([{}]).problem == ""
