"""Pods that hand one address on, and a watcher who hears of it late: every moment has its true holder among those told."""

from dataclasses import dataclass
from itertools import count

import duckdb
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from enricher.watch.cluster import Cluster
from enricher.watch.resources import WATCHED
from store.views import view_text
from tests.unit.enricher.cluster import Object, at, pod

IP = "10.1.0.1"
(PODS,) = (resource for resource in WATCHED if resource.kind == "Pod")
late = st.floats(0, 3)


@dataclass(frozen=True)
class Life:
    """Seconds after noon; ``terminated`` None where the kubelet could not say."""

    name: str
    start: float
    assigned: float
    terminated: float | None
    released: float
    told: float
    deleted: float

    def running(self) -> Object:
        return pod(self.name, IP, start=self.start)

    def last(self) -> Object:
        ended = {} if self.terminated is None else {"finished": self.terminated}
        return pod(self.name, IP, start=self.start, **ended)


@st.composite
def lives(draw: st.DrawFn) -> list[Life]:
    """One after the other; a pod may have been started before the last one let go."""
    found: list[Life] = []
    start = free = 0.0
    for number in range(draw(st.integers(1, 6))):
        start = max(start + 1, free + draw(st.floats(-5, 10)))
        assigned = max(start, free) + draw(st.floats(0, 1))
        terminated = assigned + draw(st.floats(0.01, 20))
        released = terminated + draw(late)
        told, deleted = assigned + draw(late), released + draw(late)
        is_told = draw(st.booleans())
        found.append(Life(f"p{number}", start, assigned, terminated if is_told else None, released, told, deleted))
        free = released
    return found


def watched(listed: list[Life]) -> tuple[Cluster, pa.Table]:
    """The cluster after all events in the order in which they came, and what was drained on the way."""
    order = count()
    events = [(life.told, next(order), life, False) for life in listed]
    events += [(max(life.deleted, life.told), next(order), life, True) for life in listed]
    cluster, drained = Cluster("test"), []
    for now, _, life, is_end in sorted(events, key=lambda event: event[:2]):
        take = cluster.end if is_end else cluster.put
        assert take(PODS, "v1", life.last() if is_end else life.running(), at(now)), cluster.fault
        drained.append(cluster.drain(at(now)).assignments)
    return cluster, pa.concat_tables(drained)


@given(lives())
def test_true_holder_is_always_among_those_told(listed: list[Life]) -> None:
    cluster, _ = watched(listed)
    rows = cluster.snapshot(at(0)).assignments.to_pylist()
    for life in listed:
        # Without containers nothing is sent; where their end is not known, the address was the pod's until it let go.
        until = life.released if life.terminated is None else life.terminated
        for part in (0.0, 0.25, 0.5, 0.75, 0.999):
            time = at(life.assigned + part * (until - life.assigned))
            assert life.name in {row["name"] for row in rows if row["from_time"] <= time < row["until_time"]}


@given(lives())
def test_lake_has_of_each_holding_what_was_told_last(listed: list[Life]) -> None:
    cluster, records = watched(listed)
    columns = "uid, from_time, until_time"
    with duckdb.connect() as connection:
        connection.register("assignment_records", records)
        seen = connection.sql(f"select {columns} from ({view_text('assignments')}) order by uid").to_arrow_table()
    held = cluster.snapshot(at(0)).assignments.select(["uid", "from_time", "until_time"]).sort_by("uid")
    assert seen.to_pylist() == held.to_pylist()
