"""The command line: parse → call → print. One command, or one family of commands, a file.

Exit codes: 0 done; 1 it was done, but something in it failed; 2 it cannot be done as asked (usage, settings,
an unusable folder or port); 130 interrupted. `compare`, `replay` and `shadow show` with --gate have a 3: it cannot
be told.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated, Literal

import typer

from gaugeway import __version__
from gaugeway.cli import (
    analytics,
    columns,
    compare,
    dataset,
    demo,
    evaluate,
    gateway,
    key,
    monitor,
    replay,
    serve,
    shadow,
    token,
)
from gaugeway.cli.output import print_error
from gaugeway.core.errors import GaugewayError

PROGRAM = "gaugeway"
REFUSED = 2
INTERRUPTED = 130


def build(markup: Literal["rich"] | None) -> typer.Typer:
    """The command line; `markup` "rich" draws help and usage errors with boxes and colours."""
    app = _family("A self-hosted AI gateway that measures what flows through it.", markup)
    app.callback()(_options)
    app.command("serve", short_help="Start the gateway.")(serve.serve)
    app.command("demo", short_help="Play the main job from nothing.")(demo.demo)
    app.command("evaluate", short_help="Evaluate the logs of a gateway.")(evaluate.evaluate)
    app.command("compare", short_help="Compare evaluations, models or times; the CI gate.")(compare.compare)
    app.command("replay", short_help="Replay logged requests to other models, beside what was logged.")(
        replay.replay
    )
    shadows = _family("Shares of live requests that are also sent to other models, on a running server.", markup)
    shadows.command("create")(shadow.create)
    shadows.command("list")(shadow.show_all)
    shadows.command("show")(shadow.show)
    shadows.command("stop")(shadow.stop)
    shadows.command("resume")(shadow.resume)
    app.add_typer(shadows, name="shadow")
    datasets = _family("Datasets and their snapshots, on a running server.", markup)
    datasets.command("list")(dataset.show)
    datasets.command("create")(dataset.create)
    datasets.command("snapshot")(dataset.snapshot)
    datasets.command("export")(dataset.export)
    datasets.command("import")(dataset.import_file)
    app.add_typer(datasets, name="dataset")
    monitors = _family("Live traffic evaluated on a schedule, on a running server.", markup)
    monitors.command("create")(monitor.create)
    monitors.command("list")(monitor.show_all)
    monitors.command("show")(monitor.show)
    monitors.command("delete")(monitor.delete)
    monitors.command("run-now")(monitor.run_now)
    app.add_typer(monitors, name="monitor")
    tokens = _family("API tokens, straight in the data folder.", markup)
    tokens.command("create")(token.create)
    tokens.command("list")(token.show)
    tokens.command("revoke")(token.revoke)
    app.add_typer(tokens, name="token")
    gateways = _family("Gateways, straight in the data folder.", markup)
    gateways.command("create")(gateway.create)
    gateways.command("list")(gateway.show)
    app.add_typer(gateways, name="gateway")
    keys = _family("The master key of stored provider keys, straight in the data folder.", markup)
    keys.command("rotate")(key.rotate)
    app.add_typer(keys, name="key")
    sums = _family("The sums behind analytics, straight in the data folder.", markup)
    sums.command("verify")(analytics.verify)
    sums.command("rebuild")(analytics.rebuild)
    app.add_typer(sums, name="analytics")
    copies = _family("The columns that figures come from, straight in the data folder.", markup)
    copies.command("show")(columns.show)
    copies.command("rebuild")(columns.rebuild)
    app.add_typer(copies, name="columns")
    return app


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code. What it cannot do becomes one line on stderr."""
    plain = not (sys.stdout.isatty() and sys.stderr.isatty())
    app = build(None if plain else "rich")
    try:
        app(args=list(arguments), prog_name=PROGRAM)
    except SystemExit as done:
        return done.code if isinstance(done.code, int) else 0
    except GaugewayError as problem:
        print_error(str(problem))
        return REFUSED
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


def _family(purpose: str, markup: Literal["rich"] | None) -> typer.Typer:
    return typer.Typer(
        help=purpose,
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=markup,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"{PROGRAM} {__version__}")
        raise typer.Exit


def _options(
    version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=_show_version, help="Show the version and exit."),
    ] = False,
) -> None:
    del version  # its callback has done all there is to do
