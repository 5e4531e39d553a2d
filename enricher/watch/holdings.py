"""Who holds and held which address, kept up to date event by event.

A dump knows of an end only what the object says; who watches sees the object go. What is said here of a holding: it ends
no later than its object was seen to be gone, and no earlier than its last container terminated. Where the address is handed
on in between, the next holder's start decides (compare the head of ``enricher/holders.py``).
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from zlib import crc32

import pyarrow as pa

from contract.assignments import ASSIGNMENTS
from enricher.holders import SECOND

# An ended holding is known for so long; records that come later find it in the lake only.
KEPT_FOR = timedelta(hours=2)
# Ended holdings that are known at most; the first to end is forgotten first, and counted.
MOST_ENDED = 200_000
# Changes that the lake has not been given; beyond, the oldest are forgotten, and counted.
MOST_UNTOLD = 500_000
# A pod has its address no later than this after its start.
WAITS = timedelta(seconds=30)
# Holdings are turned into Arrow by groups of addresses, so that a change costs one group.
GROUPS = 512

TIMES = ("from_time", "until_time")
TOLD = tuple(name for name in ASSIGNMENTS.schema.names if name not in ("cluster", *TIMES))
KIND, HOST_NETWORK, LABELS = (TOLD.index(name) for name in ("kind", "host_network", "labels"))
SHARED = tuple(TOLD.index(name) for name in ("namespace", "workload_kind", "workload", "node", "zone", "labels"))
# Values that are remembered to be shared; at this many it is begun anew.
MOST_SHARED = 50_000

Row = dict[str, Any]
Told = tuple[Any, ...]


@dataclass(frozen=True)
class Claim:
    """What an object says of the addresses it has."""

    uid: str
    rows: list[Row]
    # These give way to any other holder of the address.
    yielding: list[Row]
    # When the last container terminated.
    terminated: datetime | None = None


@dataclass(slots=True)
class Holding:
    """``told`` is its row, but for cluster and times; ``start`` and ``end`` are what is known of it alone."""

    ip: str
    uid: str
    told: Told
    yields: bool
    seen: datetime
    start: datetime
    end: datetime | None
    terminated: datetime | None
    from_time: datetime
    until_time: datetime | None

    @property
    def is_own(self) -> bool:
        """A pod's alone: what one holder hands on to the next."""
        return self.told[KIND] == "pod" and not self.told[HOST_NETWORK]


