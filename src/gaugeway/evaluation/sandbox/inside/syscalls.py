"""The wall that holds everything: a seccomp filter that lets a cell compute, and ask the kernel for nothing else.

An allow list: what is not named is refused with EPERM, also what future kernels add. There is no way to open,
create, connect, start or signal anything in it. Sources: seccomp(2), linux/seccomp.h, linux/bpf_common.h,
asm/unistd.h.
"""

from __future__ import annotations

import ctypes
import platform
import struct

PLAIN: dict[str, tuple[int, int | None]] = {
    # what the interpreter needs: memory
    "brk": (12, 214),
    "munmap": (11, 215),
    "mremap": (25, 216),
    "madvise": (28, 233),
    # the two ends that a cell still has
    "read": (0, 63),
    "write": (1, 64),
    "close": (3, 57),
    # locks and signals of its own
    "futex": (202, 98),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "sigaltstack": (131, 132),
    "restart_syscall": (219, 128),
    "sched_yield": (24, 124),
    # what time it is, and waiting
    "clock_gettime": (228, 113),
    "clock_getres": (229, 114),
    "clock_nanosleep": (230, 115),
    "nanosleep": (35, 101),
    "gettimeofday": (96, 169),
    "time": (201, None),
    "times": (100, 153),
    "getrusage": (98, 165),
    # who it is
    "getpid": (39, 172),
    "getppid": (110, 173),
    "gettid": (186, 178),
    "getuid": (102, 174),
    "geteuid": (107, 175),
    "getgid": (104, 176),
    "getegid": (108, 177),
    # chance, and the end
    "getrandom": (318, 278),
    "exit": (60, 93),
    "exit_group": (231, 94),
}
"""System calls that are allowed, with their numbers on x86_64 and aarch64."""
NOT_EXECUTABLE: dict[str, tuple[int, int]] = {"mmap": (9, 222), "mprotect": (10, 226)}
"""Allowed for memory that is no code: their third argument has no PROT_EXEC."""
ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
"""Column of the numbers, and the name that the kernel gives the architecture (linux/audit.h)."""

_LOAD, _EQUAL, _HAS_BITS, _RETURN = 0x20, 0x15, 0x45, 0x06
_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050000 | 1, 0x80000000  # EPERM is 1
_NUMBER, _ARCHITECTURE, _THIRD_ARGUMENT = (
    0,
    4,
    32,
)  # offsets in struct seccomp_data; both are little-endian machines
_PROT_EXEC = 4
_PR_SET_SECCOMP, _MODE_FILTER = 22, 2


class NoFilter(Exception):
    """This machine has no such filter; the message says what is missing."""


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def instructions(machine: str) -> list[tuple[int, int, int, int]]:
    """The filter in classic BPF: code, jump if true, jump if false, value. NoFilter."""
    if machine not in ARCHITECTURES:
        raise NoFilter(f"its filter is made for {' and '.join(ARCHITECTURES)}, and this machine is {machine}")
    column, architecture = ARCHITECTURES[machine]
    made = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _KILL),  # a call by another architecture's numbers would mean something else
        (_LOAD, 0, 0, _NUMBER),
    ]
    for numbers in NOT_EXECUTABLE.values():
        made += [
            (_EQUAL, 0, 4, numbers[column]),
            (_LOAD, 0, 0, _THIRD_ARGUMENT),
            (_HAS_BITS, 0, 1, _PROT_EXEC),
            (_RETURN, 0, 0, _REFUSE),
            (_RETURN, 0, 0, _ALLOW),
        ]
    for both in PLAIN.values():
        number = both[column]
        if number is not None:
            made += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ALLOW)]
    return [*made, (_RETURN, 0, 0, _REFUSE)]


def install() -> None:
    """Put the filter around this process for good; NoFilter. It must have no_new_privs (layers.py)."""
    made = instructions(platform.machine())
    code = b"".join(struct.pack("HBBI", *one) for one in made)
    program = _Program(len(made), code)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(program), 0, 0):
        raise NoFilter(f"the kernel takes no seccomp filter (error {ctypes.get_errno()})")
