"""What the keeper gives up before it does anything, and what a cell gives up beyond that.

no_new_privs and the limits can be had everywhere, and are a must. Namespaces, Landlock and another user are walls
behind the filter: taken where the machine gives them, and named, so that an operator can see which. Sources:
prctl(2), unshare(2), setresuid(2), setrlimit(2), landlock(7).
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import struct
from collections.abc import Sequence
from pathlib import Path

NOBODY = 65534
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38
_NEW_USER, _OTHERS = 0x10000000, 0x40000000 | 0x08000000 | 0x04000000  # network, System V IPC, host name
_CREATE_RULESET, _RESTRICT_SELF = 444, 446  # the same number on every architecture
_ABI_VERSION = 1
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15}  # how many there are by version of Landlock; from 5 on 16

_libc = ctypes.CDLL(None, use_errno=True)


def give_up() -> list[str]:
    """The layers that this machine gave the process. OSError where no_new_privs cannot be had."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")  # if memory ends, this goes first
    got: list[str] = []
    apart = os.geteuid() == 0 and not _libc.unshare(_OTHERS)
    if os.geteuid() == 0 and _become_nobody():
        got.append("another user")
    if apart or not _libc.unshare(_NEW_USER | _OTHERS):
        got.append("namespaces")
    if _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_NO_NEW_PRIVS)")
    if _landlock():
        got.append("Landlock")
    return got


def die_with(parent: int) -> None:
    """Be killed when the parent ends. ProcessLookupError where it has ended already."""
    if _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent:
        raise ProcessLookupError


def limit(memory_bytes: int, cpu_s: int) -> None:
    """Bounds of a cell that it cannot raise again."""
    bounds = {
        resource.RLIMIT_AS: memory_bytes,
        resource.RLIMIT_NPROC: 0,
        resource.RLIMIT_NOFILE: 0,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_MEMLOCK: 0,
    }
    for which, bound in bounds.items():
        resource.setrlimit(which, (bound, bound))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s + 1))  # SIGXCPU, which says why; then SIGKILL


def keep_only(descriptors: Sequence[int]) -> None:
    """Close all other descriptors."""
    first = 0
    for kept in [*sorted(descriptors), max(resource.getrlimit(resource.RLIMIT_NOFILE)[0], 65_536)]:
        if first < kept:  # an empty range is everything to some versions of Python
            os.closerange(first, kept)
        first = kept + 1


def _become_nobody() -> bool:
    try:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
    except OSError:
        return False  # a container may hold a root that must stay one
    return True


def _landlock() -> bool:
    """Give up every right over files and, where Landlock knows of them, ports and others' sockets and signals."""
    long = ctypes.c_long
    version = _libc.syscall(long(_CREATE_RULESET), None, long(0), long(_ABI_VERSION))
    if version < 1:
        return False
    files = (1 << _FILE_RIGHTS.get(version, 16)) - 1
    rights = struct.pack("QQQ", files, 3 if version >= 4 else 0, 3 if version >= 6 else 0)
    ruleset = _libc.syscall(long(_CREATE_RULESET), rights, long(len(rights)), long(0))
    if ruleset < 0:
        return False
    refused = _libc.syscall(long(_RESTRICT_SELF), long(ruleset), long(0))
    os.close(ruleset)
    return not refused
