"""`tailrace ingest`: captures to an enriched lake, in one process."""

import secrets
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from contract.errors import InputError, UsageError

if TYPE_CHECKING:
    from rich.progress import Progress

    from cli.spool import Spool
    from enricher.directory import Directory
    from store.lake import Lake

MALFORMED, WRONG_USAGE = 1, 2


def ingest(
    files: Annotated[
        list[str], typer.Argument(metavar="[NODE=]FILE...", help="pcap or pcapng, also .gz and .zst; - is stdin")
    ],
    lake: Annotated[str, typer.Option(help="the lake to add to; made where there is none")],
    kube: Annotated[
        str | None, typer.Option(help="output of kubectl get -A -o json, a file or a folder of them")
    ] = None,
    cluster: Annotated[str | None, typer.Option(help="name of the cluster, written to every record")] = None,
) -> None:
    """Read captures into a lake. Exit status 1: an input was malformed or cut short, what came before is in the lake."""
    faults = ingest_files([named(file) for file in files], lake, kube, cluster)
    for fault in faults:
        print(f"tailrace: {fault}", file=sys.stderr)
    if faults:
        raise typer.Exit(MALFORMED)


def named(argument: str) -> tuple[str | None, str]:
    """``NODE=FILE`` or ``FILE``; a path that exists is a path, whatever is in its name."""
    node, equals, path = argument.partition("=")
    if not equals or Path(argument).exists():
        return None, argument
    if not node or not path:
        raise UsageError(f"{argument}: write NODE=FILE or FILE")
    return node, path


def ingest_files(
    files: Sequence[tuple[str | None, str]], lake: str, kube: str | None, cluster: str | None
) -> list[InputError]:
    """The faults of the inputs; an input that could not be read at all is one of them."""
    from cli.spool import Spool
    from enricher.directory import Directory
    from enricher.kubernetes import read_dump
    from store.lake import Lake

    for _, path in files:
        if path != "-" and not Path(path).exists():
            raise UsageError(f"{path}: no such file")
    directory = read_dump(kube, cluster) if kube else Directory.empty()
    target = Lake.create(lake)
    faults: list[InputError] = []
    with Spool() as spool, _progress() as progress:
        for node, path in files:
            faults += _collect(node, path, cluster, spool, progress)
        _store(spool, directory, target, progress)
    return faults


def _collect(
    node: str | None, path: str, cluster: str | None, spool: "Spool", progress: "Progress"
) -> Iterable[InputError]:
    from collector.driver import Settings, collect
    from collector.sources.capture import open_capture

    size = Path(path).stat().st_size if Path(path).is_file() else None
    task = progress.add_task(f"reading {path}", total=size)
    settings = Settings(seed=secrets.randbits(64), cluster=cluster, node=node)
    try:
        with open_capture(path, cast(BufferedReader, sys.stdin.buffer)) as capture:
            for table, batch in collect(
                capture, settings, lambda _: progress.update(task, completed=capture.position())
            ):
                spool.add(table, batch)
            progress.update(task, total=capture.position(), completed=capture.position())
    except InputError as error:
        return [error]
    return [capture.fault] if capture.fault else []


def _store(spool: "Spool", directory: "Directory", target: "Lake", progress: "Progress") -> None:
    import pyarrow.compute as pc

    from enricher.enrich import enrich

    task = progress.add_task("attributing and storing", total=None)
    for window in spool.windows():
        enriched = enrich(window.flows, window.dns, directory)
        dns = enriched.dns
        if window.since is not None:
            dns = dns.filter(pc.field("start_time") >= window.since)
        target.append({"flows": enriched.flows, "dns": dns})
    target.append({"coverage": spool.coverage(), "assignments": directory.assignments})
    progress.update(task, total=1, completed=1)


@contextmanager
def _progress() -> Iterator["Progress"]:
    """A progress bar on a terminal, nothing elsewhere."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        yield progress
