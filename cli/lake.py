"""``tailrace lake …``: housekeeping."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from cli import options as o
from cli.kept import keep
from cli.output import Format, say, write
from cli.progress import progress_bar
from cli.times import parse_time, rfc3339
from contract.errors import UsageError

if TYPE_CHECKING:
    from cli.relabelling import Relabelling
    from enricher.directory import Directory
    from enricher.relabel import Changes
    from store.compaction import Compacted
    from store.lake import Lake

lake = typer.Typer(no_args_is_help=True, help="Look after a lake.", rich_markup_mode=None)

INTERRUPTED = 130

ChangedLakeOption = Annotated[
    str, typer.Option("--lake", metavar="DIR-or-URL", envvar="TAILRACE_LAKE", help="The lake to change.")
]


@lake.command()
def stats(lake: o.LakeOption, form: o.FormatOption = Format.TABLE) -> None:
    """Files, rows and bytes of each table, and the time they span."""
    from store.lake import Lake

    write(Lake.open(lake).stats(), form)


@lake.command()
def relabel(
    lake: ChangedLakeOption,
    since: Annotated[
        str, typer.Option("--since", metavar="TIME", help="From then on: an age such as 2h, 7d, or an RFC 3339 time.")
    ],
    until: o.UntilOption = None,
    kube: Annotated[
        str | None,
        typer.Option(
            help="output of kubectl get -A -o json, a file or a folder of them: one reading more for the lake"
        ),
    ] = None,
    cluster: o.ClusterOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
) -> None:
    """Enrich stored records again with what the lake knows of the cluster by now, and a dump of it if one is given."""
    from cli.reading import open_lake
    from cli.relabelling import Relabelling

    now = datetime.now(UTC)
    opened = open_lake(lake, cluster)
    begin, end = parse_time("--since", since, now), parse_time("--until", until, now)
    span = opened.span()
    if begin is None or span is None or max(begin, span[0]) >= min(end or span[1], span[1]):
        say("nothing to relabel: the lake has no records of that time")
        return
    named = _clusters(opened, cluster, kube)
    dump = _dump(opened, kube, named[0], dry_run)
    for one in named:
        since_time, until_time = max(begin, span[0]), min(end or span[1], span[1])
        work = Relabelling(opened, one, since_time, until_time, dry_run, lambda: datetime.now(UTC))
        _relabel(work, dump)


def _clusters(lake: "Lake", cluster: str | None, kube: str | None) -> list[str]:
    from analysis.clusters import clusters

    named = [cluster] if cluster is not None else clusters(lake)
    if kube and len(named) > 1:
        raise UsageError(f"--kube: the lake has {len(named)} clusters; say whose objects they are with --cluster")
    return named


def _dump(lake: "Lake", kube: str | None, cluster: str, dry_run: bool) -> "Directory | None":
    """What is relabelled by it stays so when the lake is relabelled again: the lake keeps it, too."""
    from enricher.kubernetes import read_dump

    if kube is None:
        return None
    dump = read_dump(kube, cluster or None)
    if not dry_run:
        keep({"assignments": dump.assignments, "objects": dump.objects}, lake)
    return dump


def _relabel(work: "Relabelling", dump: "Directory | None") -> None:
    from enricher.relabel import Changes

    total, done = Changes(0, 0, 0), work.since
    try:
        with progress_bar() as shown:
            task = shown.add_task("relabelling", total=(work.until - work.since).total_seconds())
            for done, changed in work.run(dump):
                total += changed
                shown.update(task, completed=(done - work.since).total_seconds())
    except KeyboardInterrupt:
        say(f"interrupted: {_said(work, total, done)}; run it again with --since {rfc3339(done)}")
        raise typer.Exit(INTERRUPTED) from None
    say(_said(work, total, done))


def _said(work: "Relabelling", total: "Changes", done: datetime) -> str:
    whose = f" of cluster {work.cluster!r}" if work.cluster else ""
    range_ = f"from {rfc3339(work.since)} to {rfc3339(done)}"
    changed = "would change" if work.dry_run else "changed"
    return (
        f"{total.records:,} records{whose} {range_}: {total.changed:,} {changed};"
        f" {total.ends:,} of their ends get another label"
    )


@lake.command()
def compact(lake: ChangedLakeOption, since: o.SinceOption = None, until: o.UntilOption = None) -> None:
    """Merge small files into large ones, and remove what was replaced longer ago than any reader may need it."""
    from store.compaction import compact as compact_lake
    from store.lake import Lake

    now = datetime.now(UTC)
    times = parse_time("--since", since, now), parse_time("--until", until, now)
    with progress_bar() as shown:
        shown.add_task("compacting", total=None)
        for done in compact_lake(Lake.open(lake), *times, lambda: datetime.now(UTC)):
            say(_merged(done))


def _merged(done: "Compacted") -> str:
    return f"{done.table}: {done.merged:,} files merged into {done.made:,}, {done.removed:,} removed"
