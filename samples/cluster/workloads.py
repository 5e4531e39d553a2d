"""The pods, and the controllers and Jobs that own them, deleted pods as a watch last saw them."""

from collections.abc import Iterable

from samples.cluster.lives import Book, Life, stamp
from samples.cluster.objects import Json, condition, made, meta, owner
from samples.cluster.plan import NDOTS, Node, Plan, Pod, letters


def labels_of(pod: Pod) -> Json:
    return {"app.kubernetes.io/name": pod.workload}


def template_hash(pod: Pod) -> str:
    return letters(pod.workload, 10)


def job_name(pod: Pod, life: Life) -> str:
    """A CronJob names its Jobs by the minute they were due."""
    return f"{pod.workload}-{round(life.created / 60)}"


def pod_name(pod: Pod, life: Life) -> str:
    suffix = letters(f"pod {pod.key}", 5)
    if pod.workload_kind == "Deployment":
        return f"{pod.workload}-{template_hash(pod)}-{suffix}"
    if pod.workload_kind == "CronJob":
        return f"{job_name(pod, life)}-{suffix}"
    return f"{pod.workload}-{suffix}" if pod.workload_kind == "DaemonSet" else pod.key


def pod_owner(plan: Plan, pod: Pod, life: Life) -> list[Json]:
    space = pod.namespace
    if pod.workload_kind == "Deployment":
        return owner(plan, "apps/v1", "ReplicaSet", space, f"{pod.workload}-{template_hash(pod)}")
    if pod.workload_kind == "CronJob":
        return owner(plan, "batch/v1", "Job", space, job_name(pod, life))
    return [] if pod.workload_kind == "Pod" else owner(plan, "apps/v1", pod.workload_kind, space, pod.workload)


def pod_object(plan: Plan, pod: Pod, life: Life) -> Json:
    name = pod_name(pod, life)
    labels = labels_of(pod)
    if pod.workload_kind == "Deployment":
        labels |= {"pod-template-hash": template_hash(pod)}
    if pod.workload_kind == "CronJob":
        labels |= {"job-name": job_name(pod, life)}
    metadata = meta(plan, "Pod", pod.namespace, name, life.created, labels)
    owners = pod_owner(plan, pod, life)
    if owners:
        metadata["ownerReferences"] = owners
    if life.deleted:
        metadata |= {"deletionGracePeriodSeconds": 0, "deletionTimestamp": stamp(life.deleted)}
    return made("v1", "Pod", metadata, spec=pod_spec(plan, pod), status=pod_status(plan, pod, life))


def pod_spec(plan: Plan, pod: Pod) -> Json:
    ports = [
        {"containerPort": port, "name": name, "protocol": "UDP" if name == "dns" else "TCP"}
        for name, port in pod.ports.items()
    ]
    container: Json = {"image": image(plan, pod.workload), "name": pod.workload}
    if ports:
        container["ports"] = ports
    spec: Json = {"containers": [container]}
    if pod.ndots != NDOTS:
        spec["dnsConfig"] = {"options": [{"name": "ndots", "value": str(pod.ndots)}]}
    return spec | {"nodeName": pod.node, "restartPolicy": restart(pod)}


def restart(pod: Pod) -> str:
    return "Never" if pod.workload_kind == "CronJob" else "Always"


def image(plan: Plan, name: str) -> str:
    return plan.images.get(name, f"registry.example/{name}:1.0")


def pod_status(plan: Plan, pod: Pod, life: Life) -> Json:
    node = plan.nodes[pod.node]
    ready = "True" if is_ready(pod, life) else "False"
    return {
        "conditions": [
            condition("PodScheduled", life.created),
            condition("Initialized", life.created),
            condition("Ready", life.finished or life.created, ready),
        ],
        "containerStatuses": [container_status(plan, pod, life)],
        "hostIP": node.ip,
        "hostIPs": [{"ip": node.ip}],
        "phase": "Succeeded" if life.finished else "Running",
        "podIP": pod.ip,
        "podIPs": [{"ip": pod.ip}],
        "startTime": stamp(life.created),
    }


def is_ready(pod: Pod, life: Life) -> bool:
    return pod.ready and not life.finished


def container_status(plan: Plan, pod: Pod, life: Life) -> Json:
    started = stamp(life.created)
    state: Json = {"running": {"startedAt": started}}
    if life.finished:
        ended = {"exitCode": 0, "finishedAt": stamp(life.finished), "reason": "Completed", "startedAt": started}
        state = {"terminated": ended}
    facts = {"image": image(plan, pod.workload), "name": pod.workload, "restartCount": 0}
    return facts | {"ready": is_ready(pod, life), "started": not life.finished, "state": state}


