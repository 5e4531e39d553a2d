"""A transaction counts once, however the captures that saw it are divided among ingests."""

from pathlib import Path

import pyarrow as pa
import pytest

from contract.coverage import COVERAGE
from enricher.directory import Directory
from enricher.enrich import enrich
from enricher.resolutions import EDGE_US
from enricher.told import beside
from store.lake import Lake
from tests.unit.enricher.cluster import Object, answer, at, directory, dns, flows, node, pod, query

WEB, OTHER, SERVER, UPSTREAM, STRANGER = "10.1.0.5", "10.1.1.7", "10.1.1.6", "203.0.113.53", "198.51.100.9"
END_S = EDGE_US / 1e6 + 100
# Who asks whom, and at which nodes that is seen; the last is lost on the way to the server's node.
ASKED = ((WEB, SERVER, "n1 n2"), (OTHER, SERVER, "n2"), (SERVER, UPSTREAM, "n2"), (STRANGER, SERVER, "n1"))
TIMES_S = (-END_S, -END_S + 1, 0, 1, END_S - 1, END_S)


@pytest.fixture
def cluster(tmp_path: Path) -> Directory:
    nodes = [node(f"n{n}", f"192.168.0.{n}", f"10.1.{n - 1}.0/24") for n in (1, 2)]
    pods = [pod("web", WEB), pod("other", OTHER, node="n2"), pod("dns", SERVER, node="n2", namespace="kube-system")]
    return directory(tmp_path, *nodes, *pods)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake.create(tmp_path / "lake")


def captured(node: str) -> list[Object]:
    """What one node saw, a little later than the one before."""
    late_s = 0.0002 * int(node[1:])
    return [
        query(
            f"{client}:{port}",
            f"{server}:53",
            f"{when:g}.example",
            when + late_s,
            [answer("x", "192.0.2.1")],
            node=node,
        )
        for when in TIMES_S
        for port, (client, server, nodes) in enumerate(ASKED, 5000)
        if node in nodes.split()
    ]


def ingested(lake: Lake, read: Directory, *nodes: str) -> None:
    covered = {"source": "live", "from_time": at(-END_S - 1), "until_time": at(END_S + 1)}
    nothing = {field.name: [] if pa.types.is_map(field.type) else 0 for field in COVERAGE.schema}
    unsaid = dict.fromkeys(("cluster", "interface", "kernel_drops", "sampled_ratio", "clock_skew_us"))
    coverage = [nothing | unsaid | covered | {"node": one} for one in nodes]
    rows = sorted((row for one in nodes for row in captured(one)), key=lambda row: row["start_time"])
    enriched = beside(enrich(flows(), dns(*rows), read), lake)
    tables = {"dns": enriched.dns, "resolutions": enriched.resolutions}
    lake.append(tables | {"coverage": pa.Table.from_pylist(coverage, COVERAGE.schema)})


def count(lake: Lake, what: str) -> int:
    rows: int = lake.connect().sql(f"select * from {what}").to_arrow_table().num_rows
    return rows


@pytest.mark.parametrize("ingests", ["n1+n2", "n1 n2", "n2 n1", "n1 n1 n2", "n2 n1 n2", "n1 n1+n2"])
def test_it_counts_once_however_it_was_ingested(lake: Lake, cluster: Directory, ingests: str) -> None:
    for nodes in ingests.split():
        ingested(lake, cluster, *nodes.split("+"))
    asked = len(ASKED) * len(TIMES_S)
    assert (count(lake, "dns"), count(lake, "resolutions")) == (asked, asked)


def test_what_the_lake_has_decided_is_told(lake: Lake, cluster: Directory) -> None:
    ingested(lake, cluster, "n1", "n2")
    decided = count(lake, "dns_records where counted")
    assert decided == 2 * len(ASKED)
    ingested(lake, cluster, "n1", "n2")
    assert count(lake, "dns_records where counted") == decided
    assert count(lake, "dns_records where counted = false") == 2 * (1 + 4 + 1)


def test_what_another_node_saw_leaves_the_clients_own_to_decide(lake: Lake, cluster: Directory) -> None:
    ingested(lake, cluster, "n2")
    assert count(lake, f"dns_records where counted and client_ip = '{WEB}'") == 0
    ingested(lake, cluster, "n1")
    assert count(lake, f"dns_records where counted and client_ip = '{WEB}'") == 2


def test_of_no_records_nothing_is_told(lake: Lake, cluster: Directory) -> None:
    nothing = enrich(flows(), dns(), cluster)
    assert beside(nothing, lake) == nothing
