"""A cell proves to itself that it is one, before it looks at anybody's program: each of these must be refused.

Refused by the filter, that is, with EPERM: that a limit or another wall stands in the way as well proves nothing.
"""

from __future__ import annotations

import ctypes
import errno
import os
import signal
from collections.abc import Callable, Mapping

_libc = ctypes.CDLL(None, use_errno=True)
_ANYWHERE, _STREAM, _LOCAL, _INTERNET, _INTERNET_6 = -100, 1, 1, 2, 10
_WRITE_NEW = os.O_WRONLY | os.O_CREAT
_TRACE_ME, _MAP_ANONYMOUS, _EXECUTABLE = 0, 0x22, 7
_IO_URING_SETUP, _PIDFD_OPEN = 425, 434  # the same on every architecture


def attempts() -> Mapping[str, Callable[[], int]]:
    """By name, system calls that a cell must not be given; negative where they fail, with an errno."""
    parent = os.getppid()
    memory = f"/proc/{parent}/mem".encode()
    number = ctypes.c_long
    return {
        "a connection (IPv4)": lambda: _libc.socket(_INTERNET, _STREAM, 0),
        "a connection (IPv6)": lambda: _libc.socket(_INTERNET_6, _STREAM, 0),
        "a connection (Unix)": lambda: _libc.socket(_LOCAL, _STREAM, 0),
        "reading a file": lambda: _libc.openat(_ANYWHERE, b"/etc/passwd", os.O_RDONLY),
        "reading a folder": lambda: _libc.openat(_ANYWHERE, b"/", os.O_RDONLY | os.O_DIRECTORY),
        "reading its parent's memory": lambda: _libc.openat(_ANYWHERE, memory, os.O_RDONLY),
        "writing a file": lambda: _libc.openat(_ANYWHERE, b"/tmp/gaugeway-cell", _WRITE_NEW, 0o600),
        "a new process": _fork,
        "another program": lambda: _libc.execve(b"/bin/true", None, None),
        "a signal to its parent": lambda: _libc.kill(parent, 0),
        "a signal to itself": lambda: _libc.kill(os.getpid(), 0),
        "handling signals": _handle_signals,
        "tracing": lambda: _libc.ptrace(_TRACE_ME, 0, None, None),
        "code of its own": _map_code,
        "io_uring": lambda: _libc.syscall(number(_IO_URING_SETUP), number(1), None),
        "a handle on its parent": lambda: _libc.syscall(number(_PIDFD_OPEN), number(parent), number(0)),
    }


def leaks() -> list[str]:
    """Names of what the filter did not refuse: there must be none."""
    return [name for name, attempt in attempts().items() if not _is_refused(attempt)]


def _is_refused(attempt: Callable[[], int]) -> bool:
    ctypes.set_errno(0)
    return attempt() < 0 and ctypes.get_errno() == errno.EPERM


def _fork() -> int:
    pid: int = _libc.fork()
    if pid == 0:
        os._exit(0)
    return pid


def _handle_signals() -> int:
    try:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    except OSError as problem:
        ctypes.set_errno(problem.errno or 0)
        return -1
    return 0


def _map_code() -> int:
    _libc.mmap.restype = ctypes.c_void_p
    mapped = _libc.mmap(None, ctypes.c_size_t(4096), _EXECUTABLE, _MAP_ANONYMOUS, -1, ctypes.c_long(0))
    return -1 if mapped == ctypes.c_void_p(-1).value else 0
