"""What the truth of every recording says in the same words: workloads, interfaces, who held which address."""

from samples.cluster.lives import Book, stamp
from samples.cluster.objects import Json
from samples.cluster.plan import Plan, Pod
from samples.cluster.workloads import pod_name


def workload(pod: Pod) -> Json:
    return {"namespace": pod.namespace, "workload_kind": pod.workload_kind, "workload": pod.workload}


def interfaces(plan: Plan) -> Json:
    """Whose host end a veth is."""
    return {
        node.name: {pod.veth: f"{pod.namespace}/{pod.workload}" for pod in plan.pods_on(node)} | {"eth0": "uplink"}
        for node in plan.nodes.values()
    }


def assignments(book: Book) -> list[Json]:
    return [
        {
            "ip": pod.ip,
            "pod": pod_name(pod, life),
            **workload(pod),
            "node": pod.node,
            "from": stamp(life.created),
            "until": stamp(life.finished),
        }
        for pod, life in ((book.plan.pods[key], life) for key, life in book.lives.items())
    ]
