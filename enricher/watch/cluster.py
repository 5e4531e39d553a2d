"""A cluster in memory, only the fields that are used, as lists and events tell it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any

import pyarrow as pa

from contract.errors import InputError
from contract.objects import OBJECTS
from enricher.directory import Directory
from enricher.holders import (
    RANGED,
    bridge_rows,
    claimed_rows,
    networks,
    node_rows,
    pod_rows,
    service_rows,
    terminated,
    zone_of,
)
from enricher.item import Item
from enricher.objects import object_rows
from enricher.watch.backends import Backends
from enricher.watch.holdings import Claim, Holdings
from enricher.watch.resources import Resource
from enricher.workloads import OWNED, Named, Owners

# The lake gets a whole reading of the cluster's objects this often, if anything has changed.
READ_EVERY = timedelta(minutes=10)
# An owner, or a node, is known for so long after it is gone, and so many of them: its pods go after it.
LEAVING = timedelta(minutes=15)
MOST_LEAVING = 50_000
# When a reading was made is set when it is drained.
UNSEEN = datetime(1970, 1, 1, tzinfo=UTC)
# How JSON begins the half of a character, one that has the other half beside it too.
SURROGATE = "\\ud"
# A deadline, not an end: the pod has its address until it is gone.
DEADLINE = "deletionTimestamp"


@dataclass(frozen=True, slots=True)
class Kept:
    """One object: its identity, and its row of the objects table as far as it has one."""

    kind: str
    namespace: str | None
    name: str
    document: str

    @property
    def named(self) -> Named:
        return self.kind, self.namespace, self.name


FIELDS = ("kind", "namespace", "name", "document")


@dataclass(frozen=True)
class Drained:
    """What the lake does not have yet; ``objects`` is a whole reading or empty."""

    assignments: pa.Table
    objects: pa.Table


class Cluster:
    """Takes what several threads tell it; ``refused`` counts objects that make no sense, ``fault`` is the last one's."""

    def __init__(self, name: str | None) -> None:
        self._name = name
        self._lock = Lock()
        self._objects: dict[Resource, dict[str, Kept]] = {}
        self._holdings = Holdings(name)
        self._backends = Backends()
        self._owners = Owners({})
        self._zones: dict[str, str | None] = {}
        # Objects that are not known yet by the pods that hang on them, and the other way round.
        self._awaited: dict[Named, set[str]] = {}
        self._waiting: dict[str, set[Named]] = {}
        self._leaving: dict[Named, datetime] = {}
        self._recalled: dict[str, set[str]] = {}
        self._ranges: dict[str, list[str]] = {}
        self._directory = Directory.empty(name)
        self._are_ranges_new = False
        self._is_reading_new = False
        self._read_time: datetime | None = None
        self.refused = 0
        self.fault: str | None = None

    def put(self, resource: Resource, version: str | None, raw: Mapping[str, Any], now: datetime) -> str | None:
        """The object's uid, if it makes sense; what was known of it stays if not."""
        try:
            item = Item(_stated(resource, version, raw), "the API", resource.kind)
            kept, uid = _kept(resource.kind, item), item.needed("metadata.uid")
            with self._lock:
                if kept is not None:
                    self._put(resource, uid, kept, item, now)
        except (InputError, OverflowError, RecursionError) as error:
            with self._lock:
                self.refused += 1
                self.fault = str(error)
            return None
        return uid

    def end(self, resource: Resource, version: str | None, raw: Mapping[str, Any], now: datetime) -> str | None:
        """``raw`` is the object as it was last; it is gone even where that makes no sense."""
        taken = self.put(resource, version, raw, now)
        uid = taken or uid_of(raw)
        self.drop(resource, uid, now)
        return taken

    def drop(self, resource: Resource, uid: str, now: datetime) -> None:
        with self._lock:
            kept = self._objects.get(resource, {}).pop(uid, None)
            if kept is not None:
                self._drop(uid, kept, now)

    def keep_only(self, resource: Resource, uids: set[str], now: datetime) -> None:
        """After a complete list: what is not on it went away unseen."""
        with self._lock:
            gone = self._objects.get(resource, {}).keys() - uids
            for uid in self._recalled.pop(resource.kind.lower(), set()) - uids:
                self._holdings.release(uid, now)
        for uid in gone:
            self.drop(resource, uid, now)

    def recall(self, assignments: pa.Table, now: datetime) -> None:
        """What the lake says was held, before anything is listed: what is not listed then went away meanwhile."""
        with self._lock:
            self._recalled = self._holdings.recall(assignments, now)

    def snapshot(self, now: datetime) -> Directory:
        """The cluster as it is and was; the same object as long as nothing changes."""
        with self._lock:
            self._forget(now)
            assignments, is_new = self._holdings.table()
            services, are_new = self._backends.tables()
            if is_new or are_new or self._are_ranges_new:
                self._are_ranges_new = False
                self._directory = Directory(
                    cluster=self._name,
                    assignments=assignments.combine_chunks(),
                    ports=services.ports.combine_chunks(),
                    fronts=services.fronts.combine_chunks(),
                    endpoints=services.endpoints.combine_chunks(),
                    ranges=tuple(sorted({network for several in self._ranges.values() for network in several})),
                )
            return self._directory

    def drain(self, now: datetime, is_current: bool = True) -> Drained:
        """Assignments that are new or ended since the last call; objects every READ_EVERY, as they are now or not at all."""
        with self._lock:
            is_due = is_current and (self._read_time is None or now - self._read_time >= READ_EVERY)
            objects = OBJECTS.schema.empty_table()
            if is_due and self._is_reading_new:
                objects = self._reading(now)
                self._read_time, self._is_reading_new = now, False
            return Drained(self._holdings.drain(), objects)

    def counts(self) -> dict[str, int]:
        """What is held, and what was given up because of a bound."""
        with self._lock:
            return {
                "objects": sum(map(len, self._objects.values())),
                "holdings": len(self._holdings),
                "holdings_forgotten": self._holdings.forgotten,
                "endpoints_forgotten": self._backends.given_up,
                "services_refused": self._backends.refused,
                "objects_refused": self.refused,
            }

    def _put(self, resource: Resource, uid: str, kept: Kept, item: Item, now: datetime) -> None:
        objects = self._objects.setdefault(resource, {})
        is_changed = objects.get(uid) != kept
        if resource.kind == "Pod":
            self._put_pod(uid, item, now)
        elif is_changed:
            self._learn(uid, kept, item, now)
        if is_changed:
            self._is_reading_new = True
            objects[uid] = kept

    def _put_pod(self, uid: str, item: Item, now: datetime) -> None:
        rows, claimed = pod_rows(item, self._owners, self._zones), claimed_rows(item, self._owners, self._zones)
        self._holdings.hold(Claim(uid, rows, claimed, terminated(item)), now)
        self._wait_for(self._owners.lacking(item), uid)
        node = item.text("spec.nodeName")
        self._wait_for(("Node", None, node) if node and node not in self._zones else None, uid)

    def _wait_for(self, named: Named | None, uid: str) -> None:
        if named is not None:
            self._awaited.setdefault(named, set()).add(uid)
            self._waiting.setdefault(uid, set()).add(named)

    def _wait_no_longer(self, uid: str) -> None:
        for named in self._waiting.pop(uid, ()):
            awaited = self._awaited.get(named, set())
            awaited.discard(uid)
            if not awaited:
                self._awaited.pop(named, None)

    def _learn(self, uid: str, kept: Kept, item: Item, now: datetime) -> None:
        if kept.kind in RANGED:
            self._ranges[uid] = networks(kept.kind, item)
            self._are_ranges_new = True
        self._leaving.pop(kept.named, None)
        if kept.kind == "Node":
            self._holdings.hold(Claim(uid, node_rows(item), bridge_rows(item)), now)
            self._zones[kept.name] = zone_of(item)
            self._tell(kept.named, zone=zone_of(item))
        elif kept.kind == "Service":
            self._holdings.hold(Claim(uid, service_rows(item), []), now)
            self._backends.put_service(uid, (kept.namespace, kept.name), kept.document)
        elif kept.kind == "EndpointSlice":
            self._backends.put_slice(uid, kept.document, now)
        elif kept.kind in OWNED:
            kind, name = self._owners.learn(kept.kind, item)
            self._tell(kept.named, workload_kind=kind, workload=name)

    def _tell(self, named: Named, **told: str | None) -> None:
        """Those who came before what they hang on."""
        for uid in self._awaited.pop(named, ()):
            self._holdings.relabel(uid, **told)
            self._waiting[uid].discard(named)
            if not self._waiting[uid]:
                del self._waiting[uid]

    def _drop(self, uid: str, kept: Kept, now: datetime) -> None:
        self._wait_no_longer(uid)
        self._is_reading_new = True
        self._holdings.release(uid, now)
        self._backends.drop(uid, now)
        self._are_ranges_new |= self._ranges.pop(uid, None) is not None
        if kept.kind in (*OWNED, "Node"):
            self._leaving[kept.named] = now

    def _forget(self, now: datetime) -> None:
        """An owner goes before its pods do."""
        self._holdings.forget(now)
        self._backends.forget(now)
        while self._leaving:
            named, left = next(iter(self._leaving.items()))
            if left >= now - LEAVING and len(self._leaving) <= MOST_LEAVING:
                return
            del self._leaving[named]
            self._owners.forget(named)
            if named[0] == "Node":
                self._zones.pop(named[2], None)

    def _reading(self, now: datetime) -> pa.Table:
        objects = [kept for several in self._objects.values() for kept in several.values()]
        columns = {name: [getattr(kept, name) for kept in objects] for name in FIELDS}
        columns |= {"cluster": [self._name] * len(objects), "seen_time": [now] * len(objects)}
        arrays = [pa.array(columns[field.name], field.type) for field in OBJECTS.schema]
        return pa.Table.from_arrays(arrays, schema=OBJECTS.schema)


def uid_of(raw: Mapping[str, Any]) -> str:
    """Also of an object that makes no sense otherwise."""
    metadata = raw.get("metadata")
    uid = metadata.get("uid") if isinstance(metadata, dict) else None
    return uid if isinstance(uid, str) else ""


def _stated(resource: Resource, version: str | None, raw: Mapping[str, Any]) -> dict[str, Any]:
    """As if it stood alone: entries of a list do not say what they are."""
    metadata = raw.get("metadata")
    if isinstance(metadata, dict):
        metadata = {key: value for key, value in metadata.items() if key != DEADLINE}
    return {"apiVersion": version, **raw, "kind": resource.kind, "metadata": metadata}


def _is_unicode(document: str) -> bool:
    """JSON can name the halves of a character alone, which no table can hold."""
    try:
        json.dumps(json.loads(document), ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _kept(kind: str, item: Item) -> Kept | None:
    row = next(object_rows([(kind, item)], None, UNSEEN), None)
    if row and SURROGATE in row["document"] and not _is_unicode(row["document"]):
        raise item.wrong("", "has half a character in it")
    return Kept(*(row[name] for name in FIELDS)) if row else None
