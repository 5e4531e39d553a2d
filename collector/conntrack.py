"""What the node's connection tracking says of translated connections, put into the flows' columns before they are given."""

import errno
import socket
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from threading import Event, Thread
from types import TracebackType
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from collector.arrays import address_array, number_array
from collector.driver import Batch
from collector.kernels.conntrack import Tracked, walk_conntrack
from collector.kernels.spelling import ADDRESS
from contract.columns import COUNT, TEXT
from contract.flows import FLOWS

MOST = 1 << 17  # connections; beyond them the least recently seen are given up, and counted
MOST_UNREAD = (
    1 << 6
)  # tables of those that were told since the last batch; beyond them the oldest are given up, and counted
MESSAGES = 1 << 18  # octets read at a time: the kernel sends a dump in pieces of 32 KiB at most
ENTRIES = MESSAGES // 64  # a translated connection takes more than that many octets
LATE_US = 2_000_000  # the kernel, and this thread, tell of a connection within this time
EARLY_US = 10_000  # and not before its first packet was seen, but for clocks
TURN_S = 0.25

ADDRESSES = ("src_ip", "dst_ip", "src_nat_ip", "dst_nat_ip")
TRANSLATED = ("src_nat_ip", "src_nat_port", "dst_nat_ip", "dst_nat_port")
TUPLE = ("src_ip", "src_port", "dst_ip", "dst_port", "protocol")
KNOWN = pa.schema([("key", TEXT), ("from_us", COUNT), *(FLOWS.schema.field(name) for name in TRANSLATED)])


class Translations:
    """The translated connections that were told, the latest of each tuple last. Not for several threads."""

    def __init__(self, most: int = MOST) -> None:
        self.given_up = 0
        self._most = most
        self._known = KNOWN.empty_table()
        self._seen = np.zeros(0, np.int64)

    def __len__(self) -> int:
        return int(self._known.num_rows)

    def add(self, told: pa.Table) -> None:
        """Of ``KNOWN``."""
        self._seen = np.concatenate([self._seen, told["from_us"].to_numpy()])
        self._known = pa.concat_tables([self._known, told]).combine_chunks()
        beyond = len(self) - self._most
        if beyond > 0:
            kept = np.sort(np.argsort(self._seen, kind="stable")[beyond:])
            self._known, self._seen = self._known.take(pa.array(kept)), self._seen[kept]
            self.given_up += beyond

    def complete(self, flows: pa.RecordBatch) -> pa.RecordBatch:
        """The flows of ``FLOWS.collected`` with what their tuples became."""
        if not len(self) or not flows.num_rows:
            return flows
        place = self._places(flows)
        found = place >= 0
        self._seen[place[found]] = np.maximum(self._seen[place[found]], _microseconds(flows, "end_time")[found])
        taken = self._known.select(TRANSLATED).take(pa.array(place, mask=~found)).combine_chunks()
        columns = [taken[name].combine_chunks() if name in TRANSLATED else flows[name] for name in flows.schema.names]
        return pa.record_batch(columns, schema=flows.schema)

    def _places(self, flows: pa.RecordBatch) -> np.ndarray:
        """For each flow the row of its connection, or -1: of its tuple the first that was told when it started, or else
        the last that had begun by then."""
        keys = pa.concat_arrays([self._known["key"].combine_chunks(), _keys(flows)]).dictionary_encode()
        codes = keys.indices.to_numpy().astype(np.int64)
        start, begun = _microseconds(flows, "start_time"), self._known["from_us"].to_numpy()
        last = _beside(codes, begun, start + LATE_US, is_after=False)
        first = _beside(codes, begun, start - EARLY_US, is_after=True)
        started = flows["started"].fill_null(False).to_numpy(zero_copy_only=False)
        is_first = started & (first >= 0) & (begun[first] <= start + LATE_US)
        return np.where(is_first, first, last)


