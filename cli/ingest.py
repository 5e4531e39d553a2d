"""`tailrace ingest`: captures to an enriched lake, in one process."""

import hashlib
import secrets
import sys
from collections.abc import Mapping, Sequence
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from cli.kept import keep
from cli.options import cluster_name
from cli.progress import progress_bar
from contract.errors import InputError, UsageError

if TYPE_CHECKING:
    import pyarrow as pa
    from rich.progress import Progress

    from cli.collected import Collected
    from collector.driver import Settings
    from enricher.directory import Directory
    from store.lake import Lake

MALFORMED = 1
DNS_PORT = 53
WITHOUT_OBJECTS = (
    "without --kube addresses have no names, and traffic through a Service counts twice: "
    "tailrace lake relabel --kube names and counts them afterwards"
)
NAMELESS_BEFORE = "records that the lake got without --kube stay without names: tailrace lake relabel names them"
LAST_TABLE = "coverage"  # written when everything else is: a mark in it says that the capture is in the lake


def ingest(
    files: Annotated[
        list[str], typer.Argument(metavar="[NODE=]FILE...", help="pcap or pcapng, also .gz and .zst; - is stdin")
    ],
    lake: Annotated[str, typer.Option(help="the lake to add to; made where there is none")],
    kube: Annotated[
        str | None, typer.Option(help="output of kubectl get -A -o json, a file or a folder of them")
    ] = None,
    cluster: Annotated[
        str | None, typer.Option(callback=cluster_name, help="name of the cluster, written to every record")
    ] = None,
    dns_port: Annotated[
        list[int] | None,
        typer.Option(min=1, max=65535, help=f"a port DNS is spoken on, in place of {DNS_PORT}; repeatable"),
    ] = None,
) -> None:
    """Read captures into a lake. Exit status 1: an input was malformed or cut short, what came before is in the lake."""
    ports = tuple(dns_port or (DNS_PORT,))
    faults = ingest_files([named(file) for file in files], lake, kube, cluster, ports)
    for fault in faults:
        print(f"tailrace: {fault}", file=sys.stderr)
    if faults:
        raise typer.Exit(MALFORMED)
    if not kube:
        print(f"tailrace: {WITHOUT_OBJECTS}", file=sys.stderr)


def named(argument: str) -> tuple[str | None, str]:
    """``NODE=FILE`` or ``FILE``; a path that exists is a path, whatever is in its name."""
    node, equals, path = argument.partition("=")
    if not equals or Path(argument).exists():
        return None, argument
    if not node or not path:
        raise UsageError(f"{argument}: write NODE=FILE or FILE")
    return node, path


def ingest_files(
    files: Sequence[tuple[str | None, str]],
    lake: str,
    kube: str | None,
    cluster: str | None,
    dns_ports: tuple[int, ...] = (DNS_PORT,),
) -> list[InputError]:
    """The faults of the inputs; an input that could not be read at all is one of them."""
    from cli.collected import Collected
    from collector.driver import Settings
    from enricher.directory import Directory
    from enricher.kubernetes import read_dump
    from store.lake import Lake

    for path in [path for _, path in files if path != "-"] + ([kube] if kube else []):
        if not Path(path).exists():
            raise UsageError(f"{path}: no such file")
    for _, path in files:
        if Path(path).is_dir():
            raise UsageError(f"{path}: a folder; name the captures in it")
    directory = read_dump(kube, cluster or None) if kube else Directory.empty()
    target = Lake.create(lake)
    _keep(directory.objects, target)
    faults: list[InputError] = []
    marks: list[str] = []
    with Collected() as collected, progress_bar() as progress:
        for node, path in files:
            try:
                mark = _mark(path)
                if mark and (mark in marks or target.transaction_version(LAST_TABLE, mark)):
                    print(
                        f"tailrace: {path}: is in the lake already, left out; to read it in another way, take a new lake",
                        file=sys.stderr,
                    )
                    continue
                settings = Settings(secrets.randbits(64), cluster or None, node, dns_ports=dns_ports)
                fault = _collect(path, settings, collected, progress)
            except InputError as error:
                faults.append(error)
                continue
            faults += [fault] if fault else []
            marks += [mark] if mark else []
        _store(collected, directory, target, marks, progress)
    return faults


def _mark(path: str) -> str | None:
    """What a capture is known by in the lake's commits, so that it is added once; a stream has no mark."""
    if not Path(path).is_file():
        return None
    try:
        with Path(path).open("rb") as file:
            return f"capture/{hashlib.file_digest(file, 'sha256').hexdigest()}"
    except OSError as error:
        raise InputError(path, error.strerror or str(error)) from error


def _collect(path: str, settings: "Settings", collected: "Collected", progress: "Progress") -> InputError | None:
    from collector.driver import collect
    from collector.kernels.jit import is_compiled
    from collector.kernels.run import run
    from collector.sources.capture import open_capture

    size = Path(path).stat().st_size if Path(path).is_file() else None
    doing = "reading" if is_compiled(run) else "compiling for this machine, once, which takes a minute, and reading"
    task = progress.add_task(f"{doing} {path}", total=size)
    with open_capture(path, cast(BufferedReader, sys.stdin.buffer)) as capture:
        for table, batch in collect(capture, settings, lambda _: progress.update(task, completed=capture.position())):
            collected.add(table, batch)
        progress.update(task, total=capture.position(), completed=capture.position())
    return capture.fault


def _store(
    collected: "Collected", directory: "Directory", target: "Lake", marks: Sequence[str], progress: "Progress"
) -> None:
    import pyarrow.compute as pc

    from enricher.enrich import enrich
    from enricher.told import beside

    task = progress.add_task("attributing and storing", total=None)
    for number, window in enumerate(collected.windows(), start=1):
        enriched = beside(enrich(window.flows, window.dns, directory), target)
        tables = {"dns": enriched.dns, "resolutions": enriched.resolutions}
        if window.since is not None:
            tables = {name: rows.filter(pc.field("start_time") >= window.since) for name, rows in tables.items()}
        _append(target, {"flows": enriched.flows, **tables}, marks, number)
    _append(target, {"assignments": directory.assignments, LAST_TABLE: collected.coverage()}, marks, 1)
    progress.update(task, total=1, completed=1)


def _keep(objects: "pa.Table", target: "Lake") -> None:
    """A reading of the cluster that is in the lake already is not added again; the first may come too late for some records."""
    if objects.num_rows:
        if target.span() and not target.files("objects"):
            print(f"tailrace: {NAMELESS_BEFORE}", file=sys.stderr)
        keep({"objects": objects}, target)


def _append(target: "Lake", tables: Mapping[str, "pa.Table"], marks: Sequence[str], number: int) -> None:
    """Commit what an earlier attempt with the same captures, cut off in between, has not committed yet."""
    for table, rows in tables.items():
        there = [(target.transaction_version(table, mark) or 0) >= number for mark in marks]
        if not there or not all(there):
            target.append({table: rows}, dict.fromkeys(marks, number))
