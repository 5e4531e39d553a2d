import json
from pathlib import Path
from typing import Any

import pytest

from analysis.policy.endpoints import NAMESPACE_NAME, Endpoint
from analysis.policy.topology import read_endpoints
from contract.errors import InputError

NAMESPACE = {"kind": "Namespace", "metadata": {"name": "shop", "labels": {"team": "a"}}}


def read(tmp_path: Path, *items: dict[str, Any]) -> list[Endpoint]:
    file = tmp_path / "dump.json"
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": list(items)}))
    return read_endpoints(file)


def pod(name: str, owner: tuple[str, str] | None = None, ips: tuple[str, ...] = (), **spec: Any) -> dict[str, Any]:
    owners = [{"kind": owner[0], "name": owner[1], "controller": True}] if owner else []
    return {
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "shop", "labels": {"app": "db"}, "ownerReferences": owners},
        "spec": spec,
        "status": {"podIP": ips[0], "podIPs": [{"ip": ip} for ip in ips]} if ips else {},
    }


def workload(kind: str, name: str, owner: tuple[str, str] | None = None) -> dict[str, Any]:
    owners = [{"kind": owner[0], "name": owner[1], "controller": True}] if owner else []
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": []}}
    spec = {"jobTemplate": {"spec": {"template": template}}} if kind == "CronJob" else {"template": template}
    return {"kind": kind, "metadata": {"name": name, "namespace": "shop", "ownerReferences": owners}, "spec": spec}


def test_a_pod_with_all_it_has(tmp_path: Path) -> None:
    containers = [
        {"ports": [{"containerPort": 5432, "name": "sql"}, {"containerPort": 9, "name": "odd", "protocol": "SCTP"}]},
        {"ports": [{"containerPort": 1, "name": "sql"}, {"containerPort": 80}]},
    ]
    sidecars = [
        {"restartPolicy": "Always", "ports": [{"containerPort": 15001, "name": "proxy"}]},
        {"ports": [{"containerPort": 2, "name": "once"}]},
    ]
    spec = {"containers": containers, "initContainers": sidecars, "nodeName": "n1", "serviceAccountName": "dba"}
    assert read(tmp_path, NAMESPACE, pod("db-0", ips=("10.0.0.5",), **spec)) == [
        Endpoint(
            kind="pod",
            namespace="shop",
            name="db-0",
            address="10.0.0.5",
            labels={"app": "db"},
            namespace_labels={"team": "a", NAMESPACE_NAME: "shop"},
            service_account="dba",
            ports={"sql": ("TCP", 5432), "odd": ("SCTP", 9), "proxy": ("TCP", 15001)},
            host_network=False,
            node="n1",
            workload=("Pod", "db-0"),
        )
    ]


def test_each_address_of_a_pod_is_a_row_and_none_is_one_too(tmp_path: Path) -> None:
    found = read(tmp_path, pod("both", ips=("10.0.0.5", "fd00::5")), pod("pending"))
    assert [(one.name, one.address) for one in found] == [("both", "10.0.0.5"), ("both", "fd00::5"), ("pending", None)]


def test_a_finished_pod_is_nobody(tmp_path: Path) -> None:
    over = pod("over", ips=("10.0.0.5",))
    over["status"]["phase"] = "Succeeded"
    assert [one.name for one in read(tmp_path, over, pod("on", ips=("10.0.0.5",)))] == ["on"]


def test_every_kind_of_workload_is_one_pod(tmp_path: Path) -> None:
    kinds = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job", "CronJob")
    found = read(tmp_path, *(workload(kind, kind.lower()) for kind in kinds))
    assert {(one.name, one.labels["app"], one.address) for one in found} == {
        (k.lower(), k.lower(), None) for k in kinds
    }


