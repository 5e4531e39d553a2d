"""The objects of the cluster as `kubectl get -A -o json` prints them, deleted pods as a watch last saw them."""

import uuid
from collections.abc import Iterable
from typing import Any

from samples.shop import plan
from samples.shop.lives import Book, Life, stamp
from samples.shop.plan import NODES, PODS, SERVICES, Node, Pod, Service

Json = dict[str, Any]
IMAGES = {"coredns": "registry.example/coredns:1.12", "frontend": "registry.example/frontend:3.2"}
UUID_SPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "shop.tailrace.example")


def objects(book: Book) -> Json:
    items = [
        *(namespace(name, book) for name in plan.NAMESPACES),
        *(node_object(node, book) for node in NODES.values()),
        *(pod_object(PODS[key], life) for key, life in book.lives.items()),
        *(host_pod(node, book) for node in NODES.values()),
        *controllers(book),
        *jobs(book),
        *(service_object(service, book) for service in SERVICES),
        *(endpoint_slice(service, book) for service in SERVICES),
        network_policy(book),
    ]
    return {"apiVersion": "v1", "items": items, "kind": "List", "metadata": {"resourceVersion": ""}}


def uid(*words: str) -> str:
    return str(uuid.uuid5(UUID_SPACE, "/".join(words)))


def made(api: str, kind: str, metadata: Json, **rest: object) -> Json:
    return {"apiVersion": api, "kind": kind, "metadata": metadata, **rest}


def meta(kind: str, space: str | None, name: str, created: float, labels: Json | None = None) -> Json:
    found: Json = {"creationTimestamp": stamp(created)}
    if labels:
        found["labels"] = labels
    found["name"] = name
    if space is not None:
        found["namespace"] = space
    return found | {"uid": uid(kind, space or "", name)}


def owner(api: str, kind: str, space: str, name: str) -> list[Json]:
    reference = {"apiVersion": api, "blockOwnerDeletion": True, "controller": True, "kind": kind, "name": name}
    return [reference | {"uid": uid(kind, space, name)}]


def namespace(name: str, book: Book) -> Json:
    labels = {"kubernetes.io/metadata.name": name}
    return made("v1", "Namespace", meta("Namespace", None, name, book.began, labels), status={"phase": "Active"})


def node_object(node: Node, book: Book) -> Json:
    labels = {"kubernetes.io/hostname": node.name, "topology.kubernetes.io/zone": node.zone}
    addresses = [{"address": node.ip, "type": "InternalIP"}, {"address": node.name, "type": "Hostname"}]
    return made(
        "v1",
        "Node",
        meta("Node", None, node.name, book.began, labels),
        spec={"podCIDR": node.cidr, "podCIDRs": [node.cidr]},
        status={"addresses": addresses, "conditions": [condition("Ready", book.began)]},
    )


def condition(name: str, since: float, status: str = "True") -> Json:
    return {"lastTransitionTime": stamp(since), "status": status, "type": name}


def labels_of(pod: Pod) -> Json:
    return {"app.kubernetes.io/name": pod.workload}


def template_hash(pod: Pod) -> str:
    return plan.letters(pod.workload, 10)


def job_name(pod: Pod, life: Life) -> str:
    """A CronJob names its Jobs by the minute they were due."""
    return f"{pod.workload}-{round(life.created / 60)}"


def pod_name(pod: Pod, life: Life) -> str:
    suffix = plan.letters(f"pod {pod.key}", 5)
    if pod.workload_kind == "Deployment":
        return f"{pod.workload}-{template_hash(pod)}-{suffix}"
    if pod.workload_kind == "CronJob":
        return f"{job_name(pod, life)}-{suffix}"
    return f"{pod.workload}-{suffix}" if pod.workload_kind == "DaemonSet" else pod.key


def pod_owner(pod: Pod, life: Life) -> list[Json]:
    space = pod.namespace
    if pod.workload_kind == "Deployment":
        return owner("apps/v1", "ReplicaSet", space, f"{pod.workload}-{template_hash(pod)}")
    if pod.workload_kind == "CronJob":
        return owner("batch/v1", "Job", space, job_name(pod, life))
    return [] if pod.workload_kind == "Pod" else owner("apps/v1", pod.workload_kind, space, pod.workload)


