"""The command ``tailrace``: the verbs, and what becomes of their errors."""

import os
import sys
from typing import Any

import typer
from typer.core import TyperGroup

from cli.app import app as show
from cli.ask import ask
from cli.collect import collect
from cli.demo import demo
from cli.detect import detect
from cli.dns import dns
from cli.enrich import enrich
from cli.flows import flows
from cli.graph import graph
from cli.ingest import ingest
from cli.lake import lake
from cli.output import exit_status, say
from cli.policy import policy
from cli.sql import sql
from cli.warmup import warmup
from contract.errors import TailraceError


class Verbs(TyperGroup):
    """Every error of ours is one line and an exit code, whichever verb met it."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except TailraceError as error:
            say(f"tailrace: {error}")
            raise typer.Exit(exit_status(error)) from None


app = typer.Typer(
    cls=Verbs,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Who talks to whom in a Kubernetes cluster, and which names they ask for, from packets.",
)
for verb in (demo, ingest, collect, enrich, flows, ask, sql, graph, detect):
    app.command()(verb)
app.command("app")(show)
app.command(hidden=True)(warmup)
app.add_typer(dns, name="dns")
app.add_typer(lake, name="lake")
app.add_typer(policy, name="policy")


def run() -> None:
    """Entry point; a reader of ours that goes away (``| head``) is no error."""
    try:
        app()
    finally:
        _flush()


def _flush() -> None:
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
