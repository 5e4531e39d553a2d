"""What history saw between two ends."""

from collections.abc import Iterable

import numpy as np
import pyarrow as pa

from analysis.policy.endpoints import Mask
from analysis.policy.findings import COUNTS, SUMS
from analysis.policy.history import History
from analysis.policy.lookup import matching, split
from analysis.policy.ports import Span

SEEN = pa.schema([("protocol", pa.int16()), ("port", pa.int32()), *COUNTS])


def seen(history: History, src: str, dst: str, spans: Iterable[Span]) -> pa.Table:
    """By protocol and port, of those in ``spans``; the ends as ``analysis.policy.lookup`` reads them."""
    target, _ = split(dst)
    from_rows, to_rows = (matching(text, history.endpoints) for text in (src, target))
    between = np.isin(history.edges.src, from_rows) & np.isin(history.edges.dst, to_rows)
    rows = history.rows.filter(pa.array(between & _within(history, spans)))
    sums = [(name, SUMS.get(name, "sum")) for name in COUNTS.names]
    groups = rows.group_by(["protocol", "port"], use_threads=False).aggregate(sums)
    found = {"protocol": groups["protocol"], "port": groups["port"]}
    found |= {name: groups[f"{name}_{how}"] for name, how in sums}
    return pa.table(found).cast(SEEN).sort_by([("protocol", "ascending"), ("port", "ascending")])


def _within(history: History, spans: Iterable[Span]) -> Mask:
    protocol, port = history.edges.protocol, history.edges.port
    masks = [(protocol == span.protocol) & (span.first <= port) & (port <= span.last) for span in spans]
    return np.asarray(np.logical_or.reduce([np.zeros(len(protocol), np.bool_), *masks]))
