"""The cluster that the live tests watch: two nodes, ten pods of which three hold one address in turn, and an outside."""

import os

from samples.cluster.plan import Node, Plan, Pod, Service, ServicePort

NAMES = "10.96.0.10"
WEB = "10.96.20.10"
OFFICE, PARTNER = "192.0.2.50", "198.51.100.20"
PARTNER_NAME = "api.partner.example"
NODE_PORT = 30080
# Kubernetes tells times in whole seconds: a pod that goes is silent for so long, or its last packets are the next one's.
SILENCE_S = 1.5

NODES = {
    "node-1": Node("node-1", "172.18.0.11", "zone-a", "10.244.1"),
    "node-2": Node("node-2", "172.18.0.12", "zone-b", "10.244.2"),
}
_HTTP = {"http": 8080}
_PODS = (
    Pod("names", "kube-system", "Deployment", "coredns", "node-1", "10.244.1.2", {"dns": 53}),
    Pod("web-1", "shop", "Deployment", "web", "node-1", "10.244.1.10", _HTTP),
    Pod("web-2", "shop", "Deployment", "web", "node-2", "10.244.2.10", _HTTP),
    Pod("store-0", "shop", "StatefulSet", "store", "node-2", "10.244.2.12", {"store": 6379}),
    Pod("loader", "shop", "Deployment", "loader", "node-1", "10.244.1.12"),
    Pod("reader", "shop", "Deployment", "reader", "node-2", "10.244.2.13"),
    # One address, three pods: two that call, and one that is called.
    Pod("campaign", "shop", "Deployment", "campaign", "node-1", "10.244.1.30"),
    Pod("reconciler", "payments", "Deployment", "reconciler", "node-1", "10.244.1.30"),
    Pod("ledger", "payments", "Deployment", "ledger", "node-1", "10.244.1.30", _HTTP),
    Pod("auditor", "payments", "Deployment", "auditor", "node-2", "10.244.2.20"),
)
_SERVICES = (
    Service("kube-system", "kube-dns", "coredns", (ServicePort("dns", 53, 53, "UDP"),), NAMES),
    Service("shop", "web", "web", (ServicePort("http", 80, 8080, node_port=NODE_PORT),), WEB),
    Service("shop", "store", "store", (ServicePort("store", 6379, 6379),)),
)

LIVE = Plan(
    f"live{os.getpid()}",
    ("kube-system", "shop", "payments"),
    NODES,
    {pod.key: pod for pod in _PODS},
    _SERVICES,
    NAMES,
    {},
)
SERVERS = ("names", "web-1", "web-2", "store-0")
