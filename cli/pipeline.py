"""From collected batches to the lake, a round at a time: what `collect` into a lake and `enrich` have in common."""

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cli.kept import keep
from cli.knowing import Knowledge

if TYPE_CHECKING:
    import pyarrow as pa

    from store.lake import Lake

log = logging.getLogger("tailrace.pipeline")

# In the order of their commits: a resolution that is told twice is known by its id, a transaction that is told never is lost.
WRITTEN = ("resolutions", "flows", "dns", "coverage")
# A round is ended early rather than kept in memory; three rounds are, at a time.
MOST_ROWS = 500_000
MOST_BYTES = 256 << 20


@dataclass
class RoundCounts:
    """``lag_seconds``: of the last round, how old the newest record was of the node that is furthest behind."""

    rounds: int = 0
    seconds: float = 0.0
    records: dict[str, int] = field(default_factory=dict)
    lag_seconds: float | None = None


class Pipeline:
    def __init__(self, lake: "Lake", known: Knowledge, now: Callable[[], datetime]) -> None:
        from enricher.recall import recall
        from enricher.rounds import Rounds

        self.statistics = RoundCounts()
        self._lake, self._known, self._now = lake, known, now
        self._rounds = Rounds(recall(lake, now()))
        # How far the lake is with each part; and how far nothing of it is added again.
        self._stored: dict[str, dict[str, int | None]] = {table: {} for table in WRITTEN}
        self._done: dict[str, dict[str, int]] = {table: {} for table in WRITTEN}

    @property
    def rows_waiting(self) -> int:
        return self._rounds.rows

    @property
    def is_full(self) -> bool:
        return self._rounds.newest_rows > MOST_ROWS or self._rounds.newest_octets > MOST_BYTES

    def add(self, table: str, batch: "pa.RecordBatch") -> None:
        self._rounds.add(table, batch)

    def add_from(self, part: str, place: int, table: str, batch: "pa.RecordBatch") -> None:
        """What stands at ``place`` of a part of the transport; what the lake has of it already is not added again."""
        if place >= self._done[table].get(part, 0):
            self._rounds.add(table, batch, part)

    def mark(self, places: Mapping[str, int]) -> None:
        """All of each part before its place was added, or is nothing to be added."""
        for part, place in places.items():
            self._rounds.mark(part, place)

    def take_over(self, parts: Iterable[str]) -> dict[str, int]:
        """Go on where the lake says that these parts were left; from where each is to be read, if the lake knows."""
        from enricher.recall import recall

        begin: dict[str, int] = {}
        for part in parts:
            versions = {table: self._lake.transaction_version(table, part) for table in WRITTEN}
            for table, version in versions.items():
                self._stored[table][part] = version
                self._done[table][part] = version or 0
            if versions[WRITTEN[0]] == 0 and any(versions.values()):  # a restart that was cut off
                self.restart(part)
                versions = dict.fromkeys(WRITTEN, 0)
            if any(version is not None for version in versions.values()):
                begin[part] = min(version or 0 for version in versions.values())
        self._rounds.remember(recall(self._lake, self._now()))
        return begin

    def restart(self, part: str) -> None:
        """What the lake knows of it was of another by its name: all is new, also to whoever starts after this."""
        from contract.tables import TABLES

        self._rounds.unmark(part)
        for table in WRITTEN:
            nothing = TABLES[table].schema.empty_table()
            self._lake.append({table: nothing}, {part: 0}, {part: self._stored[table].get(part)})
            self._stored[table][part] = self._done[table][part] = 0

    def hand_over(self, parts: Iterable[str]) -> None:
        """Another goes on with these: what is not in the lake of them will arrive there."""
        self._rounds.forget(frozenset(parts))

    def turn(self) -> Mapping[str, int]:
        """End a round; the marks of what is in the lake now."""
        from enricher.told import beside

        began = time.monotonic()
        keep(self._known.drain(), self._lake, self._known.is_dump)
        given = self._rounds.turn(self._known.directory())
        enriched = beside(given.enriched, self._lake)
        tables = {
            "resolutions": enriched.resolutions,
            "flows": enriched.flows,
            "dns": enriched.dns,
            "coverage": given.coverage,
        }
        for table in WRITTEN:
            self._write(table, tables[table], given.marks)
        self._count(tables, time.monotonic() - began)
        return given.marks

    def end(self) -> None:
        """Give all that waits."""
        while self._rounds.rows:
            self.turn()

    def _write(self, table: str, rows: "pa.Table", marks: Mapping[str, int]) -> None:
        done, stored = self._done[table], self._stored[table]
        ahead = {part: place for part, place in marks.items() if place > done.get(part, 0)}
        is_told = table == "resolutions" and marks  # made anew of what was added already, in a round that was cut off
        if ahead or (rows.num_rows and not is_told):
            self._lake.append({table: rows}, ahead, {part: stored.get(part) for part in ahead})
            done.update(ahead)
            stored.update(ahead)

    def _count(self, tables: Mapping[str, "pa.Table"], seconds: float) -> None:
        import pyarrow.compute as pc

        counts = self.statistics
        counts.rounds += 1
        counts.seconds += seconds
        for table, rows in tables.items():
            counts.records[table] = counts.records.get(table, 0) + rows.num_rows
        newest = tables["flows"].group_by("node").aggregate([("end_time", "max")])["end_time_max"]
        furthest = pc.min(newest).as_py()
        counts.lag_seconds = None
        if furthest is not None:
            counts.lag_seconds = max(0.0, (self._now() - furthest.astimezone(UTC)).total_seconds())
        log.debug("round", extra={table: rows.num_rows for table, rows in tables.items()} | {"seconds": seconds})
