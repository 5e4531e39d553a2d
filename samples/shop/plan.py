"""What the shop cluster consists of: nodes, pods, Services, the outside, and when things happen."""

from samples.cluster.plan import Node, Plan, Pod, Service, ServicePort

DNS_SERVICE_IP = "10.96.0.10"
METADATA_IP = "169.254.169.254"

# RFC 5737 addresses: nobody owns them, so nothing here can be taken for a real host.
OUTSIDE_IP = "203.0.113.53"
DEAD_RESOLVER_IP = "203.0.113.99"
OFFICE_IP = "192.0.2.50"
PARTNER_IP = "198.51.100.20"
CDN_IP = "198.51.100.30"
BANK_IP = "198.51.100.40"

PARTNER = "partner-api.example"
RATES = "rates.partner-api.example"
CDN = "static.cdn.example"
BANK = "gateway.partner-bank.example"
MANY_ADDRESSES = "edge-pool.cdn.example"
DEAD_NAME = "erp.legacy.example"
SILENT_NAME = "pushgateway.ops.svc.cluster.local"
TUNNEL_SUFFIX = "t.cdn-metrics.example"

# Seconds after the start of the timeline, which is START_SECOND of a minute, so that both runs of the CronJob are due.
START_SECOND = 50
FIRST_RUN = 10
CAMPAIGN_DELETED = 25
RECONCILER_CREATED = 34
SECOND_RUN = 70
CLIENTS_STOP = 82

SCAN_PORTS = (22, 80, 443, 3306, 5432, 6379, 8080, 9090)
UNUSED_IP = "10.244.2.200"


NODES = {
    "node-1": Node("node-1", "172.18.0.11", "zone-a", "10.244.1"),
    "node-2": Node("node-2", "172.18.0.12", "zone-b", "10.244.2"),
}

_DNS = {"dns": 53, "dns-tcp": 53}
_HTTP = {"http": 8080}
_ALL_PODS = (
    Pod("coredns-1", "kube-system", "Deployment", "coredns", "node-1", "10.244.1.2", _DNS),
    Pod("coredns-2", "kube-system", "Deployment", "coredns", "node-2", "10.244.2.2", _DNS),
    Pod("frontend-1", "shop", "Deployment", "frontend", "node-1", "10.244.1.10", _HTTP, "http"),
    Pod("frontend-2", "shop", "Deployment", "frontend", "node-2", "10.244.2.10", _HTTP, "http"),
    Pod("api-1", "shop", "Deployment", "api", "node-1", "10.244.1.11", _HTTP, "http"),
    Pod("api-2", "shop", "Deployment", "api", "node-2", "10.244.2.11", _HTTP, "http"),
    Pod("redis-0", "shop", "StatefulSet", "redis", "node-2", "10.244.2.12", {"redis": 6379}, "tcp"),
    Pod("loader", "shop", "Deployment", "loader", "node-1", "10.244.1.12"),
    Pod("recommender", "shop", "Deployment", "recommender", "node-2", "10.244.2.13"),
    Pod("campaign", "shop", "Deployment", "campaign", "node-1", "10.244.1.30"),
    Pod("sync-1", "shop", "CronJob", "catalog-sync", "node-1", "10.244.1.40"),
    Pod("sync-2", "shop", "CronJob", "catalog-sync", "node-1", "10.244.1.41"),
    Pod("payments", "payments", "Deployment", "payments", "node-2", "10.244.2.20", {"http": 9090}, "http"),
    Pod("ledger-0", "payments", "StatefulSet", "ledger", "node-2", "10.244.2.21", {"redis": 6379}, "tcp"),
    Pod("fx-rates", "payments", "Deployment", "fx-rates", "node-2", "10.244.2.22"),
    Pod("reconciler", "payments", "Deployment", "reconciler", "node-1", "10.244.1.30"),
    Pod("prometheus", "ops", "Deployment", "prometheus", "node-1", "10.244.1.20"),
    Pod("logs", "ops", "Deployment", "logs", "node-2", "10.244.2.32", {"otlp": 4318}, "http"),
    Pod("node-agent-1", "ops", "DaemonSet", "node-agent", "node-1", "10.244.1.21"),
    Pod("node-agent-2", "ops", "DaemonSet", "node-agent", "node-2", "10.244.2.31"),
    Pod("netdebug", "ops", "Pod", "netdebug", "node-2", "10.244.2.30"),
)
PODS = {pod.key: pod for pod in _ALL_PODS}

SERVICES = (
    Service(
        "kube-system",
        "kube-dns",
        "coredns",
        (ServicePort("dns", 53, 53, "UDP"), ServicePort("dns-tcp", 53, 53)),
        DNS_SERVICE_IP,
    ),
    Service("shop", "frontend", "frontend", (ServicePort("http", 80, 8080, node_port=30080),), "10.96.20.10"),
    Service("shop", "api", "api", (ServicePort("http", 80, 8080),), "10.96.20.11"),
    Service("shop", "redis", "redis", (ServicePort("redis", 6379, 6379),)),
    Service("payments", "payments", "payments", (ServicePort("http", 80, 9090),), "10.96.30.10"),
    Service("payments", "ledger", "ledger", (ServicePort("redis", 6379, 6379),)),
    Service("ops", "logs", "logs", (ServicePort("otlp", 4318, 4318),), "10.96.40.10"),
)

SHOP = Plan(
    "shop",
    ("kube-system", "shop", "payments", "ops"),
    NODES,
    PODS,
    SERVICES,
    DNS_SERVICE_IP,
    {"coredns": "registry.example/coredns:1.12", "frontend": "registry.example/frontend:3.2"},
)