def pod_object(pod: Pod, life: Life) -> Json:
    name = pod_name(pod, life)
    labels = labels_of(pod)
    if pod.workload_kind == "Deployment":
        labels |= {"pod-template-hash": template_hash(pod)}
    if pod.workload_kind == "CronJob":
        labels |= {"job-name": job_name(pod, life)}
    metadata = meta("Pod", pod.namespace, name, life.created, labels)
    owners = pod_owner(pod, life)
    if owners:
        metadata["ownerReferences"] = owners
    if life.deleted:
        metadata |= {"deletionGracePeriodSeconds": 0, "deletionTimestamp": stamp(life.deleted)}
    return made("v1", "Pod", metadata, spec=pod_spec(pod), status=pod_status(pod, life))


def pod_spec(pod: Pod) -> Json:
    ports = [
        {"containerPort": port, "name": name, "protocol": "UDP" if name == "dns" else "TCP"}
        for name, port in pod.ports.items()
    ]
    container: Json = {"image": image(pod.workload), "name": pod.workload}
    if ports:
        container["ports"] = ports
    return {"containers": [container], "nodeName": pod.node, "restartPolicy": restart(pod)}


def restart(pod: Pod) -> str:
    return "Never" if pod.workload_kind == "CronJob" else "Always"


def image(name: str) -> str:
    return IMAGES.get(name, f"registry.example/{name}:1.0")


def pod_status(pod: Pod, life: Life) -> Json:
    node = NODES[pod.node]
    ready = "False" if life.finished else "True"
    return {
        "conditions": [
            condition("PodScheduled", life.created),
            condition("Initialized", life.created),
            condition("Ready", life.finished or life.created, ready),
        ],
        "containerStatuses": [container_status(pod, life)],
        "hostIP": node.ip,
        "hostIPs": [{"ip": node.ip}],
        "phase": "Succeeded" if life.finished else "Running",
        "podIP": pod.ip,
        "podIPs": [{"ip": pod.ip}],
        "startTime": stamp(life.created),
    }


def container_status(pod: Pod, life: Life) -> Json:
    started = stamp(life.created)
    state: Json = {"running": {"startedAt": started}}
    if life.finished:
        ended = {"exitCode": 0, "finishedAt": stamp(life.finished), "reason": "Completed", "startedAt": started}
        state = {"terminated": ended}
    facts = {"image": image(pod.workload), "name": pod.workload, "restartCount": 0}
    return facts | {"ready": not life.finished, "started": not life.finished, "state": state}


def host_pod(node: Node, book: Book) -> Json:
    """kube-proxy, which shares its node's address and here is the node's own nftables."""
    pod = Pod(f"kube-proxy-{node.name}", "kube-system", "DaemonSet", "kube-proxy", node.name, node.ip)
    found = pod_object(pod, Life(book.began))
    found["spec"]["hostNetwork"] = True
    return found


def first(book: Book, pods: Iterable[Pod]) -> float:
    return min(book.lives[pod.key].created for pod in pods)


def controllers(book: Book) -> list[Json]:
    """ReplicaSets, Deployments, StatefulSets and DaemonSets of the pods that lived."""
    workloads: dict[tuple[str, str, str], list[Pod]] = {}
    for key in book.lives:
        pod = PODS[key]
        if pod.workload_kind in ("Deployment", "StatefulSet", "DaemonSet"):
            workloads.setdefault((pod.workload_kind, pod.namespace, pod.workload), []).append(pod)
    found = []
    for (kind, space, name), pods in workloads.items():
        alive = sum(book.lives[pod.key].deleted is None for pod in pods)
        found += controller(kind, space, name, first(book, pods), alive)
    return found + controller("DaemonSet", "kube-system", "kube-proxy", book.began, len(NODES))


