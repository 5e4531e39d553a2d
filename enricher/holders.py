"""Who held which address: pods, nodes and Services as rows of the assignments table.

Kubernetes times have a resolution of one second. A holding begins at the start of its second and ends at the end of its
second, so that no moment of it is lost. A pod gets its address after its start, and not before the last container of
the previous holder ended: its holding begins at the later of the two. What still overlaps is the one second of the
handover; a lookup in it takes the later start and says ``ambiguous``. A holder whose end nobody wrote down (its node
was lost) ends where the next one begins.
"""

import ipaddress
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from itertools import pairwise
from operator import itemgetter
from typing import Any

from enricher.item import Item
from enricher.workloads import Owners

SECOND = timedelta(seconds=1)
# Where Multus and its like tell the addresses of a pod in further networks.
NETWORKS = "k8s.v1.cni.cncf.io/network-status"
# As many of them are read as a pod can sensibly have.
MOST_CLAIMED = 32
ZONE = "topology.kubernetes.io/zone"
# Kinds that say which networks are the cluster's own.
RANGED = ("Node", "ServiceCIDR", "IPPool")
FINISHED = frozenset({"Succeeded", "Failed"})

# The API bounds a name and a value, but not how many there are.
MOST_LABELS = 64
MOST_LABEL_CHARACTERS = 8192

Row = dict[str, Any]
Objects = Mapping[str, list[Item]]
Zones = Mapping[str, str | None]


def assignment_rows(objects: Objects, cluster: str | None) -> list[Row]:
    """Sorted as the table is."""
    zones = {node.needed("metadata.name"): zone_of(node) for node in objects.get("Node", ())}
    owners = Owners(objects)
    pods = _handed_over([row for pod in objects.get("Pod", ()) for row in pod_rows(pod, owners, zones)])
    nodes = [row for node in objects.get("Node", ()) for row in node_rows(node)]
    services = [row for service in objects.get("Service", ()) for row in service_rows(service)]
    held = [*pods, *_bridges(objects, pods), *nodes, *services]
    rows = [{**row, "cluster": cluster} for row in (*held, *_claims(objects, owners, zones, held))]
    return sorted(rows, key=itemgetter("ip", "from_time", "uid"))


def ranges(objects: Objects) -> tuple[str, ...]:
    """The networks the dump says are the cluster's own."""
    return tuple(
        sorted({network for kind in RANGED for item in objects.get(kind, ()) for network in networks(kind, item)})
    )


def networks(kind: str, item: Item) -> list[str]:
    if kind == "IPPool":
        return [item.network(item.needed("spec.cidr"), "spec.cidr")]
    if kind == "ServiceCIDR":
        return [item.network(text, "spec.cidrs") for text in item.texts("spec.cidrs")]
    return [item.network(text, "spec.podCIDRs") for text in pod_networks(item)]


def pod_networks(node: Item) -> list[str]:
    single = node.text("spec.podCIDR")
    return node.texts("spec.podCIDRs") or ([single] if single else [])


def pod_addresses(pod: Item) -> list[str]:
    single = pod.address("status.podIP")
    several = [address for entry in pod.children("status.podIPs") if (address := entry.address("ip"))]
    return list(dict.fromkeys(several or ([single] if single else [])))


def claimed_addresses(pod: Item) -> list[str]:
    """Of an annotation, so that none outside of private networks is believed, and nothing malformed is an error."""
    told = pod.labels("metadata.annotations").get(NETWORKS)
    try:
        networks = json.loads(told) if told and not pod.flag("spec.hostNetwork") else []
    except (ValueError, RecursionError):
        return []
    entries = networks if isinstance(networks, list) else []
    texts = [entry.get("ips") for entry in entries if isinstance(entry, dict)]
    listed = [text for several in texts if isinstance(several, list) for text in several[:MOST_CLAIMED]]
    return list(dict.fromkeys(filter(None, map(_private, listed[:MOST_CLAIMED]))))


