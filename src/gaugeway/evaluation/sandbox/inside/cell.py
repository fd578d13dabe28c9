"""A cell: a process that lives for one call of one program. It shuts itself in, proves it, calls, answers and ends.

The answer goes into a pipe that nobody else has. A program that writes there itself can spoil the answer to this
call, which it could have given as it liked anyway, and no other.
"""

from __future__ import annotations

import ast
import builtins
import json
import math
import os
import re
import sys
from types import ModuleType, TracebackType
from typing import Any, NamedTuple, NoReturn, cast

from gaugeway.evaluation.sandbox.inside import layers, proof, syscalls

ANSWER = 3
"""The descriptor that the answer is written to; the three before it are /dev/null."""
MAX_REASON = 500
"""Characters of a reason."""
MAX_NUMBER = 1e15
"""The largest number that can be a score: sums of squares of such are still finite."""
_SOURCE = "<source>"
_SPARE_BYTES = 1024 * 1024


class Program(NamedTuple):
    """What is called, and what it gets."""

    source: str
    function: str
    parameters: tuple[str, ...]  # of the function, in words for people
    memory_bytes: int  # of address space, beyond what the interpreter has anyway
    cpu_s: int


def live(program: Program, request: bytes | None, *, keeper: int, answer_to: int, null: int, base: int) -> NoReturn:
    """Answer one request, and end. `request`: the arguments as a JSON array; None: only compile.

    Nothing of the program is looked at before the walls stand and were tried.
    """
    spare = bytearray(_SPARE_BYTES)  # so that there is room to say that memory has ended
    try:
        for descriptor in (0, 1, 2):
            os.dup2(null, descriptor)
        os.dup2(answer_to, ANSWER)
        layers.keep_only((0, 1, 2, ANSWER))
        layers.die_with(keeper)
        layers.limit(base + program.memory_bytes, program.cpu_s)
        syscalls.install()
        leaks = proof.leaks()
        if leaks:
            raise syscalls.NoFilter(f"it does not hold: {', '.join(leaks)}")  # noqa: TRY301 - one way out
    except BaseException as problem:  # noqa: BLE001 - nothing may run after it
        _answer({"broken": f"{type(problem).__name__}: {problem}"})
    try:
        said = checked(program) if request is None else called(program, request)
    except BaseException as problem:  # noqa: BLE001 - whatever the program raised is its answer
        del spare
        said = {"problem": told(problem, program.memory_bytes)}
    _answer(said)


def checked(program: Program) -> dict[str, Any]:
    """Whether the source can be compiled, and has the function; {} where it has."""
    try:
        tree = ast.parse(program.source, _SOURCE)
        compile(tree, _SOURCE, "exec", dont_inherit=True)
    except SyntaxError as problem:
        where = f"line {problem.lineno}: " if problem.lineno else ""
        return {"problem": shortened(f"{where}{problem.msg}")}
    except (ValueError, RecursionError, MemoryError) as problem:
        return {"problem": shortened(f"it cannot be compiled: {str(problem) or type(problem).__name__}")}
    wanted = f"{program.function}({', '.join(program.parameters)})"
    found = [one for one in tree.body if isinstance(one, ast.FunctionDef) and one.name == program.function]
    if not found:
        return {"problem": f"there is no `def {wanted}` at its top level"}
    taken = found[-1].args
    positional = len(taken.posonlyargs) + len(taken.args)
    needed = [
        argument for argument, default in zip(taken.kwonlyargs, taken.kw_defaults, strict=True) if not default
    ]
    count = len(program.parameters)
    fits = positional - len(taken.defaults) <= count and (count <= positional or taken.vararg) and not needed
    return {} if fits else {"problem": f"line {found[-1].lineno}: it is called as {wanted}"}


def called(program: Program, request: bytes) -> dict[str, Any]:
    """What the function returns for the arguments, as an answer."""
    arguments: list[Any] = json.loads(request)
    module = ModuleType("evaluator")
    sys.modules["evaluator"] = module  # dataclasses look their module up
    module.__dict__["__builtins__"] = builtins
    code = compile(program.source, _SOURCE, "exec", dont_inherit=True)
    exec(code, module.__dict__)  # noqa: S102 - it is what a cell is for
    return read(module.__dict__[program.function](*arguments), program.function)


def read(returned: object, function: str) -> dict[str, Any]:
    """A returned value as an answer: a score with its reason, none, or why it is no score."""
    reason: object = ""
    if isinstance(returned, dict):
        told = cast("dict[object, object]", returned)
        strange = [key for key in told if key not in ("score", "reason")]
        if strange or "score" not in told:
            which = f" and no {strange[0]!r}" if strange else ""
            return {"problem": shortened(f"{function}() returned a dict: it has to have 'score', 'reason'{which}")}
        returned, reason = told["score"], told.get("reason") or ""
    if not isinstance(reason, str):
        return {"problem": f"{function}() gave a reason that is {_kind(reason)}: it has to be a str"}
    said = {"reason": shortened(reason)}
    if returned is None or isinstance(returned, bool):
        return said | {"value": returned}
    if not isinstance(returned, int | float):
        return {
            "problem": f"{function}() returned {_kind(returned)}: it has to be a number, a bool, None or a dict"
        }
    if not abs(returned) <= MAX_NUMBER:  # nan is not either
        what = returned if isinstance(returned, float) and not math.isfinite(returned) else "a number"
        return {"problem": f"{function}() returned {what}: a score has to be from -1e15 to 1e15"}
    return said | {"value": float(returned)}


def told(problem: BaseException, memory_bytes: int) -> str:
    """An exception in one line: its type, what it says, and where in the source it was raised."""
    try:
        text = str(problem)
    except BaseException:  # noqa: BLE001 - it may be anybody's
        text = "(it cannot say why)"
    if isinstance(problem, MemoryError) and not text:
        text = f"more than {memory_bytes // 1024**2} MiB"
    line = _line(problem.__traceback__)
    where = f" (line {line})" if line else ""
    head = type(problem).__name__ + (": " if text else "")
    return shortened(head + _without_paths(text), MAX_REASON - len(where)) + where


def shortened(text: str, limit: int = MAX_REASON) -> str:
    """One line of bounded length, without half surrogate pairs."""
    line = " ".join(text[: 4 * limit].split()).encode(errors="replace").decode()
    return line if len(line) <= limit else line[: limit - 1] + "…"


def _line(traceback: TracebackType | None) -> int | None:
    line: int | None = None
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == _SOURCE:
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    return line


def _without_paths(text: str) -> str:
    """Without the folders that this machine's Python is in, which say nothing to the program's author."""
    for folder in {sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix} - {"/"}:
        text = re.sub(rf"{re.escape(folder)}(/[\w.+-]+)*/", "", text)
    return text


def _kind(value: object) -> str:
    name = type(value).__name__
    return f"{'an' if name[:1] in 'aeiou' else 'a'} {shortened(name, 60)}"


def _answer(said: dict[str, Any]) -> NoReturn:
    try:
        left = json.dumps(said).encode()  # ASCII, with half surrogate pairs spelled out
        while left:
            left = left[os.write(ANSWER, left) :]
    finally:
        os._exit(0)
