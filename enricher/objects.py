"""The objects of a dump as rows of the objects table, with no more of each than is asked for later.

What is kept is named here, so that a secret in an annotation, in an environment or on a command line never gets into a lake.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from enricher.item import Item
from enricher.kinds import APPS, BATCH, CALICO, CORE, DISCOVERY, GROUPS, NETWORKING, known_group

Kept = Mapping[str, Any]

METADATA: Kept = {
    "name": True,
    "namespace": True,
    "uid": True,
    "labels": True,
    "creationTimestamp": True,
    "ownerReferences": {"apiVersion": True, "kind": True, "name": True, "controller": True},
}
CONTAINER: Kept = {"name": True, "restartPolicy": True, "ports": True}
POD_SPEC: Kept = {
    "nodeName": True,
    "hostNetwork": True,
    "serviceAccountName": True,
    "containers": CONTAINER,
    "initContainers": CONTAINER,
}
TEMPLATE: Kept = {"metadata": {"labels": True}, "spec": POD_SPEC}
WORKLOAD: Kept = {"spec": {"replicas": True, "template": TEMPLATE}}

SERVICE: Kept = {
    "spec": {
        name: True
        for name in (
            "type",
            "clusterIP",
            "clusterIPs",
            "externalIPs",
            "externalName",
            "loadBalancerIP",
            "ipFamilies",
            "ipFamilyPolicy",
            "selector",
            "ports",
            "publishNotReadyAddresses",
        )
    },
    "status": {"loadBalancer": {"ingress": {"ip": True, "hostname": True, "ipMode": True}}},
}

# By API group and kind; metadata, kind and apiVersion are kept of all.
KEPT: Mapping[tuple[str, str], Kept] = {
    (CORE, "Pod"): {"spec": POD_SPEC, "status": {"phase": True, "podIP": True, "podIPs": True}},
    (APPS, "Deployment"): WORKLOAD,
    (APPS, "StatefulSet"): WORKLOAD,
    (APPS, "DaemonSet"): WORKLOAD,
    (APPS, "ReplicaSet"): WORKLOAD,
    (CORE, "ReplicationController"): WORKLOAD,
    (BATCH, "Job"): WORKLOAD,
    (BATCH, "CronJob"): {"spec": {"jobTemplate": {"spec": {"template": TEMPLATE}}}},
    (CORE, "Service"): SERVICE,
    (DISCOVERY, "EndpointSlice"): {"addressType": True, "endpoints": True, "ports": True},
    (CORE, "Namespace"): {},
    (CORE, "ServiceAccount"): {},
    (CORE, "Node"): {"spec": {"podCIDR": True, "podCIDRs": True}, "status": {"addresses": True}},
    # Labels, addresses and ports: the API has no more.
    (NETWORKING, "NetworkPolicy"): {"spec": True},
    (NETWORKING, "ServiceCIDR"): {"spec": {"cidrs": True}},
    (CALICO, "NetworkPolicy"): {},
    (CALICO, "IPPool"): {"spec": {"cidr": True}},
}
EVERY: Kept = {"apiVersion": True, "kind": True, "metadata": METADATA}


def object_rows(items: Iterable[tuple[str, Item]], cluster: str | None, seen: datetime) -> Iterator[dict[str, Any]]:
    """One row for each object of a known kind; of one that stands in several files the last."""
    rows = {}
    for kind, item in items:
        group = known_group(kind, item.text("apiVersion")) if kind in GROUPS else None
        if group is not None:
            document = _kept(item.raw_object(), {**EVERY, **KEPT[group, kind]}) | {"kind": kind}
            namespace, name = item.text("metadata.namespace"), item.needed("metadata.name")
            rows[group, kind, namespace, name] = {
                "cluster": cluster,
                "seen_time": seen,
                "kind": kind,
                "namespace": namespace,
                "name": name,
                "document": json.dumps(document, ensure_ascii=True, separators=(",", ":"), sort_keys=True),
            }
    return iter(rows.values())


def _kept(value: Any, kept: Any) -> Any:
    """Of a list each entry; where an object was expected and something else stands, nothing."""
    if kept is True:
        return value
    if isinstance(value, list):
        return [_kept(entry, kept) for entry in value]
    if isinstance(value, dict):
        return {key: _kept(value[key], inner) for key, inner in kept.items() if key in value}
    return None
