"""The cluster as a lake tells it: of several readings the one of the time, and holdings that later ones put an end to."""

import json
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from enricher.directory import Directory
from enricher.kubernetes import read_dump
from enricher.readings import History
from store.lake import Lake

BEGIN = datetime(2026, 3, 1, 12, tzinfo=UTC)
CLUSTER = "shop"


def at(minutes: float) -> datetime:
    return BEGIN + timedelta(minutes=minutes)


def pod(name: str, ip: str, started: float) -> dict[str, Any]:
    time = at(started).isoformat()
    return {
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "a", "uid": f"uid-{name}", "creationTimestamp": time},
        "spec": {"nodeName": "node-1"},
        "status": {"phase": "Running", "podIP": ip, "startTime": time},
    }


def service(name: str, ip: str, port: int = 80) -> dict[str, Any]:
    return {
        "kind": "Service",
        "metadata": {
            "name": name,
            "namespace": "a",
            "uid": f"uid-{name}",
            "creationTimestamp": at(-60).isoformat(),
        },
        "spec": {"clusterIP": ip, "ports": [{"port": port}]},
    }


@dataclass
class Cluster:
    folder: Path
    lake: Lake = field(init=False)

    def __post_init__(self) -> None:
        self.lake = Lake.create(self.folder / "lake")

    def dump(self, minutes: float, *items: dict[str, Any]) -> Directory:
        file = self.folder / f"{minutes}.json"
        file.write_text(json.dumps({"kind": "List", "items": list(items)}))
        os.utime(file, (at(minutes).timestamp(),) * 2)
        return read_dump(file, CLUSTER)

    def read(self, minutes: float, *items: dict[str, Any]) -> None:
        found = self.dump(minutes, *items)
        self.lake.append({"assignments": found.assignments, "objects": found.objects})

    def history(self, dump: Directory | None = None, since: float = -120) -> History:
        return History(self.lake, CLUSTER, at(since), dump)


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    return Cluster(tmp_path)


def held(history: History) -> dict[str, tuple[float, float | None]]:
    """From which minute until which, by name."""
    (period,) = history.periods(at(0), at(1))
    rows = period.directory.assignments.select(["name", "from_time", "until_time"]).to_pylist()
    return {
        row["name"]: (_minutes(row["from_time"]), row["until_time"] and _minutes(row["until_time"])) for row in rows
    }


def _minutes(time: datetime) -> float:
    return (time - BEGIN) / timedelta(minutes=1)


def test_an_object_is_gone_when_a_later_reading_lacks_it(cluster: Cluster) -> None:
    cluster.read(10, pod("stays", "10.0.0.1", 0), pod("goes", "10.0.0.2", 0))
    cluster.read(20, pod("stays", "10.0.0.1", 0))
    assert held(cluster.history()) == {"stays": (0, None), "goes": (0, 20)}


def test_a_reading_that_was_too_early_for_an_object_does_not_end_it(cluster: Cluster) -> None:
    cluster.read(10, pod("old", "10.0.0.1", 0))
    cluster.read(20, pod("old", "10.0.0.1", 0), pod("late", "10.0.0.2", 9))
    assert held(cluster.history()) == {"old": (0, None), "late": (9, None)}


def test_a_reading_of_other_kinds_or_namespaces_ends_nothing(cluster: Cluster) -> None:
    elsewhere = pod("other", "10.0.0.9", 0)
    elsewhere["metadata"]["namespace"] = "b"
    cluster.read(10, pod("kept", "10.0.0.1", 0))
    cluster.read(20, elsewhere, service("web", "10.1.0.1"))
    assert held(cluster.history())["kept"] == (0, None)


def test_a_pod_holds_its_address_until_another_takes_it(cluster: Cluster) -> None:
    cluster.read(10, pod("first", "10.0.0.1", 0))
    cluster.read(20, pod("second", "10.0.0.1", 12))
    assert held(cluster.history()) == {"first": (0, 12), "second": (12, None)}


def test_a_dump_tells_of_who_is_not_in_the_lake(cluster: Cluster) -> None:
    cluster.read(10, pod("known", "10.0.0.1", 0))
    dump = cluster.dump(5, pod("known", "10.0.0.1", 0), pod("missed", "10.0.0.2", 1))
    assert held(cluster.history(dump)) == {"known": (0, None), "missed": (1, 10)}


def test_what_was_read_several_times_is_held_once(cluster: Cluster) -> None:
    for minute in (10, 20, 30):
        cluster.read(minute, pod("one", "10.0.0.1", 0))
    assert held(cluster.history()) == {"one": (0, None)}


def services(history: History, since: float, until: float) -> list[tuple[float, float, list[str]]]:
    return [
        (_minutes(one.since), _minutes(one.until), one.directory.fronts["ip"].to_pylist())
        for one in history.periods(at(since), at(until))
    ]


def test_services_are_those_of_the_newest_reading_of_the_time(cluster: Cluster) -> None:
    cluster.read(10, service("web", "10.1.0.1"))
    cluster.read(20, service("web", "10.1.0.2"))
    cluster.read(30, service("web", "10.1.0.2"))
    cluster.read(40, service("web", "10.1.0.3"))
    history = cluster.history()
    assert services(history, 0, 60) == [(0, 20, ["10.1.0.1"]), (20, 40, ["10.1.0.2"]), (40, 60, ["10.1.0.3"])]
    assert services(history, 25, 35) == [(25, 35, ["10.1.0.2"])]
    assert services(history, 50, 60) == [(50, 60, ["10.1.0.3"])]
    assert services(history, 20, 21) == [(20, 21, ["10.1.0.2"])]


def test_a_dump_is_one_reading_more(cluster: Cluster) -> None:
    cluster.read(10, service("web", "10.1.0.1"))
    dump = cluster.dump(20, service("web", "10.1.0.9"))
    assert services(cluster.history(dump), 0, 60) == [(0, 20, ["10.1.0.1"]), (20, 60, ["10.1.0.9"])]


def test_of_other_clusters_nothing_is_known(cluster: Cluster) -> None:
    cluster.read(10, service("web", "10.1.0.1"))
    assert History(cluster.lake, "", at(0)).is_empty
    assert History(cluster.lake, "other", at(0)).is_empty
    assert not cluster.history().is_empty
