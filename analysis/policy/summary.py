"""A replay in words: what was judged, how much of it was seen, and what came out."""

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from analysis.policy import words
from analysis.policy.endpoints import Columns
from analysis.policy.findings import Finding
from analysis.policy.grouping import workload_edges
from analysis.policy.history import History
from analysis.policy.recommend.behind import SERVICE
from analysis.policy.rules import Policies
from analysis.words import counted

MEANING = {
    Finding.DENIED: "Would be denied",
    Finding.DENIED_FAILED: "Would be denied, but was never answered as it is",
    Finding.UNTOLD: "Hangs on what no flow record tells",
    Finding.UNDECIDED: "Up to the network plugin",
    Finding.UNRESOLVED: "Not judged, as the pod behind the Service is unknown",
}


UNJUDGED = (Finding.UNTOLD, Finding.UNDECIDED, Finding.UNRESOLVED)


def judged(history: History) -> str:
    window = history.window
    span = f"{_time(window.since)} to {_time(window.until)} ({words.length((window.until - window.since).total_seconds())})"
    return f"From {span}: {_counts(_edges(history.rows), history.rows)} judged."


def doubts(history: History) -> Iterator[str]:
    """What the names of the lake leave open."""
    ambiguous = history.rows.filter(pc.greater(history.rows["ambiguous"], 0))
    if ambiguous.num_rows:
        count = int(pc.sum(ambiguous["ambiguous"]).as_py())
        yield f"Of {counted(count, 'connection')} an end is ambiguous: several owners fit; the latest was taken."
    unknown = history.rows.filter(pc.or_(pc.is_null(history.rows["src_kind"]), pc.is_null(history.rows["dst_kind"])))
    if unknown.num_rows:
        counts = _counts(_edges(unknown), unknown)
        yield f"An end of {counts} has no name in the lake; only its address was judged, as one outside."
    if SERVICE in history.rows.schema.names:
        services = pc.unique(history.rows[SERVICE].drop_null()).to_pylist()
        if services:
            names = words.listed(services)
            yield f"Of {names} only the Service's address was seen: every workload behind it, as the objects say, was judged."


def homeless(policies: Policies) -> Iterator[str]:
    if policies.homeless:
        count = counted(len(policies.homeless), "document")
        yield f"{count} without metadata.namespace: read as of the namespace default ({words.listed(policies.homeless)})."


def aimless(policies: Policies, columns: Columns) -> Iterator[str]:
    """Policies that do nothing, as far as anybody knows: more often a mistake than meant."""
    selects: dict[str, bool] = {}
    for section in policies.sections:
        name = section.origin.partition(" ")[0]
        selects[name] = selects.get(name, False) or bool(columns.of(section.subject).any())
    found = [name for name, known in selects.items() if not known]
    if found:
        select = "selects" if len(found) == 1 else "select"
        counts = f"{counted(len(found), 'policy', 'policies')} of {len(selects):,}"
        yield f"{counts} {select} no pod that is known: {words.listed(found)}."


def outcome(found: pa.Table) -> Iterator[str]:
    unjudged = found.filter(pc.is_in(found["finding"], pa.array([one.value for one in UNJUDGED])))
    for finding, meaning in MEANING.items():
        rows = found.filter(pc.equal(found["finding"], finding.value))
        if rows.num_rows:
            yield f"{meaning}: {_counts(rows.num_rows, rows)}."
        elif finding is Finding.DENIED and unjudged.num_rows:
            counts = _counts(unjudged.num_rows, unjudged)
            yield f"Nothing is known to work that would be denied; not judged: {counts}."
        elif finding is Finding.DENIED:
            yield "Nothing that works would be denied."


def _edges(rows: pa.Table) -> int:
    """Of workloads, as people count them, not of pods."""
    return len(pc.unique(workload_edges(rows)))


def _counts(edges: int, rows: pa.Table) -> str:
    connections = int(pc.sum(rows["connections"]).as_py() or 0)
    return f"{counted(edges, 'edge')} ({counted(connections, 'connection')})"


def _time(time: object) -> str:
    return f"{time:%Y-%m-%d %H:%M:%S} UTC"
