"""What goes wrong in a live cluster: nothing false in the lake, nothing twice, and what is lost is known.

All of it in one run, one thing after the other, while the same programs go on calling each other.
"""

import signal
import socket
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from samples.cluster.plan import FABRIC_IP
from store.lake import Lake
from tests.support.broker import Broker, running
from tests.support.live_cluster import STORE, LiveCluster, live_cluster
from tests.support.live_plan import LIVE, NODES
from tests.support.live_tailrace import Tailrace
from tests.support.live_truth import Edges, asked, difference, end_of, seen_edges, true_edges
from tests.support.namespaces import inside

pytestmark = pytest.mark.service

SOUND, TROUBLED = "node-1", "node-2"  # the second one's collector is killed, and held up
BROKER_AWAY_S = 10.0
API_AWAY_S = 6.0
# How old a connection's end is at most when a kill -9 of the collector loses it: what the flow table waits for a last packet, an
# interval, and what the publisher waits for company.
MAY_BE_LOST_S = 5 + 1 + 2 + 1
MOST_IN_FLIGHT = 3
SAME_CALL_S = 2
FLOOD, FLOOD_PORT = 200_000, 9


@dataclass
class Run:
    cluster: LiveCluster
    tailrace: Tailrace
    lake: Lake
    times: dict[str, float] = field(default_factory=dict)

    def note(self, what: str) -> None:
        self.times[what] = time.time()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    work = tmp_path_factory.mktemp("faults")
    with live_cluster(work) as cluster, running(cluster.directory("broker"), FABRIC_IP) as broker:
        tailrace = Tailrace(cluster, broker, work / "lake")
        collectors = [tailrace.collect(node) for node in NODES]
        enricher = tailrace.enrich("enrich-1")
        for name in collectors:
            tailrace.wait_for_word(name, "capturing")
        tailrace.wait_for_word(enricher, "takes over")
        made = Run(cluster, tailrace, Lake.open(work / "lake"))
        play(made, broker)
        for name in collectors:
            tailrace.stop(name)
        tailrace.wait_until_drained()
        tailrace.stop("enrich-2")
        yield made


def play(run: Run, broker: Broker) -> None:
    cluster, tailrace = run.cluster, run.tailrace
    cluster.flap("campaign")
    cluster.run_program("node-1", "node-1")
    cluster.begin("reader", (f"store={STORE}:6379",))
    for key in ("loader", "campaign"):
        cluster.begin(key)
    time.sleep(4)
    tailrace.kill("enrich-1")
    tailrace.enrich("enrich-2")
    time.sleep(4)
    with broker.away():
        time.sleep(BROKER_AWAY_S)
        restart_collector(run)
    with cluster.api.away():
        cluster.end("campaign")
        cluster.begin("reconciler")
        time.sleep(API_AWAY_S)
    cluster.stop(["reader"])
    hold_up_collector(run)
    cluster.stop(["node-1", "loader", "reconciler"])


def restart_collector(run: Run) -> None:
    run.note("killed")
    run.tailrace.kill(f"collect-{TROUBLED}")
    run.tailrace.collect(TROUBLED)
    run.tailrace.wait_for_word(f"collect-{TROUBLED}", "capturing")
    run.note("again")


def hold_up_collector(run: Run) -> None:
    """More packets than its ring has room for come while it stands still."""
    with inside(LIVE.netns("reader")):
        sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with sender, stopped(run, f"collect-{TROUBLED}"):
        for _ in range(FLOOD):
            sender.sendto(b"x" * 100, (STORE, FLOOD_PORT))


@contextmanager
def stopped(run: Run, name: str) -> Iterator[None]:
    run.cluster.processes[name].send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        run.cluster.processes[name].send_signal(signal.SIGCONT)


def from_sound_node(edges: Edges) -> Edges:
    own = {end_of(name) for name in ("loader", "campaign", "reconciler", "node-1")}
    return Counter({edge: count for edge, count in edges.items() if edge[0] in own})


def test_nothing_is_lost_or_counted_twice_when_enricher_broker_and_api_go_away(run: Run) -> None:
    """A pod got the address of another while the API was away, and another's interface had come again."""
    true = from_sound_node(true_edges(run.cluster))
    assert len(true) == 8
    assert difference(from_sound_node(seen_edges(run.lake)), true) == []


def test_transactions_are_counted_once(run: Run) -> None:
    """A collector was killed: what it had seen of an interval that coverage tells of, and had not handed on, is lost."""
    rows = asked(run.lake, "select client_workload, count(*) as count from dns group by all")
    lost = Counter(who for who, _ in run.cluster.said("query"))
    lost.subtract({row["client_workload"]: row["count"] for row in rows})
    assert 0 <= lost.pop("reader") <= MOST_IN_FLIGHT
    assert set(lost.values()) == {0}


def test_records_waited_for_the_api(run: Run) -> None:
    assert "records wait until the Kubernetes API answers" in run.tailrace.said("enrich-2")


def test_a_killed_collector_loses_the_last_seconds_at_most(run: Run) -> None:
    """A port may be used again, some seconds later."""
    calls = [(fact["port"], fact["t"]) for who, fact in run.cluster.said("opened") if who == "reader"]
    rows = asked(
        run.lake,
        "select src_port as port, epoch_us(start_time) / 1e6 as at"
        " from connections where src_workload = 'reader' and protocol = 6",
    )
    told = [(at, sum(row["port"] == port and abs(row["at"] - at) < SAME_CALL_S for row in rows)) for port, at in calls]
    kept = [count for at, count in told if at < run.times["killed"] - MAY_BE_LOST_S or at > run.times["again"] + 1]
    assert len(kept) > 50
    assert set(kept) == {1}
    assert sum(count for _, count in told) == len(rows)


def gaps(run: Run, node: str) -> list[float]:
    """Seconds between one interval of a node and the next."""
    rows = asked(
        run.lake,
        "select distinct epoch_us(from_time) / 1e6 as since, epoch_us(until_time) / 1e6 as until"
        f" from coverage where node = '{node}' and interface is null order by since",
    )
    return [later["since"] - earlier["until"] for earlier, later in pairwise(rows)]


def test_coverage_shows_when_nobody_captured(run: Run) -> None:
    """From about the last interval that was flushed."""
    dead = run.times["again"] - run.times["killed"]
    (gap,) = (gap for gap in gaps(run, TROUBLED) if gap > 0.5)
    assert dead - 1 < gap < dead + MAY_BE_LOST_S
    assert max(gaps(run, SOUND)) < 0.5


def test_packets_without_room_are_counted(run: Run) -> None:
    rows = asked(run.lake, "select node, sum(kernel_drops) as drops from coverage group by all")
    drops = {row["node"]: row["drops"] for row in rows}
    assert drops[SOUND] == 0
    (flood,) = asked(run.lake, f"select sum(src_packets) as packets from flows where dst_port = {FLOOD_PORT}")
    assert flood["packets"] < 2 * FLOOD <= flood["packets"] + drops[TROUBLED]
