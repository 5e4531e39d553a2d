"""Services and their endpoints, kept up to date event by event, and for a grace time after they went away."""

import json
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zlib import crc32

import pyarrow as pa
import pyarrow.compute as pc

from contract.errors import InputError
from enricher.directory import ENDPOINTS, FRONTS, PORTS
from enricher.item import Item
from enricher.services import service_tables, slices_of

# Records wait for their round, and long connections are written every five minutes: they find the endpoint they went to.
GRACE = timedelta(minutes=6)
# Slices and Services that are gone and still known, at most; the first to go is given up first, and counted.
MOST_GONE = 20_000
# Services are turned into Arrow by groups, so that a change costs one group.
GROUPS = 256

ServiceName = tuple[str | None, str]
Addresses = tuple[str, ...]


@dataclass
class Tables:
    """``endpoints`` and ``fronts`` refer to ``ports`` by row number."""

    ports: pa.Table = field(default_factory=PORTS.empty_table)
    fronts: pa.Table = field(default_factory=FRONTS.empty_table)
    endpoints: pa.Table = field(default_factory=ENDPOINTS.empty_table)


@dataclass
class Known:
    """One Service, its ``uid`` NULL once it is deleted; ``gone`` are slices of endpoints that are no longer."""

    uid: str | None = None
    service: str | None = None
    slices: dict[str, str] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)


class Backends:
    """``refused`` counts readings of Services that made no sense, ``given_up`` what was forgotten because of ``MOST_GONE``."""

    def __init__(self) -> None:
        self._known: dict[ServiceName, Known] = {}
        self._names: dict[str, ServiceName] = {}
        self._gone: deque[tuple[datetime, ServiceName, str | None]] = deque()
        self._groups: list[dict[ServiceName, None]] = [{} for _ in range(GROUPS)]
        self._tables: list[Tables | None] = [Tables()] * GROUPS
        self.refused = 0
        self.given_up = 0

    def put_service(self, uid: str, name: ServiceName, document: str) -> None:
        known = self._of(name)
        known.uid, known.service = uid, document
        self._names[uid] = name

    def put_slice(self, uid: str, document: str, now: datetime) -> None:
        item = _item(document)
        name = next(iter(slices_of([item])), None)
        if self._names.get(uid, name) != name:
            self.drop(uid, now)
        if name is not None:
            still = {_addresses(endpoint) for endpoint in item.children("endpoints")}
            self._linger(name, uid, still, now)
            self._of(name).slices[uid] = document
            self._names[uid] = name

    def drop(self, uid: str, now: datetime) -> None:
        """A Service or a slice that is gone."""
        name = self._names.pop(uid, None)
        if name is None:
            return
        known = self._of(name)
        if known.uid == uid:
            known.uid = None
            self._gone.append((now + GRACE, name, None))
        elif uid in known.slices:
            self._linger(name, uid, set(), now)
            del known.slices[uid]

    def forget(self, now: datetime) -> None:
        """What went away too long ago, and what is too much."""
        while self._gone and (self._gone[0][0] < now or len(self._gone) > MOST_GONE):
            until, name, document = self._gone.popleft()
            self.given_up += until >= now
            known = self._of(name)
            if document is not None:
                known.gone.remove(document)
            elif known.uid is None:
                known.service = None
            if not (known.service or known.slices or known.gone):
                del self._known[name]
                del self._groups[_group(name)][name]

    def tables(self) -> tuple[Tables, bool]:
        """Of all Services, and whether anything has changed since the last call."""
        changed = [number for number, tables in enumerate(self._tables) if tables is None]
        for number in changed:
            self._tables[number] = self._read(self._groups[number])
        return _joined([tables for tables in self._tables if tables is not None]), bool(changed)

    def _of(self, name: ServiceName) -> Known:
        self._tables[_group(name)] = None
        self._groups[_group(name)][name] = None
        return self._known.setdefault(name, Known())

    def _linger(self, name: ServiceName, uid: str, still: set[Addresses], now: datetime) -> None:
        """Endpoints of a slice that it will have no longer."""
        known = self._of(name)
        left = _left(known.slices[uid], still) if uid in known.slices else None
        if left is not None:
            known.gone.append(left)
            self._gone.append((now + GRACE, name, left))

    def _read(self, names: Iterable[ServiceName]) -> Tables:
        known = [self._known[name] for name in names]
        try:
            return _tables(known)
        except (InputError, RecursionError):
            return _joined(list(self._readable(known)))

    def _readable(self, known: list[Known]) -> Iterator[Tables]:
        for one in known:
            try:
                yield _tables([one])
            except (InputError, RecursionError):
                self.refused += 1


def _tables(known: list[Known]) -> Tables:
    services = [_item(one.service) for one in known if one.service]
    slices = [_item(document) for one in known for document in (*one.slices.values(), *one.gone)]
    return Tables(*service_tables({"Service": services, "EndpointSlice": slices}))


def _joined(parts: list[Tables]) -> Tables:
    """One after the other, with row numbers moved on."""
    fronts, endpoints, row = [FRONTS.empty_table()], [ENDPOINTS.empty_table()], 0
    for part in parts:
        fronts.append(_moved(part.fronts, row))
        endpoints.append(_moved(part.endpoints, row))
        row += part.ports.num_rows
    ports = pa.concat_tables([PORTS.empty_table(), *(part.ports for part in parts)])
    return Tables(ports, pa.concat_tables(fronts), pa.concat_tables(endpoints))


def _moved(table: pa.Table, rows: int) -> pa.Table:
    if not table.num_rows or not rows:
        return table
    return table.set_column(0, table.schema.field(0), pc.add(table["port_id"], rows))


def _group(name: ServiceName) -> int:
    return crc32(f"{name[0]}/{name[1]}".encode()) % GROUPS


def _item(document: str) -> Item:
    return Item(json.loads(document), "the API", "")


def _left(document: str, still: set[Addresses]) -> str | None:
    """The slice with only those endpoints that it has no longer, none of them ready."""
    item = _item(document)
    lost = [endpoint.raw_object() for endpoint in item.children("endpoints") if _addresses(endpoint) not in still]
    endpoints = [endpoint | {"conditions": {"ready": False}} for endpoint in lost]
    return json.dumps(item.raw_object() | {"endpoints": endpoints}, separators=(",", ":")) if lost else None


def _addresses(endpoint: Item) -> Addresses:
    return tuple(endpoint.addresses("addresses"))
