"""What hostile programs come to: each fails on its own item with a reason, and nothing else is hurt."""

from __future__ import annotations

import http.server
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from gaugeway.core.sandbox import GRADE, SCORE, Returned
from gaugeway.evaluation.sandbox.program import MAX_STRIKES, NOT_TRIED, Limits, NoSandbox, SandboxedProgram

GOOD = {"answer": "good", "do": ""}
HOSTILE = """
import gc, os, sys
ctypes = sys.modules["ctypes"]  # it was loaded to build the walls, and can be had
libc = ctypes.CDLL(None, use_errno=True)
def raw(name, *arguments):
    result = getattr(libc, name)(*arguments)
    if result == -1:
        raise OSError(ctypes.get_errno(), name)
    return result
def score(sample):
    if not sample["do"]:
        return True
    exec("def harm():\\n    " + sample["do"].strip().replace("\\n", "\\n    "), globals())
    return harm()
"""
"""Does what a sample says, and is harmless to those that say nothing."""


def harm(program: SandboxedProgram, body: str) -> Returned:
    """What the program comes to on a bad sample. Before and after it, good ones are scored."""
    assert program.call([GOOD]) == Returned(value=True)
    found = program.call([{"answer": "bad", "do": body}])
    assert program.call([GOOD]) == Returned(value=True)
    assert found.value is None
    assert len(found.problem) <= 500
    return found


@pytest.fixture(scope="module")
def program() -> Iterator[SandboxedProgram]:
    with closing(SandboxedProgram(HOSTILE, SCORE)) as opened:
        yield opened


REFUSED = "PermissionError: [Errno 1]"

