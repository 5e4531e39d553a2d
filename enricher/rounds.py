"""Records as they arrive, a round at a time, put together with those that arrived in the round before and after.

The three rounds are enriched as one batch, and the rows of the middle one are what it gives: every record is compared with all that
arrived up to a round before and after it, and is given once.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from contract.assignments import ASSIGNMENTS
from contract.coverage import COVERAGE
from contract.dns import DNS
from contract.flows import FLOWS
from contract.resolutions import RESOLUTIONS
from enricher.directory import Directory
from enricher.enrich import Enriched, enrich
from enricher.memory import Memory

COLLECTED = {FLOWS.name: FLOWS.collected, DNS.name: DNS.collected, COVERAGE.name: COVERAGE.schema}
NOTHING = Enriched(*(table.schema.empty_table() for table in (FLOWS, DNS, RESOLUTIONS, ASSIGNMENTS)))


class Arrival(NamedTuple):
    """A batch, of how many octets, and of which part of the transport it is; None where it can have only one."""

    part: str | None
    table: str
    batch: pa.RecordBatch
    octets: int


@dataclass
class Round:
    """What arrived in one round, and how far each part of the transport was read then."""

    arrivals: list[Arrival] = field(default_factory=list)
    marks: dict[str, int] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        return sum(one.batch.num_rows for one in self.arrivals)

    @property
    def octets(self) -> int:
        return sum(one.octets for one in self.arrivals)

    def table(self, name: str) -> pa.Table:
        return pa.Table.from_batches([one.batch for one in self.arrivals if one.table == name], COLLECTED[name])

    def without(self, parts: frozenset[str]) -> "Round":
        marks = {part: place for part, place in self.marks.items() if part not in parts}
        return Round([one for one in self.arrivals if one.part not in parts], marks)


@dataclass(frozen=True)
class Given:
    """The enriched rows of one round, its coverage, and its marks."""

    enriched: Enriched
    coverage: pa.Table
    marks: dict[str, int]


class Rounds:
    """Not for several threads."""

    def __init__(self, memory: Memory | None = None) -> None:
        self._memory = memory or Memory.empty()
        self._before, self._middle, self._newest = Round(), Round(), Round()

    def add(self, table: str, batch: pa.RecordBatch, part: str | None = None) -> None:
        self._newest.arrivals.append(Arrival(part, table, batch, batch.nbytes))

    def mark(self, part: str, place: int) -> None:
        """All of ``part`` before ``place`` was added."""
        self._newest.marks[part] = place

    def unmark(self, part: str) -> None:
        """The places of ``part`` were those of another by its name."""
        for one in (self._middle, self._newest):
            one.marks.pop(part, None)

    @property
    def rows(self) -> int:
        """How many rows wait to be given."""
        return self._middle.rows + self._newest.rows

    @property
    def newest_rows(self) -> int:
        """How many came in this round."""
        return self._newest.rows

    @property
    def newest_octets(self) -> int:
        return self._newest.octets

    def remember(self, memory: Memory) -> None:
        """What another enricher knew before."""
        self._memory = self._memory.with_other(memory)

    def forget(self, parts: frozenset[str]) -> None:
        """What was not given of these parts will arrive again, elsewhere."""
        self._middle, self._newest = self._middle.without(parts), self._newest.without(parts)

    def turn(self, directory: Directory) -> Given:
        """End the round; what arrived in the one before it is given."""
        rounds = (self._before, self._middle, self._newest)
        self._before, self._middle, self._newest = self._middle, self._newest, Round()
        if all(one.table == COVERAGE.name for one in rounds[1].arrivals):
            return Given(NOTHING, rounds[1].table(COVERAGE.name), rounds[1].marks)
        flows, dns = (pa.concat_tables(one.table(name) for one in rounds) for name in (FLOWS.name, DNS.name))
        enriched = enrich(flows, dns, directory, self._memory)
        self._memory = enriched.memory or self._memory
        return Given(_middle_of(enriched, rounds), rounds[1].table(COVERAGE.name), rounds[1].marks)


def _middle_of(enriched: Enriched, rounds: Iterable[Round]) -> Enriched:
    counts = [{name: one.table(name).num_rows for name in (FLOWS.name, DNS.name)} for one in rounds]
    before, middle = counts[0], counts[1]
    earlier, dns = enriched.dns.slice(0, before[DNS.name]), enriched.dns.slice(before[DNS.name], middle[DNS.name])
    return Enriched(
        enriched.flows.slice(before[FLOWS.name], middle[FLOWS.name]),
        dns,
        _begun_in(enriched.resolutions, dns, earlier),
        enriched.assignments,
    )


def _begun_in(resolutions: pa.Table, dns: pa.Table, earlier: pa.Table) -> pa.Table:
    """A resolution is given with the first of its transactions to arrive."""
    ids = resolutions["resolution_id"]
    here = pc.is_in(ids, value_set=pc.unique(dns["resolution_id"]))
    given = pc.is_in(ids, value_set=pc.unique(earlier["resolution_id"]))
    return resolutions.filter(pc.and_not(here, given))
