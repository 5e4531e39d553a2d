"""What a lake tells of a cluster: who held which address, and its Services and ranges from one reading to the next."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

import duckdb
import pyarrow as pa

from contract.assignments import ASSIGNMENTS
from enricher.directory import Directory
from enricher.holders import ranges
from enricher.item import Item
from enricher.services import service_tables
from enricher.sql import connect, fetch, text


class Lake(Protocol):
    def connect(
        self, since: datetime | None = None, until: datetime | None = None, cluster: str | None = None
    ) -> duckdb.DuckDBPyConnection:
        """The views over the rows of [since, until) and of one cluster; the empty name is for those that tell none."""


@dataclass(frozen=True)
class Period:
    """From ``since`` until before ``until`` the cluster was as ``directory`` has it."""

    since: datetime
    until: datetime
    directory: Directory


class History:
    """A cluster from ``since`` on, as the lake tells it; ``dump`` is one reading more."""

    def __init__(self, lake: Lake, cluster: str, since: datetime, dump: Directory | None = None) -> None:
        self._lake, self._cluster, self._dump = lake, cluster, dump
        self._dumped: datetime | None = dump.objects["seen_time"][0].as_py() if dump else None
        self._times = self._reading_times()
        self._assignments = self._holdings(since)

    @property
    def is_empty(self) -> bool:
        return not self._times

    def periods(self, since: datetime, until: datetime) -> Iterator[Period]:
        """Before the first reading the cluster was as that has it."""
        known = [time for time in self._times if time <= since][-1:] or self._times[:1]
        later = [time for time in self._times if known[0] < time and since < time < until]
        directory, begin = self._directory(known[0]), since
        for time in later:
            newer = self._directory(time)
            if not _same(directory, newer):
                yield Period(begin, time, directory)
                directory, begin = newer, time
        yield Period(begin, until, directory)

    def _reading_times(self) -> list[datetime]:
        with self._lake.connect(cluster=self._cluster) as views:
            times = set(views.sql("select distinct seen_time from objects").to_arrow_table()["seen_time"].to_pylist())
        return sorted(times | ({self._dumped} if self._dumped else set()))

    def _directory(self, time: datetime) -> Directory:
        if self._dump and time == self._dumped:
            return replace(self._dump, assignments=self._assignments)
        with self._lake.connect(time, cluster=self._cluster) as views:
            rows = views.execute(text("reading_objects"), {"seen_time": time}).fetchall()
        objects: dict[str, list[Item]] = {}
        for kind, name, document in rows:
            objects.setdefault(kind, []).append(Item(json.loads(document), "the lake's objects", f"{kind} {name}"))
        ports, fronts, endpoints = service_tables(objects)
        return Directory(self._cluster or None, self._assignments, ports, fronts, endpoints, ranges(objects))

    def _holdings(self, since: datetime) -> pa.Table:
        before = [time for time in self._times if time <= since]
        with self._lake.connect(since, cluster=self._cluster) as views:
            told = [views.sql("select * from assignments").to_arrow_table().cast(ASSIGNMENTS.schema)]
        with self._lake.connect(before[-1] if before else None, cluster=self._cluster) as views:
            seen = [fetch(views, "seen_objects")]
        if self._dump:
            told.append(self._dump.assignments)
            seen.append(_seen(self._dump))
        with connect() as connection:
            connection.register("told", pa.concat_tables(told))
            connection.register("seen", pa.concat_tables(seen))
            return fetch(connection, "holdings").cast(ASSIGNMENTS.schema)


def _seen(dump: Directory) -> pa.Table:
    with connect() as connection:
        connection.register("objects", dump.objects)
        return fetch(connection, "seen_objects")


def _same(one: Directory, other: Directory) -> bool:
    return one.ranges == other.ranges and all(
        getattr(one, name).equals(getattr(other, name)) for name in ("ports", "fronts", "endpoints")
    )
