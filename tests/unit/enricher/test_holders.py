"""Objects of a dump as assignments."""

from pathlib import Path

import pytest

from enricher.holders import MOST_LABEL_CHARACTERS, MOST_LABELS
from tests.unit.enricher.cluster import Object, at, directory, meta, node, pod, service, text_time

HASH = {"pod-template-hash": "7d9c"}


def rows(folder: Path, *objects: Object) -> list[Object]:
    listed: list[Object] = directory(folder, *objects).assignments.to_pylist()
    return listed


def workload(folder: Path, *objects: Object) -> tuple[str, str]:
    (row,) = rows(folder, *objects)
    return row["workload_kind"], row["workload"]


def owned(kind: str, name: str, *owners: tuple[str, str]) -> Object:
    references = [{"kind": owner, "name": of, "controller": True} for owner, of in owners]
    return {"kind": kind, "metadata": meta(name, ownerReferences=references)}


@pytest.mark.parametrize(
    ("owner", "labels", "expected"),
    [
        (None, {}, ("Pod", "a")),
        (("Node", "n1"), {}, ("Pod", "a")),
        (("StatefulSet", "db"), {}, ("StatefulSet", "db")),
        (("DaemonSet", "agent"), {}, ("DaemonSet", "agent")),
        (("ReplicaSet", "web-7d9c"), HASH, ("Deployment", "web")),
        (("ReplicaSet", "web-7d9c"), {}, ("ReplicaSet", "web-7d9c")),
        (("ReplicaSet", "web-other"), HASH, ("ReplicaSet", "web-other")),
        (("Job", "report-29384920"), {}, ("CronJob", "report")),
        (("Job", "migrate-2"), {}, ("Job", "migrate-2")),
        (("Job", "migrate"), {}, ("Job", "migrate")),
    ],
)
def test_workload_without_its_owner_in_the_dump(
    tmp_path: Path, owner: tuple[str, str] | None, labels: dict[str, str], expected: tuple[str, str]
) -> None:
    assert workload(tmp_path, pod("a", "10.1.0.1", owner=owner, labels=labels)) == expected


@pytest.mark.parametrize(
    ("owner", "parent", "expected"),
    [
        (("ReplicaSet", "web-1"), ("Deployment", "web"), ("Deployment", "web")),
        (("ReplicaSet", "web-7d9c"), ("Rollout", "web"), ("Rollout", "web")),
        (("Job", "report-29384920"), ("CronJob", "nightly"), ("CronJob", "nightly")),
    ],
)
def test_workload_follows_owners_in_the_dump(
    tmp_path: Path, owner: tuple[str, str], parent: tuple[str, str], expected: tuple[str, str]
) -> None:
    assert workload(tmp_path, pod("a", "10.1.0.1", owner=owner, labels=HASH), owned(*owner, parent)) == expected


def test_replica_set_without_owner_is_the_workload(tmp_path: Path) -> None:
    mine = pod("a", "10.1.0.1", owner=("ReplicaSet", "web-7d9c"), labels=HASH)
    assert workload(tmp_path, mine, owned("ReplicaSet", "web-7d9c")) == ("ReplicaSet", "web-7d9c")


def test_every_address_of_a_pod_is_held(tmp_path: Path) -> None:
    held = rows(tmp_path, pod("a", "10.1.0.1", "fd00:0:0:1::0001"), node("n1", "192.168.0.1", zone="za"))
    assert [(r["ip"], r["name"], r["node"], r["zone"]) for r in held] == [
        ("10.1.0.1", "a", "n1", "za"),
        ("192.168.0.1", "n1", "n1", "za"),
        ("fd00:0:0:1::1", "a", "n1", "za"),
    ]


def test_node_holds_its_bridge_address_unless_a_pod_does(tmp_path: Path) -> None:
    held = rows(tmp_path, node("n1", "192.168.0.1", "10.1.0.0/24"))
    assert [r["ip"] for r in held] == ["10.1.0.0", "10.1.0.1", "192.168.0.1"]
    held = rows(tmp_path, node("n1", "192.168.0.1", "10.1.0.0/24"), pod("a", "10.1.0.1"))
    assert [(r["ip"], r["kind"]) for r in held] == [("10.1.0.0", "node"), ("10.1.0.1", "pod"), ("192.168.0.1", "node")]


def test_addresses_of_services(tmp_path: Path) -> None:
    held = rows(
        tmp_path,
        service("web", "10.96.0.1", externalIPs=["203.0.113.9"], balancer=["203.0.113.10"]),
        service("headless", "None"),
        service("alias", "", type="ExternalName", externalName="example.com") | {"spec": {"type": "ExternalName"}},
    )
    assert [(r["ip"], r["name"]) for r in held] == [
        ("10.96.0.1", "web"),
        ("203.0.113.10", "web"),
        ("203.0.113.9", "web"),
    ]


def test_ranges(tmp_path: Path) -> None:
    cidrs = {"kind": "ServiceCIDR", "metadata": meta("kubernetes", None), "spec": {"cidrs": ["10.96.0.0/16"]}}
    pool = {"kind": "IPPool", "metadata": meta("default", None), "spec": {"cidr": "10.244.0.0/16"}}
    read = directory(tmp_path, node("n1", "192.168.0.1", "10.1.0.0/24"), cidrs, pool)
    assert read.ranges == ("10.1.0.0/24", "10.244.0.0/16", "10.96.0.0/16")