def _beside(codes: np.ndarray, begun: np.ndarray, asked: np.ndarray, is_after: bool) -> np.ndarray:
    """For each time that is asked for the row of ``begun`` that is next to it, or at it, with the same code; -1: none.

    ``codes`` are those of ``begun``, and then of ``asked``.
    """
    farther = np.arange(codes.size) < begun.size
    if not is_after:
        farther = ~farther
    order = np.lexsort((farther, np.concatenate([begun, asked]), codes))
    if is_after:
        order = order[::-1]
    latest = np.maximum.accumulate(np.where(order < begun.size, np.arange(order.size), -1))
    row = np.where(latest >= 0, order[latest], -1)
    place = np.empty(order.size, np.int64)
    place[order] = np.where((row >= 0) & (codes[row] == codes[order]), row, -1)
    return place[begun.size :]


class Tracking:
    """Reads ``opened`` (``sources/conntrack.py``) in a thread; ``lost`` counts how often the kernel had no room for more."""

    def __init__(self, opened: socket.socket, wall: Callable[[], int], missed: Callable[[int, int], None]) -> None:
        """``missed`` is told ``lost``, and how many connections were given up, when there were more since it was told."""
        self.translations = Translations()
        self._missed, self._told_missed = missed, (0, 0)
        self.lost = 0
        self.unread = 0  # connections that were given up before anybody asked for them
        self._opened, self._wall = opened, wall
        self._told: deque[pa.Table] = deque()
        self._dumped = False
        self._stop = Event()
        self._thread = Thread(target=self._follow, name="conntrack")

    def __enter__(self) -> Self:
        walk_conntrack(
            np.zeros(1, np.uint8), 0, 0, room(1)
        )  # compiled, where nobody has done so, before anything waits
        self._opened.settimeout(TURN_S)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop.set()
        self._thread.join()
        self._opened.close()

    def complete(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        for table, batch in batches:
            while self._told:
                self.translations.add(self._told.popleft())
            yield table, self.translations.complete(batch) if table == FLOWS.name else batch
            self._tell_missed()

    def _tell_missed(self) -> None:
        missed = self.lost, self.unread + self.translations.given_up
        if missed != self._told_missed:
            self._told_missed = missed
            self._missed(*missed)

    def _follow(self) -> None:
        memory = np.zeros(MESSAGES, np.uint8)
        while not self._stop.is_set():
            try:
                size = self._opened.recv_into(memory.data)
            except TimeoutError:
                continue
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                self.lost += 1
                continue
            self._take(memory, size)

    def _take(self, memory: np.ndarray, size: int) -> None:
        at = 0
        while at < size:
            tracked = room(ENTRIES)
            count, at, ended = walk_conntrack(memory, at, size, tracked)
            if count:
                self._told.append(table_of(tracked, count, self._wall() if self._dumped else 0))
            if len(self._told) > MOST_UNREAD:
                self.unread += self._told.popleft().num_rows
            self._dumped |= bool(ended)


def room(size: int) -> Tracked:
    numbers = {name: np.zeros(size, np.int32) for name in Tracked._fields if name not in ADDRESSES}
    addresses = {name: np.zeros(size, ADDRESS).view(np.recarray) for name in ADDRESSES}
    return Tracked(**addresses, **numbers | {"begun_us": np.zeros(size, np.int64)})


def table_of(tracked: Tracked, count: int, now_us: int) -> pa.Table:
    """``KNOWN`` of the first ``count``; where it was not noted when one began, it was at ``now_us``."""
    columns: dict[str, pa.Array] = {}
    for name, values in tracked._asdict().items():
        field = pa.field(name, pa.int64() if name == "begun_us" else pa.int32())
        columns[name] = address_array(values[:count]) if name in ADDRESSES else number_array(values[:count], field)
    begun = tracked.begun_us[:count]
    columns["from_us"] = pa.array(np.where(begun < 0, now_us, begun))
    columns["key"] = _keys(columns)
    return pa.table([columns[name] for name in KNOWN.names], schema=KNOWN)


def _keys(columns: "pa.RecordBatch | dict[str, pa.Array]") -> pa.Array:
    parts = [pc.fill_null(pc.cast(columns[name], TEXT), "") for name in TUPLE]
    return pc.binary_join_element_wise(*parts, "|")


def _microseconds(flows: pa.RecordBatch, name: str) -> np.ndarray:
    found: np.ndarray = flows[name].cast(COUNT).to_numpy()
    return found
