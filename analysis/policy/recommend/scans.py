"""Which edges are part of a scan: the closed doors of who tried many, and the open ones that it found on the way."""

import math
from collections.abc import Iterator
from datetime import timedelta

import numpy as np
import pyarrow as pa

from analysis.policy.endpoints import Mask, Numbers
from analysis.policy.history import History

TCP = 6
# So many doors that refused or kept silent make a scan, as for the question ``security/scans``.
LEAST_DOORS = 20
# A door that is tried more often in a day is a dead target of somebody who goes on trying, a scraper of metrics for one.
MOST_TRIES = 5
# Behind an open door a scan stays no longer, and takes no more from each connection.
LONGEST_US = 60_000_000
MOST_BYTES = 1 << 16
# A ping comes before the scan, and an answer ends after it.
SLACK_US = 60_000_000


def scanned(history: History) -> Mask:
    """Rows of history: the doors that did not open, and what was tried alike meanwhile and did."""
    found = np.zeros(history.rows.num_rows, np.bool_)
    few = _few(history)
    closed = few & _closed(history)
    for rows in _by_src(history.edges.src, closed):
        doors = rows[closed[rows]]
        if _count(history, doors) >= LEAST_DOORS:
            found[doors] = True
            others = rows[few[rows] & ~closed[rows]]
            found[_opened(history, others, doors)] = True
    return found


def _few(history: History) -> Mask:
    days = max(1, math.ceil((history.window.until - history.window.since) / timedelta(days=1)))
    return np.asarray(history.rows["connections"].to_numpy() <= MOST_TRIES * days)


def _closed(history: History) -> Mask:
    failed = history.rows["failed"].to_numpy() == history.rows["connections"].to_numpy()
    return np.asarray(failed & (history.edges.protocol == TCP))


def _by_src(src: Numbers, closed: Mask) -> Iterator[Numbers]:
    """The rows of each src that has closed doors enough."""
    suspects = np.flatnonzero(np.bincount(src[closed], minlength=1) >= LEAST_DOORS)
    near = np.flatnonzero(np.isin(src, suspects))
    ordered = near[np.argsort(src[near], kind="stable")]
    starts = np.flatnonzero(np.diff(src[ordered])) + 1
    return iter(np.split(ordered, starts)) if len(ordered) else iter(())


def _count(history: History, doors: Numbers) -> int:
    """One address behind several names is one door."""
    addresses = history.rows["dst_address"].take(pa.array(doors)).to_pylist()
    return len(set(zip(addresses, history.edges.port[doors].tolist(), strict=True)))


def _opened(history: History, rows: Numbers, doors: Numbers) -> Numbers:
    first, last = (_times(history, name) for name in ("first_seen", "last_seen"))
    meanwhile = (first[rows] >= first[doors].min() - SLACK_US) & (last[rows] <= last[doors].max() + SLACK_US)
    dst, port = history.edges.dst, history.edges.port
    near = np.isin(dst[rows], dst[doors]) | np.isin(port[rows], port[doors])
    return np.asarray(rows[meanwhile & near & _brief(history, rows, last[rows] - first[rows])])


def _brief(history: History, rows: Numbers, lasted: Numbers) -> Mask:
    connections, size = (history.rows[name].to_numpy()[rows] for name in ("connections", "bytes"))
    return np.asarray((size <= MOST_BYTES * connections) & (lasted <= LONGEST_US * connections))


def _times(history: History, name: str) -> Numbers:
    return np.asarray(history.rows[name].cast(pa.int64()).to_numpy())