def controller(kind: str, space: str, name: str, created: float, alive: int) -> list[Json]:
    labels = {"app.kubernetes.io/name": name}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"image": image(name), "name": name}]}}
    spec: Json = {"selector": {"matchLabels": labels}, "template": template}
    if kind == "DaemonSet":
        status: Json = {"currentNumberScheduled": alive, "desiredNumberScheduled": alive, "numberReady": alive}
    else:
        spec |= {"replicas": alive}
        status = {"replicas": alive, "readyReplicas": alive}
    found = [made("apps/v1", kind, meta(kind, space, name, created, labels), spec=spec, status=status)]
    if kind == "Deployment":
        set_name = f"{name}-{plan.letters(name, 10)}"
        metadata = meta("ReplicaSet", space, set_name, created, labels | {"pod-template-hash": set_name[-10:]})
        metadata["ownerReferences"] = owner("apps/v1", "Deployment", space, name)
        found.append(made("apps/v1", "ReplicaSet", metadata, spec=spec, status=status))
    return found


def jobs(book: Book) -> list[Json]:
    runs = [(PODS[key], life) for key, life in book.lives.items() if PODS[key].workload_kind == "CronJob"]
    pod, last = runs[-1]
    spec = {"concurrencyPolicy": "Forbid", "schedule": "* * * * *", "successfulJobsHistoryLimit": 3, "suspend": False}
    metadata = meta("CronJob", pod.namespace, pod.workload, book.began, labels_of(pod))
    status = {"lastScheduleTime": stamp(last.created), "lastSuccessfulTime": stamp(last.finished)}
    return [made("batch/v1", "CronJob", metadata, spec=spec, status=status), *(job(*run) for run in runs)]


def job(pod: Pod, life: Life) -> Json:
    metadata = meta("Job", pod.namespace, job_name(pod, life), life.created, labels_of(pod))
    metadata["ownerReferences"] = owner("batch/v1", "CronJob", pod.namespace, pod.workload)
    done = {"conditions": [condition("Complete", life.finished or life.created)], "succeeded": 1}
    times = {"completionTime": stamp(life.finished), "startTime": stamp(life.created)}
    return made("batch/v1", "Job", metadata, spec={"completions": 1, "parallelism": 1}, status=done | times)


def service_object(service: Service, book: Book) -> Json:
    names = {port: name for pod in plan.backends(service) for name, port in pod.ports.items()}
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
    metadata = meta("Service", service.namespace, service.name, book.began)
    return made("v1", "Service", metadata, spec=spec, status={"loadBalancer": {}})


def endpoint_slice(service: Service, book: Book) -> Json:
    labels = {"kubernetes.io/service-name": service.name}
    metadata = meta("EndpointSlice", service.namespace, f"{service.name}-{plan.letters(service.fqdn, 5)}", 0, labels)
    metadata["creationTimestamp"] = stamp(book.began)
    metadata["ownerReferences"] = owner("v1", "Service", service.namespace, service.name)
    ports = [{"name": port.name, "port": port.target, "protocol": port.protocol} for port in service.ports]
    endpoints = [endpoint(pod, book.lives[pod.key]) for pod in plan.backends(service)]
    return made("discovery.k8s.io/v1", "EndpointSlice", metadata, addressType="IPv4", endpoints=endpoints, ports=ports)


def endpoint(pod: Pod, life: Life) -> Json:
    name = pod_name(pod, life)
    reference = {"kind": "Pod", "name": name, "namespace": pod.namespace, "uid": uid("Pod", pod.namespace, name)}
    place = {"nodeName": pod.node, "zone": NODES[pod.node].zone}
    states = {"ready": True, "serving": True, "terminating": False}
    return {"addresses": [pod.ip], "conditions": states, "targetRef": reference} | place


def network_policy(book: Book) -> Json:
    """What the nodes' forward chain enforces for the ledger."""

    def pods(name: str) -> Json:
        return {"matchLabels": {"app.kubernetes.io/name": name}}

    allowed = {"from": [{"podSelector": pods("payments")}], "ports": [{"port": 6379, "protocol": "TCP"}]}
    spec = {"ingress": [allowed], "podSelector": pods("ledger"), "policyTypes": ["Ingress"]}
    return made(
        "networking.k8s.io/v1", "NetworkPolicy", meta("NetworkPolicy", "payments", "ledger", book.began), spec=spec
    )
