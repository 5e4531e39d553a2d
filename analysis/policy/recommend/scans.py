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
# A door that is tried more often in a day is a dead target of somebody who goes on trying, a scraper of metrics for one,
# unless src tries more ports of its address: a scan that comes back every hour.
MOST_TRIES = 5
MOST_PORTS_OF_TARGET = 3
# Behind an open door a scan stays no longer, and takes no more from each connection.
LONGEST_US = 60_000_000
MOST_BYTES = 1 << 16
# A ping comes before the scan, and an answer ends after it.
SLACK_US = 60_000_000


def scanned(history: History) -> Mask:
    """Rows of history: the doors that did not open, and what was tried alike meanwhile and did."""
    found = np.zeros(history.rows.num_rows, np.bool_)
    closed = _closed(history)
    for rows in _by_src(history.edges.src, closed):
        doors = _doors(history, rows[closed[rows]])
        if _count(history, doors) >= LEAST_DOORS:
            found[doors] = True
            found[_opened(history, rows[~closed[rows]], doors)] = True
    return found


def _closed(history: History) -> Mask:
    """Of TCP who never got in; of what may well stay without an answer who sent little, and got none."""
    connections, failed, unanswered, size = (
        history.rows[name].to_numpy() for name in ("connections", "failed", "unanswered", "bytes")
    )
    silent = (unanswered == connections) & (size <= MOST_BYTES * connections)
    return np.asarray(np.where(history.edges.protocol == TCP, failed == connections, silent))


def _doors(history: History, closed: Numbers) -> Numbers:
    """Of one src, but for its dead targets."""
    address = history.rows["dst_address"].combine_chunks().take(pa.array(closed)).dictionary_encode().indices.to_numpy()
    ports = np.bincount(np.unique(np.stack([address, history.edges.port[closed]]), axis=1)[0])
    few = _connections(history, closed) <= _most_tries(history)
    return np.asarray(closed[few | (ports[address] > MOST_PORTS_OF_TARGET)])


def _most_tries(history: History) -> int:
    return MOST_TRIES * max(1, math.ceil((history.window.until - history.window.since) / timedelta(days=1)))


def _connections(history: History, rows: Numbers) -> Numbers:
    return np.asarray(history.rows["connections"].to_numpy()[rows])


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
    """What was tried as seldom as the doors, and like them."""
    first, last = (_times(history, name) for name in ("first_seen", "last_seen"))
    meanwhile = (first[rows] >= first[doors].min() - SLACK_US) & (last[rows] <= last[doors].max() + SLACK_US)
    dst, port = history.edges.dst, history.edges.port
    near = np.isin(dst[rows], dst[doors]) | np.isin(port[rows], port[doors])
    connections = _connections(history, rows)
    seldom = connections <= max(_most_tries(history), np.median(_connections(history, doors)))
    small = history.rows["bytes"].to_numpy()[rows] <= MOST_BYTES * connections
    usual = np.median(last[doors] - first[doors]) + SLACK_US
    brief = last[rows] - first[rows] <= np.maximum(LONGEST_US * connections, usual)
    return np.asarray(rows[meanwhile & near & seldom & small & brief])


def _times(history: History, name: str) -> Numbers:
    return np.asarray(history.rows[name].cast(pa.int64()).to_numpy())
