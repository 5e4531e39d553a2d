"""From collected batches to the lake, a round at a time: what `collect` into a lake and `enrich` have in common."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

    from enricher.directory import Directory
    from store.lake import Lake

# In the order of their commits: a resolution that is told twice is known by its id, a transaction that is told never is lost.
WRITTEN = ("resolutions", "flows", "dns", "coverage")


class Pipeline:
    """``directory`` tells the cluster as it is known when a round ends."""

    def __init__(self, lake: "Lake", directory: Callable[[], "Directory"], now: datetime) -> None:
        from enricher.recall import recall
        from enricher.rounds import Rounds

        self.rows_written = 0
        self._lake = lake
        self._directory = directory
        self._rounds = Rounds(recall(lake, now))
        self._done: dict[str, dict[str, int]] = {table: {} for table in WRITTEN}

    @property
    def rows_waiting(self) -> int:
        return self._rounds.rows

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

    def take_over(self, parts: Iterable[str], now: datetime) -> dict[str, int]:
        """Go on where the lake says that these parts were left; from where each is to be read, if the lake knows."""
        from enricher.recall import recall

        begin: dict[str, int] = {}
        for part in parts:
            for table in WRITTEN:
                version = self._lake.transaction_version(table, part)
                self._done[table].pop(part, None)
                if version is not None:
                    self._done[table][part] = version
            known = [self._done[table].get(part, 0) for table in WRITTEN]
            if any(known):
                begin[part] = min(known)
        self._rounds.remember(recall(self._lake, now))
        return begin

    def hand_over(self, parts: Iterable[str]) -> None:
        """Another goes on with these: what is not in the lake of them will arrive there."""
        self._rounds.forget(frozenset(parts))

    def turn(self) -> Mapping[str, int]:
        """End a round; the marks of what is in the lake now."""
        from enricher.told import beside

        given = self._rounds.turn(self._directory())
        enriched = beside(given.enriched, self._lake)
        tables = {
            "resolutions": enriched.resolutions,
            "flows": enriched.flows,
            "dns": enriched.dns,
            "coverage": given.coverage,
        }
        for table in WRITTEN:
            self._write(table, tables[table], given.marks)
        return given.marks

    def _write(self, table: str, rows: "pa.Table", marks: Mapping[str, int]) -> None:
        done = self._done[table]
        ahead = {part: place for part, place in marks.items() if place > done.get(part, 0)}
        if ahead or (rows.num_rows and not marks):
            self._lake.append({table: rows}, ahead, {part: done.get(part) for part in ahead})
            done.update(ahead)
            self.rows_written += rows.num_rows
