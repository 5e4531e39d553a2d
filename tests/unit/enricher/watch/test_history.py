"""Who held which address when, as events tell it."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from enricher.holders import NETWORKS
from enricher.watch import cluster as watched_cluster
from enricher.watch import holdings as history
from enricher.watch.cluster import LEAVING, Cluster
from enricher.watch.holdings import KEPT_FOR
from enricher.watch.resources import LISTED, WATCHED
from tests.unit.enricher.cluster import Object, at, meta, node, pod, service, text_time

RESOURCES = {resource.kind: resource for resource in (*LISTED, *WATCHED)}
IP = "10.1.0.1"
Row = dict[str, Any]


def put(cluster: Cluster, one: Object, now: float) -> None:
    assert cluster.put(RESOURCES[one["kind"]], one.get("apiVersion"), one, at(now)), cluster.fault


def end(cluster: Cluster, one: Object, now: float) -> None:
    assert cluster.end(RESOURCES[one["kind"]], one.get("apiVersion"), one, at(now)), cluster.fault


def spans(cluster: Cluster, ip: str = IP, now: float = 0) -> list[tuple[str, float, float | None]]:
    """Who held the address, from and until in seconds after noon."""
    rows = cluster.snapshot(at(now)).assignments.to_pylist()
    return sorted(
        ((row["name"], seconds(row["from_time"]), seconds(row["until_time"])) for row in rows if row["ip"] == ip),
        key=lambda span: span[1],
    )


def seconds(time: datetime | None) -> Any:
    return time and (time - at(0)).total_seconds()


def ran(name: str, start: float, finished: float | None = None, *ips: str, **more: Any) -> Object:
    told = {} if finished is None else {"finished": finished}
    return pod(name, *(ips or (IP,)), start=start, **told, **more)


def deleting(one: Object, deadline: float) -> Object:
    return one | {"metadata": one["metadata"] | {"deletionTimestamp": text_time(deadline)}}


def claiming(one: Object, *ips: Any) -> Object:
    told = json.dumps([{"name": "macvlan", "interface": "net1", "ips": list(ips)}])
    return one | {"metadata": one["metadata"] | {"annotations": {NETWORKS: told}}}


def test_completed_pod_holds_until_its_last_container_ended() -> None:
    cluster = Cluster("test")
    put(cluster, ran("job", -60, phase="Running"), -50)
    assert spans(cluster) == [("job", -60, None)]
    put(cluster, ran("job", -60, -5, phase="Succeeded"), -4)
    assert spans(cluster) == [("job", -60, -4)]
    end(cluster, ran("job", -60, -5, phase="Succeeded"), 30)
    assert spans(cluster, now=40) == [("job", -60, -4)]


def test_terminating_pod_holds_beyond_its_deadline_until_it_is_gone() -> None:
    cluster = Cluster("test")
    put(cluster, deleting(ran("a", -60), deadline=0), -30)
    assert spans(cluster, now=10) == [("a", -60, None)]
    end(cluster, deleting(ran("a", -60, 11), deadline=0), 12.25)
    assert spans(cluster, now=13) == [("a", -60, 12.25)]


def test_pod_that_went_unseen_ends_when_that_is_noticed() -> None:
    cluster = Cluster("test")
    put(cluster, ran("a", -60), -30)
    cluster.keep_only(RESOURCES["Pod"], set(), at(5))
    assert spans(cluster, now=6) == [("a", -60, 5)]


@pytest.mark.parametrize("late", [False, True], ids=["told in order", "the deletion told last"])
def test_address_handed_on_within_seconds(late: bool) -> None:
    cluster = Cluster("test")
    put(cluster, ran("a", -60), -50)
    if late:
        put(cluster, ran("b", 3), 3.5)
        assert spans(cluster, now=4) == [("a", -60, 3), ("b", 3, None)]
        end(cluster, ran("a", -60, 1), 4.25)
    else:
        end(cluster, ran("a", -60, 1), 3.2)
        put(cluster, ran("b", 3), 3.5)
    assert spans(cluster, now=5) == [("a", -60, 3), ("b", 3, None)]


def test_next_pod_started_before_the_last_one_had_ended() -> None:
    """The second of the end is as exact as its time: both may have had the address."""
    cluster = Cluster("test")
    put(cluster, ran("a", -60), -50)
    put(cluster, ran("b", 3), 9.5)
    end(cluster, ran("a", -60, 7), 9.75)
    assert spans(cluster, now=10) == [("a", -60, 8), ("b", 7, None)]


def test_handed_on_three_times() -> None:
    cluster = Cluster("test")
    for number in range(4):
        put(cluster, ran(f"p{number}", number * 2), number * 2 + 0.5)
        end(cluster, ran(f"p{number}", number * 2, number * 2 + 1), number * 2 + 1.75)
    assert spans(cluster, now=10) == [(f"p{number}", number * 2, number * 2 + 1.75) for number in range(4)]


def test_address_that_a_living_pod_lost() -> None:
    cluster = Cluster("test")
    put(cluster, ran("a", -60), -50)
    put(cluster, ran("a", -60, None, "10.1.0.2"), 5)
    assert spans(cluster, now=6) == [("a", -60, 5)]
    assert spans(cluster, "10.1.0.2", now=6) == [("a", -60, None)]


def test_host_network_pod_hands_nothing_on() -> None:
    cluster = Cluster("test")
    put(cluster, node("n1", IP), -50)
    put(cluster, ran("agent", -60, host_network=True), -50)
    put(cluster, ran("proxy", -40, host_network=True), -30)
    assert spans(cluster) == [("n1", -21600, None), ("agent", -60, None), ("proxy", -40, None)]


def test_static_pod_is_its_own_workload() -> None:
    cluster = Cluster("test")
    put(cluster, ran("etcd-n1", -60, owner=("Node", "n1")), -50)
    (row,) = cluster.snapshot(at(0)).assignments.to_pylist()
    assert (row["workload_kind"], row["workload"]) == ("Pod", "etcd-n1")


def test_addresses_in_further_networks() -> None:
    cluster = Cluster("test")
    put(cluster, claiming(ran("a", -60), IP, "192.168.7.1", "fd00::7"), -50)
    assert spans(cluster) == [("a", -60, None)]
    assert spans(cluster, "192.168.7.1") == spans(cluster, "fd00::7") == [("a", -60, None)]


@pytest.mark.parametrize("order", [1, -1])
def test_claimed_address_gives_way_to_its_holder(order: int) -> None:
    cluster = Cluster("test")
    for one in [
        claiming(ran("thief", -60, None, "10.1.0.66"), IP, "192.168.0.1"),
        ran("a", -90),
        node("n1", "192.168.0.1"),
    ][::order]:
        put(cluster, one, -50)
    assert spans(cluster) == [("a", -90, None)]
    assert spans(cluster, "192.168.0.1") == [("n1", -21600, None)]
    assert {row["name"] for row in cluster.drain(at(0)).assignments.to_pylist() if row["ip"] == IP} == {"a"}


@pytest.mark.parametrize("ips", ["8.8.8.8", "127.0.0.1", "169.254.169.254", 7, None, "x" * 10_000])
def test_claims_that_are_not_believed(ips: Any) -> None:
    cluster = Cluster("test")
    put(cluster, claiming(ran("a", -60), ips), -50)
    assert cluster.snapshot(at(0)).assignments["ip"].to_pylist() == [IP]


def test_bridge_of_a_node_gives_way_to_a_pod() -> None:
    cluster = Cluster("test")
    put(cluster, node("n1", "192.168.0.1", "10.1.0.0/24"), -50)
    assert spans(cluster) == [("n1", -21600, None)]
    put(cluster, ran("a", -60), -50)
    assert spans(cluster) == [("a", -60, None)]


def test_owner_and_node_that_come_after_the_pod() -> None:
    cluster = Cluster("test")
    put(cluster, ran("a", -60, owner=("ReplicaSet", "web-7d9c"), labels={"pod-template-hash": "7d9c"}), -50)
    assert owners(cluster) == [("Deployment", "web", None)]
    put(cluster, owner("ReplicaSet", "web-7d9c", "Rollout"), -49)
    put(cluster, node("n1", "192.168.0.1", zone="za"), -48)
    assert owners(cluster) == [("Rollout", "web", "za")]


def test_owner_that_goes_before_its_pods() -> None:
    cluster = Cluster("test")
    mine = ran("a", -60, owner=("ReplicaSet", "web-7d9c"), labels={"pod-template-hash": "7d9c"})
    put(cluster, owner("ReplicaSet", "web-7d9c", "Rollout"), -60)
    put(cluster, mine, -50)
    end(cluster, owner("ReplicaSet", "web-7d9c", "Rollout"), -40)
    put(cluster, deleting(mine, 0), -39)
    assert owners(cluster) == [("Rollout", "web", None)]
    end(cluster, mine, -30)
    cluster.snapshot(at(0) + LEAVING)
    put(cluster, mine | {"metadata": mine["metadata"] | {"uid": "other"}}, 1)
    assert ("Deployment", "web", None) in owners(cluster)


def owner(kind: str, name: str, of: str) -> Object:
    references = [{"kind": of, "name": "web", "controller": True}]
    return {"kind": kind, "metadata": meta(name, ownerReferences=references)}


def owners(cluster: Cluster) -> list[tuple[str, str, str | None]]:
    rows = cluster.snapshot(at(0)).assignments.to_pylist()
    return [(row["workload_kind"], row["workload"], row["zone"]) for row in rows if row["kind"] == "pod"]


def test_same_snapshot_while_nothing_changes_that_matters() -> None:
    cluster = Cluster("test")
    put(cluster, ran("a", -60), -50)
    first = cluster.snapshot(at(-40))
    one = ran("a", -60)
    one["status"]["conditions"] = [{"type": "Ready", "status": "True", "lastTransitionTime": text_time(-30)}]
    put(cluster, one, -30)
    assert cluster.snapshot(at(-20)) is first
    assert cluster.drain(at(-20)).assignments.num_rows == 1
    put(cluster, one, -10)
    assert cluster.drain(at(-5)).assignments.num_rows == 0


def test_history_is_forgotten_after_its_time() -> None:
    cluster = Cluster("test")
    put(cluster, ran("a", -60), -50)
    end(cluster, ran("a", -60), 0)
    assert spans(cluster, now=KEPT_FOR.total_seconds()) == [("a", -60, 0)]
    assert spans(cluster, now=KEPT_FOR.total_seconds() + 1) == []
    assert cluster.counts()["holdings"] == cluster.counts()["holdings_forgotten"] == 0


def test_history_is_bounded_in_rows_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "MOST_ENDED", 3)
    cluster = Cluster("test")
    for number in range(5):
        put(cluster, ran(f"p{number}", -60, None, f"10.1.0.{number}"), -50)
        end(cluster, ran(f"p{number}", -60, None, f"10.1.0.{number}"), number)
    assert sorted(cluster.snapshot(at(10)).assignments["name"].to_pylist()) == ["p2", "p3", "p4"]
    assert cluster.counts()["holdings_forgotten"] == 2


def test_drained_once_and_again_when_it_ended() -> None:
    cluster = Cluster("test")
    put(cluster, ran("a", -60), -50)
    put(cluster, service("web", "10.96.0.1"), -50)
    told = cluster.drain(at(-40)).assignments
    assert sorted(told["ip"].to_pylist()) == [IP, "10.96.0.1"]
    assert cluster.drain(at(-30)).assignments.num_rows == 0
    put(cluster, ran("b", -20), -19)
    told = cluster.drain(at(-18)).assignments.to_pylist()
    # That a ended is concluded from b's start only, and may turn out later.
    assert {row["name"]: row["until_time"] for row in told} == {"a": None, "b": None}
    end(cluster, ran("a", -60), -10)
    told = cluster.drain(at(0)).assignments.to_pylist()
    assert {row["name"]: seconds(row["until_time"]) for row in told}["a"] == -19


def test_reading_of_objects_now_and_then_if_anything_changed() -> None:
    cluster = Cluster("test")
    put(cluster, ran("a", -60), -50)
    first = cluster.drain(at(-40)).objects
    assert first["name"].to_pylist() == ["a"]
    assert first["seen_time"].to_pylist() == [at(-40)]
    put(cluster, ran("b", -60), -30)
    assert cluster.drain(at(-20)).objects.num_rows == 0
    later = at(-40) + watched_cluster.READ_EVERY
    assert sorted(cluster.drain(later).objects["name"].to_pylist()) == ["a", "b"]
    assert cluster.drain(later + timedelta(hours=1)).objects.num_rows == 0


def test_recalled_from_the_lake_after_a_restart() -> None:
    before = Cluster("test")
    for one in (
        ran("a", -600),
        ran("b", -600, None, "10.1.0.2"),
        ran("c", -600, None, "10.1.0.3"),
        node("n1", "192.168.0.1"),
    ):
        put(before, one, -590)
    end(before, ran("c", -600, None, "10.1.0.3"), -300)
    lake = before.snapshot(at(-200)).assignments
    cluster = Cluster("test")
    cluster.recall(lake, at(0))
    assert spans(cluster, "10.1.0.3") == [("c", -600, -300)]
    # While nobody watched, a went and d took its address.
    put(cluster, ran("d", -100), 1)
    put(cluster, ran("b", -600, None, "10.1.0.2"), 1)
    cluster.keep_only(RESOURCES["Pod"], {"uid-d", "uid-b"}, at(2))
    assert spans(cluster) == [("a", -600, -70), ("d", -100, None)]
    assert spans(cluster, "10.1.0.2") == [("b", -600, None)]
    told = {row["name"]: row["until_time"] for row in cluster.drain(at(3)).assignments.to_pylist()}
    assert told == {"a": at(-70), "d": None}
    cluster.keep_only(RESOURCES["Node"], set(), at(4))
    assert spans(cluster, "192.168.0.1", now=5) == [("n1", -21600, 4)]


def test_changes_that_nobody_drains_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "MOST_UNTOLD", 2)
    cluster = Cluster("test")
    for number in range(4):
        put(cluster, ran(f"p{number}", -60, None, f"10.1.0.{number}"), -50)
    assert cluster.snapshot(at(0)).assignments.num_rows == 4
    assert cluster.drain(at(0)).assignments["name"].to_pylist() == ["p2", "p3"]
    assert cluster.counts()["holdings_forgotten"] == 2


def test_half_a_character_is_refused_and_a_whole_one_is_not() -> None:
    cluster = Cluster("test")
    assert cluster.put(RESOURCES["Pod"], "v1", ran("a", -60, labels={"x": "\ud83d"}), at(0)) is None
    put(cluster, ran("b", -60, labels={"x": "\U0001f600"}), 0)
    (row,) = cluster.snapshot(at(0)).assignments.to_pylist()
    assert (row["name"], row["labels"]) == ("b", [("x", "\U0001f600")])


def test_deleted_object_that_makes_no_sense_is_gone_all_the_same() -> None:
    cluster = Cluster("test")
    put(cluster, ran("a", -60), -50)
    wrong = ran("a", -60) | {"status": {"podIP": "no address"}}
    assert cluster.end(RESOURCES["Pod"], "v1", wrong, at(3)) is None
    assert spans(cluster, now=4) == [("a", -60, 3)]


def test_a_time_that_no_calendar_goes_beyond_is_refused() -> None:
    cluster = Cluster("test")
    put(cluster, ran("a", -60), -50)
    wrong = ran("b", -60, 0, "10.1.0.9")
    wrong["status"]["phase"] = "Succeeded"
    wrong["status"]["containerStatuses"][0]["state"]["terminated"]["finishedAt"] = "9999-12-31T23:59:59Z"
    assert cluster.put(RESOURCES["Pod"], "v1", wrong, at(0)) is None
    assert cluster.refused == 1


def test_a_reading_is_not_made_of_what_may_be_old() -> None:
    cluster = Cluster("test")
    put(cluster, ran("a", -60), -50)
    assert cluster.drain(at(0), is_current=False).objects.num_rows == 0
    assert cluster.drain(at(1)).objects["name"].to_pylist() == ["a"]
