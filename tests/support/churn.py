"""A day in a cluster, quickly: pods of some Deployments replaced one after the other, and addresses used again."""

from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.support.fake_api import FakeApi

Object = dict[str, Any]
BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
REPLICAS = 10


class Churn:
    """``now`` is the time of that cluster, which its watcher is to live in."""

    def __init__(self, api: FakeApi, pods: int) -> None:
        self.now = BEGIN
        self._api = api
        self._free = deque(f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}" for number in range(pods + 16))
        self._living = [self._begun(number, number // REPLICAS) for number in range(pods)]
        self._made = pods
        for app in range(pods // REPLICAS):
            api.create(_replica_set(app), _service(app))
            self._tell_endpoints(app)

    def hours(self, hours: int, replaced_an_hour: int) -> Iterator[int]:
        """The number of each hour that is over."""
        for hour in range(hours):
            for _ in range(replaced_an_hour):
                self.now += timedelta(hours=1) / replaced_an_hour
                self._replace()
            yield hour

    def addresses(self) -> dict[str, str]:
        """Who has which address now."""
        return {one["status"]["podIP"]: one["metadata"]["name"] for one in self._living}

    def _replace(self) -> None:
        """The oldest pod goes, another one of its Deployment comes and takes the address that is free for longest."""
        place = self._made % len(self._living)
        old = self._living[place]
        terminated = {"state": {"terminated": {"finishedAt": _text(self.now)}}}
        self._api.modify(old | {"status": old["status"] | {"containerStatuses": [terminated]}})
        self._api.delete("Pod", old["metadata"]["name"])
        self._free.append(old["status"]["podIP"])
        self._living[place] = self._begun(self._made, place // REPLICAS)
        self._made += 1
        self._tell_endpoints(place // REPLICAS)

    def _begun(self, number: int, app: int) -> Object:
        metadata = {
            "name": f"app-{app}-7d9c-{number}",
            "namespace": "shop",
            "creationTimestamp": _text(self.now),
            "labels": {"app": f"app-{app}", "pod-template-hash": "7d9c", "team": f"team-{app % 20}"},
            "annotations": {"checksum/config": "0" * 64},
            "ownerReferences": [
                {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": f"app-{app}-7d9c", "controller": True}
            ],
        }
        container = {"name": "main", "image": "registry/app:1", "ports": [{"name": "http", "containerPort": 8080}]}
        spec = {"nodeName": f"n{number % 50}", "containers": [container]}
        one = {"kind": "Pod", "metadata": metadata, "spec": spec, "status": {"phase": "Pending"}}
        self._api.create(one)
        address = self._free.popleft()
        status = {"phase": "Running", "podIP": address, "podIPs": [{"ip": address}], "startTime": _text(self.now)}
        self._api.modify(one | {"status": status})
        return one | {"status": status}

    def _tell_endpoints(self, app: int) -> None:
        pods = self._living[app * REPLICAS : (app + 1) * REPLICAS]
        listed = [
            {
                "addresses": [one["status"]["podIP"]],
                "conditions": {"ready": True},
                "targetRef": {
                    "kind": "Pod",
                    "name": one["metadata"]["name"],
                    "uid": f"uid-Pod-{one['metadata']['name']}",
                },
            }
            for one in pods
        ]
        metadata = {"name": f"app-{app}-x", "namespace": "shop", "labels": {"kubernetes.io/service-name": f"app-{app}"}}
        ports = [{"name": "http", "port": 8080, "protocol": "TCP"}]
        self._api.create(
            {"kind": "EndpointSlice", "metadata": metadata, "addressType": "IPv4", "endpoints": listed, "ports": ports}
        )


def _replica_set(app: int) -> Object:
    references = [{"apiVersion": "apps/v1", "kind": "Deployment", "name": f"app-{app}", "controller": True}]
    return {
        "kind": "ReplicaSet",
        "metadata": {"name": f"app-{app}-7d9c", "namespace": "shop", "ownerReferences": references},
    }


def _service(app: int) -> Object:
    address = f"10.96.{app >> 8}.{app & 255}"
    ports = [{"name": "http", "port": 80, "protocol": "TCP", "targetPort": 8080}]
    spec = {"type": "ClusterIP", "clusterIP": address, "clusterIPs": [address], "ports": ports}
    return {"kind": "Service", "metadata": {"name": f"app-{app}", "namespace": "shop"}, "spec": spec}


def _text(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")