TRIES = {
    # files
    "reads the machine's secrets": ("open('/etc/shadow').read()", REFUSED),
    "reads its parent's environment": ("import os\nopen(f'/proc/{os.getppid()}/environ').read()", REFUSED),
    "reads itself": ("open('/proc/self/maps').read()", REFUSED),
    "lists a folder": ("import os\nos.listdir('/')", REFUSED),
    "writes to the disk": ("open('/tmp/gaugeway-hostile', 'w').write('x')", REFUSED),
    "writes by a raw call": (
        "raw('open', b'/tmp/gaugeway-hostile', 0o101, 0o600)",
        "PermissionError: [Errno 1] open",
    ),
    "makes a folder": ("import os\nos.mkdir('/tmp/gaugeway-hostile')", REFUSED),
    "deletes": ("import os\nos.unlink('/etc/hostname')", REFUSED),
    "makes a file in memory": ("import os\nos.memfd_create('x')", REFUSED),
    # processes and signals
    "forks": ("import os\nos.fork()", REFUSED),
    "forks for ever": ("import os\nwhile True:\n    os.fork()", REFUSED),
    "starts a program": ("import os\nos.execv('/bin/sh', ['sh'])", REFUSED),
    "starts a shell": ("import os\nos.posix_spawn('/bin/sh', ['sh'], {})", REFUSED),
    "starts a thread": (
        "import sys\nsys.modules['_thread'].start_new_thread(print, ())",
        "RuntimeError: can't start",
    ),
    "kills its parent": ("import os\nos.kill(os.getppid(), 9)", REFUSED),
    "kills everybody": ("import os\nos.kill(-1, 9)", REFUSED),
    "kills its parent by a raw call": ("raw('kill', os.getppid(), 9)", "PermissionError: [Errno 1] kill"),
    "ignores signals": ("import sys\nsys.modules['signal'].signal(15, lambda *_: None)", REFUSED),
    "asks for an alarm": ("import sys\nsys.modules['signal'].setitimer(0, 0.1)", "[Errno 1]"),
    "traces its parent": ("raw('ptrace', 16, os.getppid(), 0, 0)", "PermissionError: [Errno 1] ptrace"),
    "takes its walls down": ("raw('prctl', 22, 0, 0, 0, 0)", "PermissionError: [Errno 1] prctl"),
    "raises its limits": (
        "import sys\nsys.modules['resource'].setrlimit(9, (-1, -1))",
        "ValueError: not allowed to raise maximum limit",
    ),
    "becomes root": ("import os\nos.setuid(0)", REFUSED),
    # the network
    "imports socket": ("import socket", "ModuleNotFoundError: there is no module 'socket' in the sandbox"),
    "opens a raw socket": ("raw('socket', 2, 1, 0)", "PermissionError: [Errno 1] socket"),
    "opens a raw Unix socket": ("raw('socketpair', 1, 1, 0, (ctypes.c_int * 2)())", "PermissionError: [Errno 1]"),
    # memory and the interpreter
    "takes a lot of memory": ("bytearray(10**10)", "MemoryError: more than 256 MiB (line"),
    "takes memory bit by bit": ("kept = []\nwhile True:\n    kept.append(bytearray(10**6))", "MemoryError"),
    "keeps all memory": ("sys.kept = []\nwhile True:\n    sys.kept.append(bytearray(10**5))", "MemoryError"),
    "recurses": ("f = lambda n: f(n + 1)\nf(0)", "RecursionError"),
    "ends the interpreter": ("ctypes.string_at(0)", "it was ended by SIGSEGV"),
    "leaves": ("import os\nos._exit(0)", "it ended without an answer"),
    "exits": ("import sys\nsys.exit('bye')", "SystemExit: bye (line"),
    "interrupts": ("raise KeyboardInterrupt", "KeyboardInterrupt (line"),
    "aborts": ("import os\nos.abort()", "it was ended by SIG"),
    "imports what is heavy": ("import numpy", "ModuleNotFoundError: there is no module 'numpy' in the sandbox"),
    "imports the server": ("import gaugeway.worker", "ModuleNotFoundError"),
    "raises what cannot speak": (
        "class Dumb(Exception):\n    def __str__(self): raise ValueError\nraise Dumb",
        "Dumb: (it cannot say why) (line",
    ),
    "says where Python is": ("from math import nothing", "ImportError: cannot import name 'nothing' from 'math' ("),
    # its answer
    "says a great deal": ("raise ValueError('x' * 10**7)", "ValueError: xxx"),
    "answers for ever": (
        "import os\nwhile True:\n    os.write(3, b'x' * 65536)",
        "it wrote more than an answer has",
    ),
    "prints for ever, and answers nothing": (
        "for _ in range(10**4):\n    print('x' * 1000)\nos._exit(1)",
        "it ended",
    ),
    "answers twice": ("import os\nos.write(3, b'{\"value\": true}')", "what it wrote is no answer"),
    "answers nonsense": ("import os\nos.write(3, b'\\xff[')\nos._exit(0)", "what it wrote is no answer"),
    "forges a value": ("import os\nos.write(3, b'{\"value\": 1e300}')\nos._exit(0)", "what it wrote is no answer"),
    "forges a shape": ("import os\nos.write(3, b'{\"mark\": 1}')\nos._exit(0)", "what it wrote is no answer"),
    "nests its answer": ("import os\nos.write(3, b'[' * 9999)\nos._exit(0)", "what it wrote is no answer"),
    "forges a frame": ("import os\nos.write(3, bytes([0, 0, 0, 2]) + b'{}')\nos._exit(0)", "what it wrote is no"),
    "returns nan": ("return float('nan')", "score() returned nan: a score has to be from -1e15 to 1e15"),
    "returns infinity": ("return float('-inf')", "score() returned -inf"),
    "returns a huge number": ("return 10**5000", "score() returned a number: a score has to be from"),
    "returns a text": ("return '1'", "score() returned a str: it has to be a number, a bool, None or a dict"),
    "returns a class of its own": ("class É\ud800: pass\nreturn É()".replace("\ud800", ""), "score() returned a"),
    "returns another dict": ("return {'points': 1}", "it has to have 'score', 'reason' and no 'points'"),
    "gives a reason that is none": ("return {'score': 1, 'reason': 1}", "gave a reason that is an int"),
    "lies about its number": (
        "L = type('L', (float,), {'__abs__': lambda _: 0, '__float__': lambda _: float('nan')})\nreturn L()",
        "what it wrote is no answer",
    ),
}


@pytest.mark.parametrize(("body", "says"), TRIES.values(), ids=TRIES.keys())
def test_it_fails_on_its_own_item(program: SandboxedProgram, body: str, says: str) -> None:
    assert says in harm(program, body).problem


