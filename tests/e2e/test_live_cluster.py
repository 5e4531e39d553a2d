"""Collectors on both nodes of a live cluster, a broker, two enrichers: the lake says what the cluster's programs did.

A collector with a lake of its own, on one of the nodes, sees the same without a broker.
"""

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from samples.cluster.plan import FABRIC_IP
from store.lake import Lake
from tests.support.broker import running
from tests.support.live_cluster import LiveCluster, live_cluster
from tests.support.live_plan import LIVE, NODES
from tests.support.live_tailrace import Tailrace
from tests.support.live_truth import Edges, asked, difference, end_of, seen_edges, true_edges

pytestmark = pytest.mark.service

PHASE_S = 3.0
ONE_NODE = "node-1"
SHARED_IP = LIVE.pods["campaign"].ip


@dataclass(frozen=True)
class Run:
    """After the traffic: ``shared`` is the lake of the enrichers, ``own`` that of one node's collector."""

    cluster: LiveCluster
    tailrace: Tailrace
    shared: Lake
    own: Lake
    broker_port: int
    api_port: int


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    work = tmp_path_factory.mktemp("live")
    with live_cluster(work) as cluster, running(cluster.directory("broker"), FABRIC_IP) as broker:
        tailrace = Tailrace(cluster, broker, work / "lake")
        own = tailrace.collect_to_lake(ONE_NODE, work / "own")
        collectors = [tailrace.collect(node) for node in NODES]
        enrichers = [tailrace.enrich(f"enrich-{number}") for number in (1, 2)]
        for name in (own, *collectors):
            tailrace.wait_for_word(name, "capturing")
        for name in enrichers:
            tailrace.wait_for_word(name, "takes over")
        play(cluster)
        for name in (own, *collectors):
            tailrace.stop(name)
        tailrace.wait_until_drained()
        for name in enrichers:
            tailrace.stop(name)
        ports = (int(url.rpartition(":")[2]) for url in (broker.address, cluster.api.url))
        yield Run(cluster, tailrace, Lake.open(work / "lake"), Lake.open(work / "own"), *ports)


def play(cluster: LiveCluster) -> None:
    """Three pods hold one address in turn; each begins as soon as it is free."""
    cluster.run_program("node-1", "node-1")
    cluster.run_program("office", "office")
    for key in ("loader", "reader", "campaign"):
        cluster.begin(key)
    time.sleep(PHASE_S)
    cluster.end("campaign")
    cluster.begin("reconciler")
    time.sleep(PHASE_S)
    cluster.end("reconciler")
    cluster.begin("ledger")
    cluster.begin("auditor")
    time.sleep(PHASE_S)
    cluster.stop(["node-1", "office", "loader", "reader", "auditor"])


def is_machinery(run: Run, port: int | None) -> bool:
    return port in (run.broker_port, run.api_port)


def of_cluster(run: Run, edges: Edges) -> Edges:
    """Without what Tailrace itself speaks to Kafka and to the API, as far as it is seen."""
    return Counter({edge: count for edge, count in edges.items() if not is_machinery(run, edge[3])})


def test_no_call_failed(run: Run) -> None:
    assert list(run.cluster.said("failure")) == []


def test_each_connection_is_counted_once(run: Run) -> None:
    true = true_edges(run.cluster)
    assert len(true) == 12
    assert min(true.values()) > 10
    assert difference(of_cluster(run, seen_edges(run.shared)), true) == []


def test_one_node_alone_sees_what_its_pods_open(run: Run) -> None:
    def from_there(edges: Edges) -> Edges:
        own = {end_of(pod.key) for pod in LIVE.pods_on(NODES[ONE_NODE])} | {end_of(ONE_NODE)}
        return Counter({edge: count for edge, count in edges.items() if edge[0] in own})

    seen, true = of_cluster(run, seen_edges(run.own)), true_edges(run.cluster)
    assert difference(from_there(seen), from_there(true)) == []
    assert seen.keys() <= true.keys()


def test_transactions_are_counted_once(run: Run) -> None:
    rows = asked(
        run.shared, "select client_workload, count(*) as count from dns where outcome = 'answered' group by all"
    )
    assert {row["client_workload"]: row["count"] for row in rows} == Counter(
        who for who, _ in run.cluster.said("query")
    )


@pytest.mark.parametrize(("side", "callers"), [("src", ("campaign", "reconciler")), ("dst", ("auditor",))])
def test_an_address_has_the_holder_of_its_time(run: Run, side: str, callers: tuple[str, ...]) -> None:
    rows = asked(
        run.shared,
        f"select {side}_workload as workload, count(*) as count from connections"
        f" where {side}_ip = '{SHARED_IP}' group by all",
    )
    calls = Counter(who for who, _ in run.cluster.said("call"))
    holders = {who if side == "src" else "ledger": calls[who] for who in callers}
    assert {row["workload"]: row["count"] for row in rows} == holders


def test_services_are_named(run: Run) -> None:
    rows = asked(run.shared, "select distinct src_workload, service, port from edges where dst_workload = 'web'")
    assert {(row["src_workload"], row["service"]) for row in rows} >= {("loader", "web"), ("reader", "web")}


def test_nothing_is_lost_between_kernel_and_lake(run: Run) -> None:
    for lake in (run.shared, run.own):
        (row,) = asked(
            lake,
            "select sum(kernel_drops) as drops, sum(ring_freezes) as freezes, sum(packets) as packets,"
            " sum(list_sum(map_values(discarded))) as discarded,"
            " (select sum(src_packets + dst_packets) from flows) as counted from coverage",
        )
        assert (row["drops"], row["freezes"]) == (0, 0)
        assert row["packets"] == row["counted"] + row["discarded"]


def test_a_collector_does_not_see_its_own_way_to_kafka(run: Run) -> None:
    """Another's collector does: it is there to be seen."""
    query = f"select count(*) as count from flows where {run.broker_port} in (src_port, dst_port)"
    assert asked(run.own, query) != [{"count": 0}]
    assert asked(run.shared, query) == [{"count": 0}]


def test_both_enrichers_worked(run: Run) -> None:
    for name in ("enrich-1", "enrich-2"):
        assert run.tailrace.said(name).count("takes over") == 1
