"""The objects of the cluster as `kubectl get -A -o json` prints them."""

from collections.abc import Iterable

from samples.cluster.lives import Book, Life, stamp
from samples.cluster.objects import Json, condition, made, meta, owner, uid
from samples.cluster.plan import Node, Plan, Pod, Service, letters
from samples.cluster.workloads import controllers, host_pod, jobs, pod_name, pod_object


def objects(book: Book, more: Iterable[Json] = ()) -> Json:
    plan = book.plan
    items = [
        *(namespace(name, book) for name in plan.namespaces),
        *(node_object(node, book) for node in plan.nodes.values()),
        *(pod_object(plan, plan.pods[key], life) for key, life in book.lives.items()),
        *(host_pod(node, book) for node in plan.nodes.values()),
        *controllers(book),
        *jobs(book),
        *(service_object(service, book) for service in plan.services),
        *(endpoint_slice(service, book) for service in plan.services),
        *more,
    ]
    return {"apiVersion": "v1", "items": items, "kind": "List", "metadata": {"resourceVersion": ""}}


def namespace(name: str, book: Book) -> Json:
    labels = {"kubernetes.io/metadata.name": name}
    return made(
        "v1", "Namespace", meta(book.plan, "Namespace", None, name, book.began, labels), status={"phase": "Active"}
    )


def node_object(node: Node, book: Book) -> Json:
    labels = {"kubernetes.io/hostname": node.name, "topology.kubernetes.io/zone": node.zone}
    addresses = [{"address": node.ip, "type": "InternalIP"}, {"address": node.name, "type": "Hostname"}]
    return made(
        "v1",
        "Node",
        meta(book.plan, "Node", None, node.name, book.began, labels),
        spec={"podCIDR": node.cidr, "podCIDRs": [node.cidr]},
        status={"addresses": addresses, "conditions": [condition("Ready", book.began)]},
    )


def service_object(service: Service, book: Book) -> Json:
    names = {port: name for pod in book.plan.backends(service) for name, port in pod.ports.items()}
    ports = []
    for port in service.ports:
        # By name where names are unique; coredns has 53 twice and is addressed by number.
        goal: str | int = port.target if service.app == "coredns" else names[port.target]
        entry: Json = {"name": port.name, "port": port.port, "protocol": port.protocol, "targetPort": goal}
        ports.append(entry | ({"nodePort": port.node_port} if port.node_port else {}))
    address = service.cluster_ip or "None"
    spec: Json = {
        "clusterIP": address,
        "clusterIPs": [address],
        "ports": ports,
        "selector": {"app.kubernetes.io/name": service.app},
        "type": "ClusterIP",
    }
    if any(port.node_port for port in service.ports):
        spec |= {"externalTrafficPolicy": "Local", "type": "NodePort"}
    metadata = meta(book.plan, "Service", service.namespace, service.name, book.began)
    return made("v1", "Service", metadata, spec=spec, status={"loadBalancer": {}})


def endpoint_slice(service: Service, book: Book) -> Json:
    labels = {"kubernetes.io/service-name": service.name}
    metadata = meta(
        book.plan, "EndpointSlice", service.namespace, f"{service.name}-{letters(service.fqdn, 5)}", 0, labels
    )
    metadata["creationTimestamp"] = stamp(book.began)
    metadata["ownerReferences"] = owner(book.plan, "v1", "Service", service.namespace, service.name)
    ports = [{"name": port.name, "port": port.target, "protocol": port.protocol} for port in service.ports]
    behind = [(pod, book.lives.get(pod.key)) for pod in book.plan.backends(service)]
    endpoints = [endpoint(book.plan, pod, life) for pod, life in behind if life]
    return made("discovery.k8s.io/v1", "EndpointSlice", metadata, addressType="IPv4", endpoints=endpoints, ports=ports)


def endpoint(plan: Plan, pod: Pod, life: Life) -> Json:
    name = pod_name(pod, life)
    reference = {"kind": "Pod", "name": name, "namespace": pod.namespace, "uid": uid(plan, "Pod", pod.namespace, name)}
    place = {"nodeName": pod.node, "zone": plan.nodes[pod.node].zone}
    states = {"ready": pod.ready, "serving": pod.ready, "terminating": False}
    return {"addresses": [pod.ip], "conditions": states, "targetRef": reference} | place
