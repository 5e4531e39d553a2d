"""Endpoints out of Kubernetes objects: manifests, a dump of ``kubectl get -A -o json``, or those a lake keeps."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace

from analysis.policy.endpoints import NAMESPACE_NAME, Endpoint
from analysis.policy.objects import Source, documents
from contract.errors import InputError
from enricher.item import Item
from enricher.kinds import known_group
from enricher.workloads import Owners

# Where the pod of each kind is described; what a pod template makes is a pod like any other.
TEMPLATES = {
    "Deployment": "spec.template",
    "StatefulSet": "spec.template",
    "DaemonSet": "spec.template",
    "ReplicaSet": "spec.template",
    "ReplicationController": "spec.template",
    "Job": "spec.template",
    "CronJob": "spec.jobTemplate.spec.template",
}
KINDS = {"Pod", "Node", "Namespace", "ServiceAccount", *TEMPLATES}
FINISHED = frozenset({"Succeeded", "Failed"})

Objects = dict[str, list[Item]]
Labels = Mapping[str, Mapping[str, str]]


def read_endpoints(source: Source) -> list[Endpoint]:
    """A pod each with the address it has now; a workload whose pods are not there is one pod without an address."""
    return endpoints_of(read_objects(source), source)


def endpoints_of(objects: Objects, source: Source) -> list[Endpoint]:
    namespaces = namespace_labels(objects)
    accounts = _service_accounts(objects)
    found = [*_pods(objects, namespaces), *_templates(objects, namespaces), *_nodes(objects)]
    found = [
        replace(one, service_account_labels=accounts.get((one.namespace, one.service_account), {})) for one in found
    ]
    if not found:
        raise InputError(
            str(source), "holds no Pod, no workload and no Node", "give manifests, or kubectl get -A -o json"
        )
    return found


def namespace_labels(objects: Objects) -> Labels:
    return {item.needed("metadata.name"): item.labels("metadata.labels") for item in objects.get("Namespace", ())}


def _service_accounts(objects: Objects) -> Mapping[tuple[str | None, str | None], Mapping[str, str]]:
    return {
        (item.text("metadata.namespace") or "default", item.needed("metadata.name")): item.labels("metadata.labels")
        for item in objects.get("ServiceAccount", ())
    }


def read_objects(source: Source, kinds: Collection[str] = KINDS) -> Objects:
    """An object that stands in several files counts once."""
    unique = {}
    for document in documents(source):
        kind = document.needed("kind").text
        if kind in kinds:
            item = Item(document.value, document.file, document.path)
            group = known_group(kind, item.text("apiVersion"))
            if group is None:
                continue
            unique[kind, group, item.text("metadata.namespace"), item.needed("metadata.name")] = item
    objects: Objects = {}
    for (kind, *_), item in unique.items():
        objects.setdefault(kind, []).append(item)
    return objects


def _pods(objects: Objects, namespaces: Labels) -> Iterator[Endpoint]:
    owners = Owners(objects)
    for pod in objects.get("Pod", ()):
        if pod.text("status.phase") not in FINISHED:
            several = [entry.address("ip") for entry in pod.children("status.podIPs")]
            for address in several or [pod.address("status.podIP")]:
                yield replace(pod_endpoint(pod, "", address, namespaces), workload=owners.workload(pod))


def _templates(objects: Objects, namespaces: Labels) -> Iterator[Endpoint]:
    """Workloads that no other workload owns, and that have no pod in the dump."""
    owners = Owners(objects)
    seen = {(pod.text("metadata.namespace"), *owners.workload(pod)) for pod in objects.get("Pod", ())}
    for kind, workload in own_workloads(objects):
        name = workload.needed("metadata.name")
        if (workload.text("metadata.namespace"), kind, name) not in seen:
            yield replace(pod_endpoint(workload, TEMPLATES[kind], None, namespaces), workload=(kind, name))


def own_workloads(objects: Objects) -> Iterator[tuple[str, Item]]:
    """Workloads that no other workload owns."""
    for kind in TEMPLATES:
        for workload in objects.get(kind, ()):
            if not any(owner.text("kind") in TEMPLATES for owner in workload.children("metadata.ownerReferences")):
                yield kind, workload


def pod_endpoint(item: Item, template: str, address: str | None, namespaces: Labels) -> Endpoint:
    """``template`` is where in the item the pod is described: nowhere else than in itself, if it is a pod."""
    pod = item.child(template) if template else item
    namespace = item.text("metadata.namespace") or "default"
    return Endpoint(
        kind="pod",
        namespace=namespace,
        name=item.needed("metadata.name"),
        address=address,
        labels=pod.labels("metadata.labels"),
        namespace_labels={**namespaces.get(namespace, {}), NAMESPACE_NAME: namespace},
        service_account=pod.text("spec.serviceAccountName") or "default",
        ports=_named_ports(pod),
        host_network=bool(pod.flag("spec.hostNetwork")),
        node=pod.text("spec.nodeName"),
    )


def _named_ports(pod: Item) -> dict[str, tuple[str, int]]:
    """A name that several containers use is that of the first, as for a Service."""
    ports: dict[str, tuple[str, int]] = {}
    for container in containers(pod):
        for port in container.children("ports"):
            name, number = port.text("name"), port.port("containerPort")
            if name and number:
                ports.setdefault(name, (port.text("protocol") or "TCP", number))
    return ports


def containers(pod: Item) -> Iterable[Item]:
    """An init container that restarts always is a sidecar: it runs beside the others."""
    sidecars = [one for one in pod.children("spec.initContainers") if one.text("restartPolicy") == "Always"]
    return [*pod.children("spec.containers"), *sidecars]


def _nodes(objects: Objects) -> Iterator[Endpoint]:
    for node in objects.get("Node", ()):
        name = node.needed("metadata.name")
        addresses = [entry.address("address") for entry in node.children("status.addresses") if _is_address(entry)]
        known: list[str | None] = [one for one in dict.fromkeys(addresses) if one]
        for address in known or [None]:
            yield Endpoint("node", None, name, address, node.labels("metadata.labels"), {}, None, {}, False, name)


def _is_address(entry: Item) -> bool:
    return entry.text("type") in {"InternalIP", "ExternalIP"}
