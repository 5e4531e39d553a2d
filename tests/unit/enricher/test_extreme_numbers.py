"""Whatever numbers a message may have, the rounds it is in end."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from cli.pipeline import Pipeline
from contract.columns import Table
from contract.coverage import COVERAGE
from contract.dns import DNS
from contract.flows import FLOWS
from contract.ranges import number_range
from contract.wire import EARLIEST_US, LATEST_US, Envelope, MessageId, decode, encode
from store.lake import Lake
from tests.support.rows import batch
from tests.unit.cli.test_pipeline import NOTHING_KNOWN
from tests.unit.enricher.cluster import NOON, answer, dns, flow, flows, query

KEPT = {"protocol", "opcode"}  # what decides which way a row takes
TIMES = EARLIEST_US, LATEST_US - 1


def extreme(table: Table, rows: pa.Table, side: int, **kept: Any) -> pa.RecordBatch:
    """The rows as they come out of the wire with every number at its least (0) or most (1)."""
    for place, field in enumerate(table.collected):
        path = f"{table.name}.{field.name}"
        if field.name in kept:
            values = [kept[field.name]] * rows.num_rows
        elif pa.types.is_integer(field.type) and field.name not in KEPT:
            values = [number_range(path)[side]] * rows.num_rows
        elif pa.types.is_map(field.type):
            values = [[("not_ip", number_range(path)[side])]] * rows.num_rows
        else:
            continue
        rows = rows.set_column(place, field, pa.array(values, field.type))
    (found,) = rows.combine_chunks().to_batches()
    return decode(Envelope(table.name, found.num_rows, MessageId("e", 1)), encode(found))


@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize("times", [False, True])
def test_rounds_end(tmp_path: Path, side: int, times: bool) -> None:
    pipeline = Pipeline(Lake.create(tmp_path / "lake"), NOTHING_KNOWN, lambda: NOON)
    told = [{**answer("x", "192.0.2.1"), "ttl": number_range("dns.answers.ttl")[side]}]
    asked = dns(*(query("10.1.0.5:5353", "10.1.1.7:53", "x", ms, told, node="n1") for ms in (0, 100)))
    went = flows(
        *(flow("10.1.0.5:4000", ip, 1, node=n) for ip in ("192.0.2.1:80", "10.1.1.6:80") for n in ("n1", "n2"))
    )
    at: dict[str, Any] = (
        dict.fromkeys(("start_time", "end_time", "query_time", "response_time"), TIMES[side]) if times else {}
    )
    for _ in range(2):
        for protocol in (1, 6, 17, 58):
            pipeline.add("flows", extreme(FLOWS, went, side, protocol=protocol, **at))
        pipeline.add("dns", extreme(DNS, asked, side, **at))
        pipeline.add("coverage", extreme(COVERAGE, pa.Table.from_batches([batch(COVERAGE, 3)]), side))
        pipeline.turn()
    pipeline.end()
    assert pipeline.statistics.records["flows"] == 32
    assert pipeline.statistics.records["dns"] == 4
