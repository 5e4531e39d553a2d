"""The traces of the benchmarks hold what they say, and the same seed makes the same bytes."""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from benchmarks.flood import LEGITIMATE, wrong
from benchmarks.traces import TRACES, Trace, scaled
from benchmarks.traces.flood import legitimate
from benchmarks.traces.write import expected, write
from collector.kernels.state import Bounds
from tests.support.frames import Collected, from_path

PACKETS = 20_000
BOUNDS = Bounds(max_flows=1 << 15, max_pending=1 << 14)


def small(name: str) -> Trace:
    return scaled(TRACES[name], TRACES[name].packets // PACKETS)


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Collected]:
    folder = tmp_path_factory.mktemp("traces")
    return {name: from_path(write(small(name), folder), BOUNDS) for name in TRACES}


@pytest.mark.parametrize("name", TRACES)
def test_every_packet_is_read_and_counted_in_its_connection(name: str, collected: dict[str, Collected]) -> None:
    trace, seen = small(name), collected[name]
    assert seen.fault is None
    assert seen.coverage["packets"].to_pylist() == [trace.packets]
    assert seen.coverage["discarded"].to_pylist() == [[]]
    assert seen.coverage["dns_malformed"].to_pylist() == [0]
    assert (seen.flows.num_rows, seen.dns.num_rows) == expected(trace)
    counted = pc.sum(seen.flows["src_packets"]).as_py() + pc.sum(seen.flows["dst_packets"]).as_py()
    assert counted == trace.packets


def test_dns_has_many_names_types_and_outcomes(collected: dict[str, Collected]) -> None:
    dns = collected["dns"].dns
    assert pc.count_distinct(dns["qname"]).as_py() > 3_000
    assert set(dns["qtype"].to_pylist()) == {"A", "AAAA", "PTR", "SRV", "TXT", "MX"}
    assert {"NOERROR", "NXDOMAIN"} <= set(dns["rcode"].to_pylist())
    assert {0, 1, 3, 8} <= set(pc.list_value_length(dns["answers"]).to_pylist())
    assert {"answered", "unanswered"} <= set(dns["outcome"].to_pylist())


def test_tunnels_are_of_four_kinds(collected: dict[str, Collected]) -> None:
    flows = collected["tunnels"].flows
    assert set(flows["tunnel"].to_pylist()) == {"vxlan", "geneve", "gre", "ipip"}
    assert set(flows["protocol"].to_pylist()) == {6, 17}


def test_legitimate_connections_of_the_flood_come_out_whole(collected: dict[str, Collected]) -> None:
    known = legitimate(small("syn-flood"))
    flows = collected["syn-flood"].flows
    mine = flows.filter(pc.starts_with(flows["src_ip"], LEGITIMATE))
    assert wrong(mine, known) == []
    assert len(wrong(mine.slice(1), known)) == 1
    assert len(wrong(mine.set_column(*doubled(mine)), known)) == known.address.size


def doubled(flows: pa.Table) -> tuple[int, str, pa.Array]:
    return flows.schema.get_field_index("dst_bytes"), "dst_bytes", pc.multiply(flows["dst_bytes"], 2)


def test_forged_addresses_and_ports_differ(collected: dict[str, Collected]) -> None:
    flows = collected["syn-flood"].flows
    forged = flows.filter(pc.invert(pc.starts_with(flows["src_ip"], LEGITIMATE)))
    assert forged.group_by(["src_ip", "src_port"]).aggregate([]).num_rows == forged.num_rows
    assert pc.count_distinct(forged["src_ip"]).as_py() > 0.99 * forged.num_rows


@pytest.mark.parametrize("name", TRACES)
def test_same_seed_same_bytes(name: str, tmp_path: Path) -> None:
    trace = small(name)
    (tmp_path / "again").mkdir()
    first, second = write(trace, tmp_path), write(trace, tmp_path / "again")
    assert first.read_bytes() == second.read_bytes()