def test_a_workload_whose_pods_are_there_is_not_there_twice(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        workload("Deployment", "web"),
        workload("ReplicaSet", "web-5d4", ("Deployment", "web")),
        pod("web-5d4-x", ("ReplicaSet", "web-5d4"), ("10.0.0.1",)),
        workload("CronJob", "nightly"),
        workload("Job", "nightly-28000000", ("CronJob", "nightly")),
        workload("Deployment", "operated", ("Operator", "owner")),
    )
    assert sorted((one.name, one.workload) for one in found) == [
        ("nightly", ("CronJob", "nightly")),
        ("operated", ("Deployment", "operated")),
        ("web-5d4-x", ("Deployment", "web")),
    ]


def test_a_node_has_its_addresses(tmp_path: Path) -> None:
    addresses = [{"type": "InternalIP", "address": "192.168.1.1"}, {"type": "Hostname", "address": "n1"}]
    node = {"kind": "Node", "metadata": {"name": "n1"}, "status": {"addresses": addresses}}
    bare = {"kind": "Node", "metadata": {"name": "n2"}}
    found = read(tmp_path, node, bare)
    assert [(one.kind, one.name, one.address, one.node) for one in found] == [
        ("node", "n1", "192.168.1.1", "n1"),
        ("node", "n2", None, "n2"),
    ]


def test_an_object_in_two_files_counts_once(tmp_path: Path) -> None:
    read(tmp_path, pod("db-0"))
    (tmp_path / "again.json").write_text((tmp_path / "dump.json").read_text())
    assert len(read_endpoints(tmp_path)) == 1


def test_manifests_with_other_kinds_and_without_namespace(tmp_path: Path) -> None:
    (tmp_path / "app.yaml").write_text(
        "kind: Service\nmetadata: {name: a}\n---\nkind: Deployment\nmetadata: {name: a}\n"
        "spec: {template: {metadata: {labels: {app: a}}, spec: {hostNetwork: true}}}\n"
    )
    (found,) = read_endpoints(tmp_path)
    assert (found.namespace, found.name, found.host_network) == ("default", "a", True)
    assert found.namespace_labels == {NAMESPACE_NAME: "default"}


@pytest.mark.parametrize(
    ("item", "what"),
    [
        ({"kind": "Service", "metadata": {"name": "a"}}, "holds no Pod, no workload and no Node"),
        ({"kind": "Pod", "metadata": {}}, "document 1.items[0]: metadata.name: is absent"),
        ({"kind": "Deployment", "metadata": {"name": "a"}, "spec": {}}, "spec.template: is not an object"),
        (
            {"kind": "Pod", "metadata": {"name": "a", "labels": {"app": 1}}},
            "metadata.labels: has a value that is not text",
        ),
    ],
)
def test_what_is_no_topology(tmp_path: Path, item: dict[str, Any], what: str) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, item)
    assert what in str(caught.value).replace("items[0].", "items[0]: ")


def test_a_service_account_lends_its_labels(tmp_path: Path) -> None:
    account = {"kind": "ServiceAccount", "metadata": {"name": "dba", "namespace": "shop", "labels": {"role": "admin"}}}
    other = {"kind": "ServiceAccount", "metadata": {"name": "dba", "namespace": "lab", "labels": {"role": "guest"}}}
    found = read(tmp_path, account, other, pod("db-0", serviceAccountName="dba"), pod("db-1"))
    assert [(one.service_account, one.service_account_labels) for one in found] == [
        ("dba", {"role": "admin"}),
        ("default", {}),
    ]


def test_the_same_kind_of_another_group_is_no_pod_and_no_workload(tmp_path: Path) -> None:
    job = workload("Job", "train") | {"apiVersion": "batch.volcano.sh/v1alpha1"}
    own = workload("Job", "train") | {"apiVersion": "batch/v1"}
    old = workload("Deployment", "web") | {"apiVersion": "extensions/v1beta1"}
    job["spec"] = {"template": None}
    assert sorted(one.name for one in read(tmp_path, own, old, job)) == ["train", "web"]
