"""The enricher against its naive twin, on any history of a few addresses."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.assignments import ASSIGNMENTS
from enricher.directory import Directory
from enricher.enrich import enrich
from tests.naive.enricher import connection_numbers, owner_at
from tests.unit.enricher.cluster import at, dns, flow, flows, query

IPS = ("10.0.0.1", "10.0.0.2", "10.0.0.3")
EXAMPLES = settings(derandomize=True, deadline=None, max_examples=25)
Row = dict[str, Any]


@st.composite
def assignment(draw: st.DrawFn) -> Row:
    kind = draw(st.sampled_from(["pod", "pod", "node", "service"]))
    start = draw(st.integers(0, 10))
    length = draw(st.one_of(st.none(), st.integers(1, 6)))
    number = draw(st.integers(0, 10**9))
    return {
        **dict.fromkeys(ASSIGNMENTS.schema.names),
        "ip": draw(st.sampled_from(IPS)),
        "kind": kind,
        "uid": f"uid-{number}",
        "namespace": "shop",
        "name": f"name-{number}",
        "workload_kind": "Pod",
        "workload": f"name-{number}",
        "labels": [],
        "host_network": kind == "pod" and draw(st.booleans()),
        "from_time": at(start),
        "until_time": None if length is None else at(start + length),
    }


histories = st.lists(assignment(), max_size=12, unique_by=lambda row: row["uid"])
moments = st.lists(st.tuples(st.sampled_from(IPS), st.integers(-1, 18)), min_size=1, max_size=12)


@EXAMPLES
@given(histories, moments)
def test_owner_is_the_naive_one(history: list[Row], asked: list[tuple[str, int]]) -> None:
    table = pa.Table.from_pylist(history, schema=ASSIGNMENTS.schema)
    directory = replace(Directory.empty(), assignments=table, ranges=("10.0.0.0/8",))
    rows = flows(*(flow(f"{ip}:1", "192.0.2.1:2", second) for ip, second in asked))
    found = enrich(rows, dns(), directory).flows.to_pylist()
    for row, (ip, second) in zip(found, asked, strict=True):
        owner, ambiguous = owner_at(history, ip, at(second))
        assert row["src_kind"] == (owner and owner["kind"])
        assert row["ambiguous"] == ambiguous
        if owner and owner["kind"] != "service":
            assert row["src_workload"] == owner["workload"]


sightings = st.lists(
    st.tuples(st.integers(0, 400_000), st.integers(0, 130_000), st.booleans()), min_size=1, max_size=12
)


@EXAMPLES
@given(sightings)
def test_connections_are_split_as_the_naive_ones(spans: list[tuple[int, int, bool]]) -> None:
    """Times in milliseconds."""
    records = [
        flow("10.0.0.1:1", "10.0.0.2:2", start / 1000, (start + length) / 1000, started=started)
        for start, length, started in spans
    ]
    found = enrich(flows(*records), dns(), Directory.empty()).flows["connection_id"].to_pylist()
    assert [found.index(one) for one in found] == connection_numbers(records)


@EXAMPLES
@given(st.lists(st.tuples(st.sampled_from(IPS), st.sampled_from(IPS), st.integers(0, 300)), max_size=12), histories)
def test_every_row_comes_out_once_and_in_order(given_rows: list[tuple[str, str, int]], history: list[Row]) -> None:
    table = pa.Table.from_pylist(history, schema=ASSIGNMENTS.schema)
    directory = replace(Directory.empty(), assignments=table)
    many = flows(*(flow(f"{src}:1", f"{dst}:2", start / 10) for src, dst, start in given_rows))
    asked = dns(*(query(f"{src}:1", f"{dst}:53", "a.b", start / 10, []) for src, dst, start in given_rows))
    found = enrich(many, asked, directory)
    assert found.flows.select(many.schema.names) == many
    assert found.dns.select(asked.schema.names) == asked
    assert found.flows["start_time"].to_pylist() == [at(0) + timedelta(seconds=s / 10) for *_, s in given_rows]
