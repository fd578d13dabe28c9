"""The recorder: one process per data folder that takes the workers' logs and makes them durable."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import socket
import time
from pathlib import Path
from typing import cast

import msgspec

from gaugeway.recorder import wire
from gaugeway.recorder.address import SOCKET, present, socket_path, take_lock
from gaugeway.recorder.barriers import Barriers
from gaugeway.recorder.notice import Notice
from gaugeway.recorder.wire import FrameReader, Hello, Kind, Malformed
from gaugeway.recorder.writing import Arrival, Parts, Writing
from gaugeway.recorder.yielding import take_long_turns

FIRST_CLIENT_S = 10.0
LINGER_S = 2.0
LINGER_AFTER_GOODBYE_S = 0.25
DRAIN_S = 5.0
LOOK_S = 0.25
PAUSE_AFTER_FAILURE_S = 1.0
LOOK_AT_BARRIER_S = 0.05


class Recorder:
    """Serves a data folder whose lock this process holds, until nobody needs it any more."""

    def __init__(self, data: Path, parts: Parts) -> None:
        self._data = data
        self._say: Notice = parts.say
        self._peers: set[_Peer] = set()
        self._writing = Writing(parts, self._tell_trouble, self._let_read)
        self._barriers = Barriers(self._writing, lambda: present(data))
        self._writing.on_written = self._barriers.check
        self._reading = True
        self._terminated = asyncio.Event()
        self._leave_at = 0.0

    async def run(self) -> None:
        """Serve. Returns when no client has been there for a while and all is durable, or after SIGTERM."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._terminated.set)
        for ignored in (signal.SIGINT, signal.SIGHUP):  # Ctrl-C is meant for the server, which then lets us go
            signal.signal(ignored, signal.SIG_IGN)
        self._leave_at = loop.time() + FIRST_CLIENT_S
        server = await loop.create_unix_server(lambda: _Peer(self), sock=_listen(self._data))
        writing = loop.create_task(self._writing.run())
        try:
            await self._serve(writing)
            server.close()
            if self._terminated.is_set():
                await self._drain()
        finally:
            (self._data / SOCKET).unlink(missing_ok=True)
            writing.cancel()
            for peer in tuple(self._peers):
                peer.close()
            await asyncio.wait((writing,))

    async def _serve(self, writing: asyncio.Task[None]) -> None:
        loop = asyncio.get_running_loop()
        while not self._terminated.is_set():
            is_alone = not self._peers and loop.time() >= self._leave_at
            if is_alone and (self._writing.is_done or self._is_cut_off()):
                return
            if self._barriers.is_waiting:
                self._barriers.check()
            if writing.done():
                writing.result()
            look = LOOK_AT_BARRIER_S if self._barriers.is_waiting else LOOK_S
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._terminated.wait(), look)

    def _is_cut_off(self) -> bool:
        """Whether the data folder was removed: nobody can find this recorder any more, nor can it write."""
        if (self._data / SOCKET).exists():
            return False
        self._say(f"the data folder {self._data} is gone, and {self._writing.waiting_rows} logs with it")
        return True

    async def _drain(self) -> None:
        """Have the clients send what they hold, and write it; what cannot be written in time stays with them."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + DRAIN_S
        drained = loop.create_future()
        self._barriers.ask(_Drain(drained), 0)
        while not drained.done() and loop.time() < deadline:
            self._barriers.check()
            await asyncio.sleep(0.01)
        if self._writing.waiting_rows:
            self._say(
                f"{self._writing.waiting_rows} logs were not written when the recorder was told to stop;"
                f" servers that still run keep theirs ({self._writing.trouble or 'it took too long'})"
            )

    # --- what peers tell

    def joined(self, peer: _Peer) -> None:
        self._peers.add(peer)

    def greeted(self, peer: _Peer, hello: Hello) -> None:
        peer.send(self._trouble(Kind.WELCOME))
        if not self._reading:
            peer.let_read(False)
        self._barriers.joined(hello.client, peer)

    def left(self, peer: _Peer, client: str | None, *, in_peace: bool) -> None:
        self._peers.discard(peer)
        linger = LINGER_AFTER_GOODBYE_S if in_peace else LINGER_S
        self._leave_at = asyncio.get_running_loop().time() + linger
        if client is not None:
            self._barriers.left(client, peer)

    def arrived(self, arrival: Arrival) -> None:
        self._writing.take_in(arrival)

    def barrier_asked(self, peer: _Peer, number: int) -> None:
        self._barriers.ask(peer, number)

    def synced(self, client: str, token: int) -> None:
        self._barriers.synced(client, token)

    def say(self, text: str) -> None:
        self._say(text)

    # --- what the writing tells

    def _tell_trouble(self, trouble: str | None) -> None:
        del trouble  # the writing knows more of it
        for peer in self._peers:
            peer.send(self._trouble(Kind.TROUBLE))

    def _trouble(self, kind: Kind) -> bytes:
        writing = self._writing
        return wire.frame(kind, wire.NO_ROOM if writing.is_full else 0, payload=_text(writing.trouble))

    def _let_read(self, allowed: bool) -> None:
        self._reading = allowed
        for peer in self._peers:
            peer.let_read(allowed)


class _Peer(FrameReader):
    """A client's connection, seen from the recorder."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__()
        self._recorder = recorder
        self._transport: asyncio.Transport | None = None
        self._hello: Hello | None = None
        self._in_peace = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._recorder.joined(self)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._transport = None
        client = None if self._hello is None else self._hello.client
        self._recorder.left(self, client, in_peace=self._in_peace)

    def frame_received(self, kind: Kind, number: int, rows: int, payload: bytearray) -> None:
        if kind is Kind.HELLO:
            self._greet(payload)
        elif self._hello is None:
            raise Malformed(f"{kind.name} came before HELLO")
        elif kind in (Kind.BATCH, Kind.LOSSES):
            is_losses = kind is Kind.LOSSES
            self._recorder.arrived(Arrival(self, self._hello.client, number, payload, rows, is_losses))
        elif kind is Kind.BARRIER:
            self._recorder.barrier_asked(self, number)
        elif kind is Kind.SYNCED:
            self._recorder.synced(self._hello.client, number)
        elif kind is Kind.BYE:
            self._in_peace = True
        else:
            raise Malformed(f"a client sent {kind.name}")

    def _greet(self, payload: bytearray) -> None:
        try:
            hello = msgspec.msgpack.decode(payload, type=Hello)
        except msgspec.MsgspecError as problem:
            raise Malformed(f"HELLO cannot be decoded: {problem}") from problem
        if hello.layout != wire.LAYOUT:
            raise Malformed(
                "this data folder's recorder belongs to another version of Gaugeway;"
                " stop all servers of that version, and it leaves"
            )
        self._hello = hello
        self._recorder.greeted(self, hello)

    def broken(self, problem: Malformed) -> None:
        who = "unknown" if self._hello is None else f"{self._hello.pid}"
        self._recorder.say(f"the connection of process {who} to the recorder was closed: {problem}")
        self.send(wire.frame(Kind.REFUSED, payload=_text(str(problem))))
        self.close()

    def durable(self, number: int) -> None:
        self.send(wire.frame(Kind.ACK, number))

    def ask_sync(self, token: int) -> None:
        self.send(wire.frame(Kind.SYNC, token))

    def barrier_done(self, number: int) -> None:
        self.send(wire.frame(Kind.DONE, number))

    def send(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def let_read(self, allowed: bool) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        if allowed:
            self._transport.resume_reading()
        else:
            self._transport.pause_reading()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


class _Drain:
    """Who asks for the last barrier."""

    def __init__(self, drained: asyncio.Future[None]) -> None:
        self._drained = drained

    def ask_sync(self, token: int) -> None:
        """Not a client: it is never asked."""

    def barrier_done(self, number: int) -> None:
        del number
        if not self._drained.done():
            self._drained.set_result(None)


def serve(data: Path, parts: Parts, lock: int | None = None) -> None:
    """Be the recorder of a data folder; returns at once where another process is.

    `lock`: the descriptor, inherited from whoever started this process, that holds the recorder's lock.
    """
    if lock is None:
        lock = take_lock(data)
        if lock is None:
            return
    else:
        os.set_inheritable(lock, False)
    # A batch of logs is thousands of objects without cycles: to search them for some costs half of decoding them.
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)
    take_long_turns()
    try:
        asyncio.run(Recorder(data, parts).run())
    except Exception:
        time.sleep(PAUSE_AFTER_FAILURE_S)  # with the lock held, so that not every worker starts another at once
        raise
    finally:
        os.close(lock)


def _text(trouble: str | None) -> bytes:
    return (trouble or "").encode(errors="replace")


def _listen(data: Path) -> socket.socket:
    """The listening socket, for this user only. A socket file that a killed recorder left is replaced."""
    (data / SOCKET).unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o177)
    try:
        with socket_path(data) as path:
            listener.bind(path)
    except BaseException:
        listener.close()
        raise
    finally:
        os.umask(mask)
    listener.listen(512)
    listener.setblocking(False)
    return listener