class Holdings:
    """``forgotten`` counts what was given up because of ``MOST_ENDED`` and ``MOST_UNTOLD``."""

    def __init__(self, cluster: str | None) -> None:
        self._cluster = cluster
        self._by_ip: dict[str, list[Holding]] = {}
        self._by_uid: dict[str, tuple[Holding, ...]] = {}
        self._ended: deque[Holding] = deque()
        self._groups: list[dict[str, None]] = [{} for _ in range(GROUPS)]
        self._tables: list[pa.Table | None] = [ASSIGNMENTS.schema.empty_table()] * GROUPS
        self._untold: dict[tuple[str, str], Holding] = {}
        self._shared: dict[Any, Any] = {}
        self.forgotten = 0

    def hold(self, claim: Claim, now: datetime) -> None:
        """In place of what the object said before."""
        before = self._by_uid.get(claim.uid, ())
        rows = [(row, False) for row in claim.rows] + [(row, True) for row in claim.yielding]
        held = [self._held(row, yields, claim.terminated, now) for row, yields in rows if _is_recent(row, now)]
        if held:
            self._by_uid[claim.uid] = tuple(held)
        else:
            self._by_uid.pop(claim.uid, None)
        lost = {holding.ip: holding for holding in before}
        for holding in held:
            lost.pop(holding.ip, None)
        for holding in lost.values():
            self._end(holding, now)

    def release(self, uid: str, now: datetime) -> None:
        """The object is gone."""
        for holding in self._by_uid.pop(uid, ()):
            self._end(holding, now)

    def relabel(self, uid: str, **told: str | None) -> None:
        """What another object says of this one's workload or zone."""
        for holding in self._by_uid.get(uid, ()):
            row = list(holding.told)
            for name, value in told.items():
                row[TOLD.index(name)] = value
            self._update(holding, tuple(row), holding.end, holding.terminated)

    def recall(self, assignments: pa.Table, now: datetime) -> dict[str, set[str]]:
        """What the lake has, before anything else is told; gives the objects of each kind that held on then."""
        open_of: dict[str, set[str]] = {}
        for row in assignments.sort_by("until_time").to_pylist():
            if _is_recent(row, now):
                start, end = row["from_time"], row["until_time"]
                holding = Holding(row["ip"], row["uid"], self._told(row), False, start, start, None, None, start, None)
                self._add(holding)
                self._update(holding, holding.told, end, None)
                if end is None:
                    self._by_uid[holding.uid] = (*self._by_uid.get(holding.uid, ()), holding)
                    open_of.setdefault(row["kind"], set()).add(holding.uid)
        self._untold.clear()
        return open_of

    def forget(self, now: datetime) -> None:
        """What ended too long ago, and what is too much."""
        while len(self._untold) > MOST_UNTOLD:
            del self._untold[next(iter(self._untold))]
            self.forgotten += 1
        while self._ended:
            holding = self._ended[0]
            is_old = holding.end is not None and holding.end < now - KEPT_FOR
            if not is_old and len(self._ended) <= MOST_ENDED:
                return
            self._ended.popleft()
            if holding.end is not None:
                self._drop(holding)
                self.forgotten += not is_old

    def table(self) -> tuple[pa.Table, bool]:
        """Every holding that is known, and whether anything has changed since the last call."""
        changed = [number for number, table in enumerate(self._tables) if table is None]
        for number in changed:
            addresses = self._groups[number]
            self._tables[number] = self._table([one for ip in addresses for one in _visible(self._by_ip[ip])])
        return pa.concat_tables(table for table in self._tables if table is not None), bool(changed)

    def drain(self) -> pa.Table:
        """Holdings that are new or have changed since the last call.

        An end that is only concluded from the next holder's start may turn out later: it is not told.
        """
        drained = [
            holding for (ip, _), holding in self._untold.items() if not _is_hidden(holding, self._by_ip.get(ip, ()))
        ]
        self._untold.clear()
        return self._table(drained, [one.until_time if one.end else None for one in drained])

    def __len__(self) -> int:
        return sum(map(len, self._by_ip.values()))

    def _held(self, row: Row, yields: bool, terminated: datetime | None, now: datetime) -> Holding:
        told, start, end = self._told(row), row["from_time"], row["until_time"]
        known = next((one for one in self._by_ip.get(row["ip"], ()) if one.uid == row["uid"]), None)
        if known is None:
            known = Holding(row["ip"], row["uid"], told, yields, now, start, None, terminated, start, None)
            self._add(known)
        known.yields = yields
        self._update(known, told, end, terminated)
        return known

    def _told(self, row: Row) -> Told:
        """What many rows have is kept once: the labels of a workload's pods alone are a third of what a pod takes."""
        values: list[Any] = [row[name] for name in TOLD]
        values[LABELS] = tuple(values[LABELS])
        if len(self._shared) >= MOST_SHARED:
            self._shared.clear()
        for place in SHARED:
            values[place] = self._shared.setdefault(values[place], values[place])
        return tuple(values)

    def _add(self, holding: Holding) -> None:
        self._by_ip.setdefault(holding.ip, []).append(holding)
        self._groups[_group(holding.ip)][holding.ip] = None
        self._untold[holding.ip, holding.uid] = holding
        self._settle(holding.ip)

    def _end(self, holding: Holding, now: datetime) -> None:
        if holding.end is None:
            end = now if now > holding.start else holding.start + SECOND
            self._update(holding, holding.told, end, holding.terminated)

    def _update(self, holding: Holding, told: Told, end: datetime | None, terminated: datetime | None) -> None:
        if (holding.told, holding.end, holding.terminated) == (told, end, terminated):
            return
        if holding.end is None and end is not None:
            self._ended.append(holding)
        is_news = (holding.told, holding.end) != (told, end)
        holding.told, holding.end, holding.terminated = told, end, terminated
        if is_news:
            self._untold[holding.ip, holding.uid] = holding
        self._settle(holding.ip)

    def _settle(self, ip: str) -> None:
        self._tables[_group(ip)] = None
        holdings = self._by_ip.get(ip, ())
        before = [(one.from_time, one.until_time) for one in holdings]
        _hand_over(holdings)
        for holding, times in zip(holdings, before, strict=True):
            if times != (holding.from_time, holding.until_time):
                self._untold[ip, holding.uid] = holding

    def _drop(self, holding: Holding) -> None:
        left = [one for one in self._by_ip.get(holding.ip, ()) if one is not holding]
        group = _group(holding.ip)
        if left:
            self._by_ip[holding.ip] = left
        else:
            self._by_ip.pop(holding.ip, None)
            self._groups[group].pop(holding.ip, None)
        of_object = tuple(one for one in self._by_uid.get(holding.uid, ()) if one is not holding)
        if of_object:
            self._by_uid[holding.uid] = of_object
        else:
            self._by_uid.pop(holding.uid, None)
        self._tables[group] = None

    def _table(self, holdings: Iterable[Holding], until: list[datetime | None] | None = None) -> pa.Table:
        listed = list(holdings)
        told = zip(*(one.told for one in listed), strict=True) if listed else ((),) * len(TOLD)
        columns: dict[str, Any] = dict(zip(TOLD, told, strict=True))
        columns["cluster"] = [self._cluster] * len(listed)
        columns["from_time"] = [one.from_time for one in listed]
        columns["until_time"] = [one.until_time for one in listed] if until is None else until
        arrays = [pa.array(columns[field.name], field.type) for field in ASSIGNMENTS.schema]
        return pa.Table.from_arrays(arrays, schema=ASSIGNMENTS.schema)


def _is_recent(row: Row, now: datetime) -> bool:
    return row["until_time"] is None or row["until_time"] >= now - KEPT_FOR


def _group(ip: str) -> int:
    return crc32(ip.encode()) % GROUPS


def _visible(holdings: list[Holding]) -> list[Holding]:
    return [one for one in holdings if not _is_hidden(one, holdings)] if len(holdings) > 1 else holdings


def _is_hidden(holding: Holding, holdings: Iterable[Holding]) -> bool:
    return holding.yields and any(not one.yields and not one.told[HOST_NETWORK] for one in holdings)


def _hand_over(holdings: Iterable[Holding]) -> None:
    for one in holdings:
        one.from_time, one.until_time = one.start, one.end
    for yields in (False, True):
        own = [one for one in holdings if one.is_own and one.yields == yields]
        for earlier, later in pairwise(sorted(own, key=lambda one: (one.start, one.uid))):
            _hand_on(earlier, later)


def _hand_on(earlier: Holding, later: Holding) -> None:
    """What may belong to both stays with both: the second of a termination, or all that nothing tells apart."""
    end = earlier.end
    if end is None:
        if later.start <= earlier.start:
            return
    elif later.start >= end or (later.end is not None and later.end <= end):
        return
    if earlier.terminated is not None:
        later.from_time = max(later.start, earlier.terminated)
        last = max(later.start, earlier.terminated + SECOND)
    else:
        last = later.start if end is None else max(later.start, min(later.seen, later.start + WAITS))
    earlier.until_time = last if end is None else min(end, last)