def host_pod(node: Node, book: Book) -> Json:
    """kube-proxy, which shares its node's address and here is the node's own nftables."""
    found = pod_object(book.plan, proxy(node), Life(book.began))
    found["spec"]["hostNetwork"] = True
    return found


def proxy(node: Node) -> Pod:
    return Pod(f"kube-proxy-{node.name}", "kube-system", "DaemonSet", "kube-proxy", node.name, node.ip)


def first(book: Book, pods: Iterable[Pod]) -> float:
    return min(book.lives[pod.key].created for pod in pods)


def controllers(book: Book) -> list[Json]:
    """ReplicaSets, Deployments, StatefulSets and DaemonSets of the pods that lived."""
    workloads: dict[tuple[str, str, str], list[Pod]] = {}
    for key in book.lives:
        pod = book.plan.pods[key]
        if pod.workload_kind in ("Deployment", "StatefulSet", "DaemonSet"):
            workloads.setdefault((pod.workload_kind, pod.namespace, pod.workload), []).append(pod)
    found = []
    for pods in workloads.values():
        alive = [pod for pod in pods if book.lives[pod.key].deleted is None]
        found += controller(book, pods[0], first(book, pods), len(alive), sum(pod.ready for pod in alive))
    nodes = [proxy(node) for node in book.plan.nodes.values()]
    return found + controller(book, nodes[0], book.began, len(nodes), len(nodes))


def controller(book: Book, pod: Pod, created: float, alive: int, ready: int) -> list[Json]:
    kind, space, name = pod.workload_kind, pod.namespace, pod.workload
    labels = labels_of(pod)
    template = {
        "metadata": {"labels": labels},
        "spec": {"containers": [{"image": image(book.plan, name), "name": name}]},
    }
    spec: Json = {"selector": {"matchLabels": labels}, "template": template}
    if kind == "DaemonSet":
        status: Json = {"currentNumberScheduled": alive, "desiredNumberScheduled": alive, "numberReady": ready}
    else:
        spec |= {"replicas": alive}
        status = {"replicas": alive, "readyReplicas": ready}
    found = [made("apps/v1", kind, meta(book.plan, kind, space, name, created, labels), spec=spec, status=status)]
    if kind == "Deployment":
        metadata = meta(
            book.plan,
            "ReplicaSet",
            space,
            f"{name}-{template_hash(pod)}",
            created,
            labels | {"pod-template-hash": template_hash(pod)},
        )
        metadata["ownerReferences"] = owner(book.plan, "apps/v1", "Deployment", space, name)
        found.append(made("apps/v1", "ReplicaSet", metadata, spec=spec, status=status))
    return found


def jobs(book: Book) -> list[Json]:
    """One CronJob for each workload of that kind, and its Jobs."""
    runs: dict[tuple[str, str], list[tuple[Pod, Life]]] = {}
    for key, life in book.lives.items():
        pod = book.plan.pods[key]
        if pod.workload_kind == "CronJob":
            runs.setdefault((pod.namespace, pod.workload), []).append((pod, life))
    return [found for mine in runs.values() for found in (cron_job(book, mine), *(job(book, *run) for run in mine))]


def cron_job(book: Book, runs: list[tuple[Pod, Life]]) -> Json:
    pod, last = runs[-1]
    spec = {"concurrencyPolicy": "Forbid", "schedule": "* * * * *", "successfulJobsHistoryLimit": 3, "suspend": False}
    metadata = meta(book.plan, "CronJob", pod.namespace, pod.workload, book.began, labels_of(pod))
    status = {"lastScheduleTime": stamp(last.created), "lastSuccessfulTime": stamp(last.finished)}
    return made("batch/v1", "CronJob", metadata, spec=spec, status=status)


def job(book: Book, pod: Pod, life: Life) -> Json:
    metadata = meta(book.plan, "Job", pod.namespace, job_name(pod, life), life.created, labels_of(pod))
    metadata["ownerReferences"] = owner(book.plan, "batch/v1", "CronJob", pod.namespace, pod.workload)
    done = {"conditions": [condition("Complete", life.finished or life.created)], "succeeded": 1}
    times = {"completionTime": stamp(life.finished), "startTime": stamp(life.created)}
    return made("batch/v1", "Job", metadata, spec={"completions": 1, "parallelism": 1}, status=done | times)
