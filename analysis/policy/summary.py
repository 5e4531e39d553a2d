"""A replay in words: what was judged, how much of it was seen, and what came out."""

from collections.abc import Iterable, Iterator

import pyarrow as pa
import pyarrow.compute as pc

from analysis.policy import words
from analysis.policy.findings import Finding
from analysis.policy.grouping import workload_edges
from analysis.policy.history import History

MEANING = {
    Finding.DENIED: "Would be denied",
    Finding.DENIED_FAILED: "Would be denied, but was never answered as it is",
    Finding.UNDECIDED: "Up to the network plugin",
    Finding.UNRESOLVED: "Not judged, as the pod behind the Service is unknown",
}


def judged(history: History) -> str:
    window = history.window
    span = f"{_time(window.since)} to {_time(window.until)} ({words.length((window.until - window.since).total_seconds())})"
    return f"From {span}: {_counts(_edges(history.rows), history.rows)} judged."


def doubts(history: History) -> Iterator[str]:
    """What the names of the lake leave open."""
    ambiguous = history.rows.filter(pc.greater(history.rows["ambiguous"], 0))
    if ambiguous.num_rows:
        count = int(pc.sum(ambiguous["ambiguous"]).as_py())
        yield f"Of {words.counted(count, 'connection')} an end is ambiguous: several owners fit; the latest was taken."
    unknown = history.rows.filter(pc.or_(pc.is_null(history.rows["src_kind"]), pc.is_null(history.rows["dst_kind"])))
    if unknown.num_rows:
        counts = _counts(_edges(unknown), unknown)
        yield f"An end of {counts} has no name in the lake; only its address was judged, as one outside."


def outcome(found: pa.Table) -> Iterator[str]:
    for finding, meaning in MEANING.items():
        rows = found.filter(pc.equal(found["finding"], finding.value))
        if rows.num_rows:
            yield f"{meaning}: {_counts(rows.num_rows, rows)}."
        elif finding is Finding.DENIED:
            yield "Nothing that works would be denied."


def _edges(rows: pa.Table) -> int:
    """Of workloads, as people count them, not of pods."""
    return len(pc.unique(workload_edges(rows)))


def _counts(edges: int, rows: pa.Table) -> str:
    connections = int(pc.sum(rows["connections"]).as_py() or 0)
    return f"{words.counted(edges, 'edge')} ({words.counted(connections, 'connection')})"


def _time(time: object) -> str:
    return f"{time:%Y-%m-%d %H:%M:%S} UTC"


def lines(history: History, missed: Iterable[str], found: pa.Table) -> list[str]:
    return [judged(history), *missed, *doubts(history), *outcome(found)]
