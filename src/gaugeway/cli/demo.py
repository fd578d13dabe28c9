"""`gaugeway demo`: the main job from nothing, on one machine."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import closing
from typing import Annotated

import msgspec
import typer
from rich.text import Text

from gaugeway.app import CannotListen, listen
from gaugeway.cli.options import load_settings
from gaugeway.cli.output import Column, console, print_note, print_table, print_warning, printable
from gaugeway.cli.serve import why_not
from gaugeway.core.errors import GaugewayError

CLIENTS = "pip install 'gaugeway[demo]'"
LOOPBACK = "127.0.0.1"


class Terminal:
    """Tells the demo's story on stdout."""

    def step(self, text: str) -> None:
        """A new part begins."""
        console().print(Text(f"\n{printable(text)}", style="bold cyan"))

    def line(self, text: str) -> None:
        """One more fact."""
        console().print(Text(f"  {printable(text)}"))

    def warn(self, text: str) -> None:
        """Something that is not as it should be."""
        for line in text.splitlines():
            print_warning(line)

    def table(self, title: str, columns: Sequence[tuple[str, bool]], rows: Sequence[Sequence[str]]) -> None:
        """A table."""
        console().print()
        print_table([Column(name, right=right) for name, right in columns], rows, title=title)


def demo(
    leave: Annotated[
        bool, typer.Option("--exit", help="Stop at the end instead of leaving the server running.")
    ] = False,
    data: Annotated[
        str | None,
        typer.Option(
            metavar="DIR",
            help="Keep everything in this folder. Default: a temporary one, deleted at the end.",
            show_default=False,
        ),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            metavar="PORT",
            help="The port to listen on. Default: the setting's, or a free one where that is taken.",
            min=0,
            max=65535,
            show_default=False,
        ),
    ] = None,
    chats: Annotated[
        int, typer.Option(min=1, max=500, metavar="N", help="Chats that are answered; three more go wrong.")
    ] = 12,
    simulate: Annotated[
        bool, typer.Option("--simulate", help="Use the simulated upstream even where the model is there.")
    ] = False,
) -> None:
    """Play the main job from nothing: a gateway, a real small model, chats, feedback, an evaluation.

    Everything happens on this machine. The demo works out each number by itself and compares; exit code 1
    where one differs.
    """
    # the official clients also read these, and would bring somebody's real key or address into the demo
    for name in [name for name in os.environ if name.startswith(("CLOUDFLARE_", "OPENAI_"))]:
        del os.environ[name]
    try:
        from gaugeway.demo.children import ChildFailed
        from gaugeway.demo.story import Options, run
    except ModuleNotFoundError as problem:
        if problem.name not in ("openai", "cloudflare"):
            raise
        raise GaugewayError(f"the demo needs the official clients: {CLIENTS}") from problem
    settings = load_settings(None, data=data, port=port, host=LOOPBACK)
    settings = msgspec.structs.replace(settings, port=_port(settings.port, chosen=port is not None))
    options = Options(settings=settings, temporary=data is None, chats=chats, exit=leave, simulate=simulate)
    try:
        code = run(options, Terminal())
    except ChildFailed as problem:
        Terminal().warn(str(problem))
        raise typer.Exit(1) from problem
    raise typer.Exit(code)


def _port(port: int, *, chosen: bool) -> int:
    """A port to listen on: the one that was chosen, or else the setting's where it is free."""
    try:
        return _probe(port)
    except CannotListen as problem:
        if chosen:
            raise CannotListen(why_not(LOOPBACK, port, problem)) from problem
        free = _probe(0)
        print_note(f"port {port} is in use; the demo takes {free}")
        return free


def _probe(port: int) -> int:
    with closing(listen(LOOPBACK, port)) as listening:
        return int(listening.getsockname()[1])