BUSY = {
    "catches everything": "while True:\n    try:\n        1 / 0\n    except BaseException:\n        pass",
    "matches for ever": "import re\nre.match('(a+)+$', 'a' * 60 + 'b')",
    "computes for ever": "return 10 ** 10**9",
}
IDLE = {
    "closes its pipe and sleeps": "import os, time\nos.close(3)\ntime.sleep(1000)",
    "waits for a lock": "lock = sys.modules['_thread'].allocate_lock()\nlock.acquire()\nlock.acquire()",
}


def test_what_computes_for_ever_is_ended() -> None:
    with closing(SandboxedProgram(HOSTILE, SCORE, limits=Limits(wall_s=100, cpu_s=1))) as program:
        for body in BUSY.values():
            assert harm(program, body).problem == "it used more than 1 s of the processor"


def test_who_does_not_hear_that_its_time_is_up_is_ended_a_second_later() -> None:
    block = "sys.modules['signal'].pthread_sigmask(0, range(1, 65))\nwhile True:\n    pass"
    with closing(SandboxedProgram(HOSTILE, SCORE, limits=Limits(wall_s=100, cpu_s=1))) as program:
        assert harm(program, block).problem == "it was ended by SIGKILL"


def test_what_waits_for_ever_is_ended() -> None:
    with closing(SandboxedProgram(HOSTILE, SCORE, limits=Limits(wall_s=2))) as program:
        for body in IDLE.values():
            assert harm(program, body).problem == "it took longer than 2 s"


def test_nothing_of_one_call_is_left_for_the_next() -> None:
    source = """
seen = False
def score(sample):
    if sample["do"]:
        import builtins, json, os, sys
        builtins.len = lambda _: 42
        json.dumps = lambda *_: "{}"
        os.write = lambda *_: 0
        sys.modules["evaluator"].seen = True
        sys.exit()
    return {"score": True, "reason": f"{len(sample)} {seen}"}
"""
    with closing(SandboxedProgram(source, SCORE)) as program:
        before = program.call([GOOD])
        assert before == Returned(value=True, reason="2 False")
        assert program.call([{"answer": "bad", "do": "harm"}]).value is None
        assert program.call([GOOD]) == before


def test_a_program_that_had_to_be_ended_again_and_again_is_given_up() -> None:
    source = "import os\ndef score(sample):\n    os.abort()"
    with closing(SandboxedProgram(source, SCORE)) as program:
        for _ in range(MAX_STRIKES):
            assert "it was ended by" in program.call([GOOD]).problem
        assert program.call([GOOD]) == NOT_TRIED


def test_a_program_that_has_used_up_its_time_is_not_tried_any_more() -> None:
    source = "def score(sample): return 1"
    with closing(SandboxedProgram(source, SCORE, limits=Limits(program_s=0.0001))) as program:
        assert program.call([GOOD]).value == 1
        assert program.call([GOOD]).problem == "not tried: all items of a run may take 0.0001 s"


def test_a_module_that_is_hostile_before_its_function_is_called() -> None:
    with closing(SandboxedProgram("import os\nos.fork()\ndef score(sample): return 1", SCORE)) as program:
        assert program.call([GOOD]).problem == "PermissionError: [Errno 1] Operation not permitted (line 2)"
    with closing(SandboxedProgram("def score(sample): return 1\ndel score", SCORE)) as program:
        assert program.call([GOOD]).problem.startswith("KeyError")