def spans(folder: Path, *pods: Object) -> dict[str, tuple[object, object]]:
    return {row["name"]: (row["from_time"], row["until_time"]) for row in rows(folder, *pods)}


def test_running_pod_holds_its_address_until_further_notice(tmp_path: Path) -> None:
    assert spans(tmp_path, pod("a", "10.1.0.1", start=5)) == {"a": (at(5), None)}


def test_finished_pod_holds_its_address_to_the_end_of_the_second(tmp_path: Path) -> None:
    assert spans(tmp_path, pod("a", "10.1.0.1", start=5, finished=9, phase="Succeeded")) == {"a": (at(5), at(10))}


def test_deleted_pod_holds_its_address_until_its_deletion(tmp_path: Path) -> None:
    deleted = pod("a", "10.1.0.1", start=5)
    deleted["metadata"]["deletionTimestamp"] = text_time(30)
    assert spans(tmp_path, deleted) == {"a": (at(5), at(31))}


def test_deleted_pod_whose_container_ended_later_holds_its_address_until_then(tmp_path: Path) -> None:
    deleted = pod("a", "10.1.0.1", start=5, finished=40)
    deleted["metadata"]["deletionTimestamp"] = text_time(30)
    assert spans(tmp_path, deleted) == {"a": (at(5), at(41))}


def test_pod_that_finished_within_its_grace_period_hands_over_at_its_finish(tmp_path: Path) -> None:
    first = pod("a", "10.1.0.1", start=0, finished=61)
    first["metadata"]["deletionTimestamp"] = text_time(90)
    assert spans(tmp_path, first, pod("b", "10.1.0.1", start=65)) == {"a": (at(0), at(62)), "b": (at(65), None)}


def test_deleted_pod_ends_with_its_last_container(tmp_path: Path) -> None:
    deleted = pod("a", "10.1.0.1", start=0, finished=20)
    deleted["metadata"]["deletionTimestamp"] = text_time(90)
    deleted["status"]["containerStatuses"] += [{"state": {"terminated": {"finishedAt": text_time(25)}}}]
    deleted["status"]["initContainerStatuses"] = [{"state": {"terminated": {"finishedAt": text_time(2)}}}]
    assert spans(tmp_path, deleted) == {"a": (at(0), at(26))}


@pytest.mark.parametrize("state", [{"running": {}}, {"terminated": {"finishedAt": None}}, {"waiting": {}}, None])
def test_deleted_pod_with_a_container_not_known_to_have_ended_ends_with_its_deletion(
    tmp_path: Path, state: Object | None
) -> None:
    deleted = pod("a", "10.1.0.1", start=0, finished=20)
    deleted["metadata"]["deletionTimestamp"] = text_time(90)
    deleted["status"]["containerStatuses"] += [{"state": state}]
    assert spans(tmp_path, deleted) == {"a": (at(0), at(91))}


def test_restarted_container_does_not_end_the_pod(tmp_path: Path) -> None:
    assert spans(tmp_path, pod("a", "10.1.0.1", start=5, finished=40)) == {"a": (at(5), None)}


def test_evicted_pod_ends_with_its_last_condition(tmp_path: Path) -> None:
    evicted = pod("a", "10.1.0.1", start=5, phase="Failed")
    evicted["status"]["conditions"] = [{"lastTransitionTime": text_time(t)} for t in (6, 20)]
    assert spans(tmp_path, evicted) == {"a": (at(5), at(21))}


def test_handover_overlaps_for_the_second_nobody_can_tell(tmp_path: Path) -> None:
    first = pod("a", "10.1.0.1", start=0, finished=10, phase="Succeeded")
    assert spans(tmp_path, first, pod("b", "10.1.0.1", start=10)) == {"a": (at(0), at(11)), "b": (at(10), None)}


def test_next_pod_cannot_hold_the_address_while_the_last_one_runs(tmp_path: Path) -> None:
    first = pod("a", "10.1.0.1", start=0, finished=10, phase="Succeeded")
    assert spans(tmp_path, first, pod("b", "10.1.0.1", start=7)) == {"a": (at(0), at(11)), "b": (at(10), None)}


def test_pod_whose_end_nobody_wrote_down_ends_with_the_next(tmp_path: Path) -> None:
    lost = pod("a", "10.1.0.1", start=0)
    assert spans(tmp_path, lost, pod("b", "10.1.0.1", start=7)) == {"a": (at(0), at(7)), "b": (at(7), None)}


def test_host_network_takes_no_part_in_the_handover(tmp_path: Path) -> None:
    first, second = (pod(name, "192.168.0.1", start=n, host_network=True) for n, name in enumerate("ab"))
    assert spans(tmp_path, first, second) == {"a": (at(0), None), "b": (at(1), None)}


def test_more_labels_than_anybody_reads_are_left_out(tmp_path: Path) -> None:
    """Each record of the pod has its labels."""
    many = pod("many", "10.1.0.1", labels={f"label-{number:04d}": "x" for number in range(2000)})
    large = pod("large", "10.1.0.2", labels={f"label-{number:04d}": "x" * 63 for number in range(200)} | {"app": "a"})
    kept = {row["name"]: dict(row["labels"]) for row in rows(tmp_path, many, large)}
    assert list(kept["many"]) == [f"label-{number:04d}" for number in range(MOST_LABELS)]
    assert kept["large"]["app"] == "a"
    assert all(
        sum(len(name) + len(value) for name, value in one.items()) <= MOST_LABEL_CHARACTERS for one in kept.values()
    )