def _private(text: object) -> str | None:
    try:
        address = ipaddress.ip_address(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return str(address) if address and address.is_private and not _is_local(address) else None


def _is_local(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    return address.is_loopback or address.is_link_local or address.is_unspecified


def service_addresses(service: Item) -> list[str]:
    """Every address that stands for the Service; a headless one has none of its own."""
    balancers = [
        address for entry in service.children("status.loadBalancer.ingress") if (address := entry.address("ip"))
    ]
    return list(dict.fromkeys([*_cluster_addresses(service), *service.addresses("spec.externalIPs"), *balancers]))


def _cluster_addresses(service: Item) -> list[str]:
    if service.text("spec.type") == "ExternalName" or service.text("spec.clusterIP") == "None":
        return []
    single = service.address("spec.clusterIP")
    return service.addresses("spec.clusterIPs") or ([single] if single else [])


def pod_rows(pod: Item, owners: Owners, zones: Zones) -> list[Row]:
    return _rows_of(pod, pod_addresses(pod), owners, zones)


def claimed_rows(pod: Item, owners: Owners, zones: Zones) -> list[Row]:
    """Addresses in further networks: whoever made the pod may have written them, so they give way to any other holder."""
    own = pod_addresses(pod)
    return _rows_of(pod, [address for address in claimed_addresses(pod) if address not in own], owners, zones)


def _rows_of(pod: Item, addresses: list[str], owners: Owners, zones: Zones) -> list[Row]:
    if not addresses:
        return []
    node = pod.text("spec.nodeName")
    kind, name = owners.workload(pod)
    row = _row(pod, "pod", kind, name) | {
        "node": node,
        "zone": zones.get(node) if node else None,
        "host_network": bool(pod.flag("spec.hostNetwork")),
        "from_time": _floor(pod.time("status.startTime") or _created(pod)),
    }
    ended = _ended(pod)
    row["until_time"] = ended and max(_floor(ended), row["from_time"]) + SECOND
    return [{**row, "ip": address} for address in addresses]


def node_rows(node: Item) -> list[Row]:
    return _node_rows(node, dict.fromkeys(_node_addresses(node)))


def bridge_rows(node: Item) -> list[Row]:
    """These give way to a pod, as not every network plugin has a bridge."""
    return _node_rows(node, _bridge_addresses(node))


def _node_rows(node: Item, addresses: Iterable[str]) -> list[Row]:
    name = node.needed("metadata.name")
    row = _row(node, "node", "Node", name) | {"node": name, "zone": zone_of(node)}
    return [{**row, "ip": address} for address in addresses]


def _bridges(objects: Objects, pods: list[Row]) -> list[Row]:
    taken = {row["ip"] for row in pods if not row["host_network"]}
    bridges = [row for node in objects.get("Node", ()) for row in bridge_rows(node)]
    return [row for row in bridges if row["ip"] not in taken]


def _claims(objects: Objects, owners: Owners, zones: Zones, held: list[Row]) -> list[Row]:
    taken = {row["ip"] for row in held}
    claims = [row for pod in objects.get("Pod", ()) for row in claimed_rows(pod, owners, zones)]
    return _handed_over([row for row in claims if row["ip"] not in taken])


def _node_addresses(node: Item) -> Iterator[str]:
    for entry in node.children("status.addresses"):
        if entry.text("type") in {"InternalIP", "ExternalIP"}:
            address = entry.address("address")
            if address:
                yield address


def _bridge_addresses(node: Item) -> Iterator[str]:
    """Addresses of the node inside its pod network: flannel's tunnel has the network's own, a bridge the first."""
    for text in pod_networks(node):
        network = ipaddress.ip_network(node.network(text, "spec.podCIDRs"))
        yield from (str(network[offset]) for offset in (0, 1) if network.num_addresses > 2)


def service_rows(service: Item) -> list[Row]:
    row = _row(service, "service", "Service", service.needed("metadata.name"))
    return [{**row, "ip": address} for address in service_addresses(service)]


def _row(item: Item, kind: str, workload_kind: str, workload: str) -> Row:
    return {
        "kind": kind,
        "uid": item.needed("metadata.uid"),
        "namespace": item.text("metadata.namespace"),
        "name": item.needed("metadata.name"),
        "workload_kind": workload_kind,
        "workload": workload,
        "node": None,
        "zone": None,
        "labels": _labels(item),
        "host_network": False,
        "from_time": _floor(_created(item)),
        "until_time": None,
    }


def _labels(item: Item) -> list[tuple[str, str]]:
    """Every record has them: of an object that somebody gave more than anybody reads, the first."""
    kept, size = [], 0
    for name, value in sorted(item.labels("metadata.labels").items())[:MOST_LABELS]:
        size += len(name) + len(value)
        if size <= MOST_LABEL_CHARACTERS:
            kept.append((name, value))
    return kept


def _created(item: Item) -> datetime:
    time = item.time("metadata.creationTimestamp")
    if time is None:
        raise item.wrong("metadata.creationTimestamp", "is absent")
    return time


def zone_of(node: Item) -> str | None:
    return node.labels("metadata.labels").get(ZONE) or None


def _ended(pod: Item) -> datetime | None:
    """When a finished or deleted pod let go of its address; an evicted one may only have conditions to tell it.

    The deletion time is no more than a deadline: it has the grace period in it, and a container may not keep to it.
    """
    deleted = pod.time("metadata.deletionTimestamp")
    if deleted is None and pod.text("status.phase") not in FINISHED:
        return None
    ended = _terminations(pod)
    last = max((time for time in ended if time), default=None)
    if last and (deleted is None or all(ended)):
        return last
    changes = (condition.time("lastTransitionTime") for condition in pod.children("status.conditions"))
    return max((time for time in (deleted, last) if time), default=None) or max(filter(None, changes), default=None)


def terminated(pod: Item) -> datetime | None:
    """When the last container terminated; None while one has not."""
    ended = _terminations(pod)
    return max((_floor(time) for time in ended if time), default=None) if all(ended) else None


def _terminations(pod: Item) -> list[datetime | None]:
    """When each container terminated; None for one that has not."""
    statuses = (*pod.children("status.containerStatuses"), *pod.children("status.initContainerStatuses"))
    return [status.time("state.terminated.finishedAt") for status in statuses]


def _floor(time: datetime) -> datetime:
    return time.replace(microsecond=0)


def _handed_over(rows: list[Row]) -> list[Row]:
    """Let each pod take an address only when its previous holder let go of it (see the head of this file)."""
    own = sorted((row for row in rows if not row["host_network"]), key=itemgetter("ip", "from_time", "uid"))
    for earlier, later in pairwise(own):
        if earlier["ip"] == later["ip"]:
            _hand_over(earlier, later)
    return rows


def _hand_over(earlier: Row, later: Row) -> None:
    ended, until = earlier["until_time"], later["until_time"]
    if ended is None:
        earlier["until_time"] = later["from_time"] if later["from_time"] > earlier["from_time"] else None
    elif later["from_time"] < ended - SECOND and (until is None or ended < until):
        later["from_time"] = ended - SECOND