@pytest.fixture
def listening() -> Iterator[tuple[int, list[str]]]:
    """A real server on loopback, and who asked it."""
    asked: list[str] = []

    class Asked(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

    with http.server.HTTPServer(("127.0.0.1", 0), Asked) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.server_port, asked
        server.shutdown()
        thread.join()


def test_a_server_on_this_machine_cannot_be_reached(
    program: SandboxedProgram, listening: tuple[int, list[str]]
) -> None:
    port, asked = listening
    body = f"""
s = libc.socket(2, 1, 0)
address = (2).to_bytes(2, 'little') + ({port}).to_bytes(2, 'big') + bytes([127, 0, 0, 1]) + bytes(8)
raw('connect', s, address, 16)
"""
    assert "PermissionError: [Errno 1] connect" in harm(program, body).problem
    with socket.create_connection(("127.0.0.1", port)) as connection:  # it is there for others
        connection.sendall(b"GET /from-outside HTTP/1.0\r\n\r\n")
        assert connection.recv(100)
    assert asked == ["/from-outside"]


def test_descriptors_and_the_environment_of_the_server_are_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GAUGEWAY_MASTER_KEY", "secret")
    secret = tmp_path / "state.db"
    secret.write_text("secret")
    with secret.open() as opened:
        os.set_inheritable(opened.fileno(), True)
        source = """
import os
def score(sample):
    found = []
    for descriptor in range(1024):
        try:
            found.append((descriptor, os.read(descriptor, 10)))
        except OSError:
            pass
    return {'score': 1, 'reason': f'{dict(os.environ)} {found}'}
"""
        with closing(SandboxedProgram(source, SCORE)) as program:
            environment, _, found = program.call([GOOD]).reason.partition("} ")
    assert "secret" not in environment
    assert "GAUGEWAY" not in environment
    assert "secret" not in found
    assert [one for one in ("(0,", "(1,", "(2,") if one in found] == ["(0,", "(1,", "(2,"]  # /dev/null


def until(condition: Callable[[], bool]) -> None:
    """Wait for what must come; the test's own timeout is the limit."""
    while not condition():
        time.sleep(0.01)


def test_closing_ends_a_call_that_is_under_way() -> None:
    others = children_of(os.getpid())
    source = "import time\ndef score(sample): time.sleep(1000)"
    with closing(SandboxedProgram(source, SCORE, limits=Limits(wall_s=100))) as program:
        program.layers()  # its keeper has begun
        [keeper] = set(children_of(os.getpid())) - set(others)
        with ThreadPoolExecutor(1) as pool:
            called = pool.submit(program.call, [GOOD])
            until(lambda: bool(children_of(keeper)))
            [cell] = children_of(keeper)
            program.close()
            with pytest.raises(NoSandbox, match="the run was ended"):
                called.result()
    until(lambda: not Path(f"/proc/{cell}").exists())


def children_of(parent: int) -> list[int]:
    """The living processes whose parent that is."""
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                status = (entry / "stat").read_text()
            except (FileNotFoundError, ProcessLookupError):
                continue
            fields = status.rpartition(")")[2].split()
            if int(fields[1]) == parent and fields[0] != "Z":
                found.append(int(entry.name))
    return found


def test_what_cannot_be_handed_over_fails_on_its_own_item() -> None:
    with closing(SandboxedProgram("def grade(sample, item):\n    return len(item)", GRADE)) as program:
        assert "cannot be given this item" in program.call(["\ud800", {}]).problem
        assert program.call([{}, "x" * (33 * 1024**2)]).problem == "the item has more than 32 MiB"
        nested: list[object] = []
        for _ in range(500):
            nested = [nested]
        assert program.call([{}, nested]).value == 1
        for _ in range(5000):
            nested = [nested]
        assert "cannot be given this item" in program.call([{}, nested]).problem
        assert program.call([{}, "four"]) == Returned(value=4.0)


def test_what_a_program_may_return() -> None:
    source = "def score(sample):\n    return eval(sample)"
    with closing(SandboxedProgram(source, SCORE)) as program:
        assert program.call(["7"]) == Returned(value=7.0)
        assert program.call(["True"]) == Returned(value=True)
        assert program.call(["None"]) == Returned()
        assert program.call(["-1e15"]) == Returned(value=-1e15)
        assert program.call(["{'score': 0.5, 'reason': 'a\\nb\\0' + chr(0xd800)}"]) == Returned(0.5, "a b ?")
        assert program.call(["{'score': None, 'reason': 'no date'}"]) == Returned(None, "no date")
        assert len(program.call(["{'score': False, 'reason': 'x' * 10**6}"]).reason) == 500


def test_a_program_that_a_machine_cannot_start() -> None:
    with pytest.raises(NoSandbox, match="cannot be started"):
        SandboxedProgram("", SCORE, command=("/does/not/exist",)).call([GOOD])
    with pytest.raises(NoSandbox, match="did not begin"):
        SandboxedProgram("", SCORE, command=("/bin/false",)).call([GOOD])
