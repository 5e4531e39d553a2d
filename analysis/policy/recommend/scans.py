"""Which edges are part of a scan: the closed doors of who tried many, and the open ones that it found on the way."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from analysis.policy.endpoints import Mask, Numbers
from analysis.policy.history import History

TCP = 6
# So many doors that refused or kept silent make a scan, as for the question ``security/scans``.
LEAST_DOORS = 20
# A ping comes before the scan, and an answer ends after it.
SLACK_US = 60_000_000


def scanned(history: History) -> Mask:
    """Rows of history. An open door counts where it was tried no more often than the closed ones, and only meanwhile."""
    found = np.zeros(history.rows.num_rows, np.bool_)
    closed = _closed(history)
    for rows in _by_src(history.edges.src, closed):
        doors = rows[closed[rows]]
        if _count(history, doors) >= LEAST_DOORS:
            found[doors] = True
            found[_opened(history, rows[~closed[rows]], doors)] = True
    return found


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
    tries = history.rows["connections"].to_numpy()
    meanwhile = (first[rows] >= first[doors].min() - SLACK_US) & (last[rows] <= last[doors].max() + SLACK_US)
    dst, port = history.edges.dst, history.edges.port
    near = np.isin(dst[rows], dst[doors]) | np.isin(port[rows], port[doors])
    return np.asarray(rows[meanwhile & near & (tries[rows] <= tries[doors].max())])


def _times(history: History, name: str) -> Numbers:
    return np.asarray(history.rows[name].cast(pa.int64()).to_numpy())
