"""What the resolvers cluster consists of, who plays what part, and when."""

from samples.cluster.plan import Node, Plan, Pod, Service, ServicePort

DNS_SERVICE_IP = "10.96.0.10"
# RFC 5737 addresses: nobody owns them, so nothing here can be taken for a real host.
PROVIDER_IP = "203.0.113.53"  # the resolver that the cluster forwards to
AUTHORITY_IP = "203.0.113.61"
SLOW_IP = "192.0.2.62"
PUBLIC_IP = "203.0.113.8"  # a public resolver: DNS, DoT and DoH
DEAD_IP = "203.0.113.99"
WIDGET_IP = "203.0.113.80"
WEB_NETWORK, WEB_IP = "198.51.100.0/24", "198.51.100.20"
PAYMENTS_IP = "10.96.30.10"
CORP_DNS_IP = "10.100.0.53"
INTRANET_IP = "10.100.0.20"
# All over the address space, as hijacked machines lie; 240.0.0.0/4 is reserved (RFC 1112), so nobody's either.
FLUX_NETWORK = "240.0.0.0/4"
FLUX_IPS = tuple(f"{240 + host % 15}.{host * 37 % 251}.{host * 11 % 241}.9" for host in range(1, 25))
CDN_IPS = tuple(f"198.51.100.{host}" for host in range(31, 39))
MANY_IPS = tuple(f"198.51.100.{host}" for host in range(150, 250))

SLOW_MS, SLOW_REPLICA_MS = 150, 40
SLOW_REPLICA = "coredns-2"
SLOW_LINE, SLOW_REPLICA_LINE = "slow-line", "slow-replica-line"
UNHEARD = ("checkout", "cart-sync", "quotes")  # who asks while that replica is silent

# Seconds after the start of the timeline. While a replica is silent only those ask who are to notice.
FIRST, SILENT, SECOND = (1, 40), (44, 62), (66, 100)
SILENT_ASK = 46
REBOUND = 84
END = 103

PAYGATE = "api.paygate.example"
GATEWAY, SQUATTED = "payments-gateway.example", "payrnents-gateway.example"
CATALOG = "catalog.shop.svc.cluster.local"
DEAD_NAME, LAME_NAME = "erp.erp-cloud.example", "vat.tax-office.example"
MISSPELT, MISPLACED = "paymets.payments", "payments.shop"
TOGGLES = "toggles.partner-api.example"
MANY_ADDRESSES = "geo.edge-pool.example"
SLOW_NAMES = tuple(f"quote-{number}.slow-bank.example" for number in range(6))
SPOT = "spot.prices.example"
ABSENT_FLAG = "beta.flags.example"
TUNNEL_SUFFIX = "t.cdn-sync.example"
FLUX = "win.promo-lottery.example"
REBINDING = "widget.ad-frames.example"
DOH_HOST = "dns.google"
DOH_NAME, DOT_NAME, PUBLIC_NAME = "news.partner-api.example", "mail.partner-api.example", "files.partner-api.example"
ASSET_HOSTS = tuple(f"{number * 7919 % 16777216:06x}.asset-host.example" for number in range(101, 121))
CDN = "assets.cdn.example"
REGIONS = ("shop-eu.example", "shop-us.example")
INTRANET = "intranet.corp.example"
FORGOTTEN = "old.partner-api.example"
RATES = "rates.partner-api.example"
MAIL_DOMAINS = ("partner-api.example", "paygate.example", "cdn.example")

NODES = {
    "node-1": Node("node-1", "172.18.0.11", "zone-a", "10.244.1"),
    "node-2": Node("node-2", "172.18.0.12", "zone-b", "10.244.2"),
}
_DNS = {"dns": 53, "dns-tcp": 53}
_HTTP = {"http": 8080}
SERVERS = (
    Pod("coredns-1", "kube-system", "Deployment", "coredns", "node-1", "10.244.1.2", _DNS),
    Pod("coredns-2", "kube-system", "Deployment", "coredns", "node-2", "10.244.2.2", _DNS, line=SLOW_REPLICA_LINE),
    Pod("payments", "payments", "Deployment", "payments", "node-2", "10.244.2.3", _HTTP),
    Pod("catalog", "shop", "Deployment", "catalog", "node-1", "10.244.1.3", _HTTP),
    Pod("cart-1", "shop", "Deployment", "cart", "node-1", "10.244.1.4", _HTTP),
    Pod("cart-2", "shop", "Deployment", "cart", "node-2", "10.244.2.4", _HTTP, ready=False, listens=False),
    Pod("reports", "shop", "Deployment", "reports", "node-2", "10.244.2.5", _HTTP, ready=False, listens=False),
    Pod("search", "shop", "Deployment", "search", "node-1", "10.244.1.5", _HTTP, listens=False),
)
# Namespace, workload, ndots; the program a workload runs is the role of its name.
_CLIENTS = (
    ("payments", "billing", 5),
    ("payments", "ledger", 5),
    ("payments", "risk", 5),
    ("payments", "fraud", 5),
    ("payments", "billing-ndots", 1),
    ("payments", "billing-dot", 5),
    ("shop", "checkout", 1),
    ("shop", "cart-sync", 1),
    ("shop", "quotes", 1),
    ("shop", "storefront", 5),
    ("payments", "invoicing", 1),
    ("ops", "exporter", 5),
    ("ops", "refunds", 5),
    ("shop", "report-viewer", 5),
    ("shop", "search-ui", 5),
    ("shop", "cart-client", 5),
    ("shop", "flag-poller", 1),
    ("ops", "geo-sync", 1),
    ("ops", "geo-blocked", 1),
    ("ops", "geo-musl", 1),
    ("payments", "treasury", 1),
    ("ops", "legacy-batch", 1),
    ("ops", "dot-agent", 1),
    ("ops", "browser", 1),
    ("shop", "pricing", 1),
    ("shop", "launcher", 1),
    ("shop", "encoder", 1),
    ("shop", "thumbnailer", 1),
    ("ops", "mailer", 1),
    ("ops", "kiosk", 1),
    ("payments", "webhook", 1),
    ("shop", "storefront-cdn", 1),
    ("shop", "image-proxy", 1),
    ("ops", "healthcheck", 5),
    ("ops", "intranet-sync", 1),
    ("ops", "crawler", 1),
    ("shop", "regional", 1),
    ("ops", "mail-checker", 1),
    ("payments", "rates-reader", 1),
)


def _client(turn: int, namespace: str, workload: str, ndots: int) -> Pod:
    node = NODES[("node-1", "node-2")[turn % 2]]
    ip = f"{node.pod_prefix}.{10 + turn}"
    return Pod(workload, namespace, "Deployment", workload, node.name, ip, ndots=ndots)


CLIENTS = tuple(_client(turn, *given) for turn, given in enumerate(_CLIENTS))
PODS = {pod.key: pod for pod in (*SERVERS, *CLIENTS)}
_WEB = (ServicePort("http", 80, 8080),)
SERVICES = (
    Service(
        "kube-system",
        "kube-dns",
        "coredns",
        (ServicePort("dns", 53, 53, "UDP"), ServicePort("dns-tcp", 53, 53)),
        DNS_SERVICE_IP,
    ),
    Service("payments", "payments", "payments", _WEB, PAYMENTS_IP),
    Service("shop", "catalog", "catalog", _WEB, "10.96.20.10"),
    Service("shop", "cart", "cart", _WEB, "10.96.20.11"),
    Service("shop", "reports", "reports", _WEB, "10.96.20.12"),
    Service("shop", "search", "search", _WEB, "10.96.20.13"),
)
RESOLVERS = Plan("resolvers", ("kube-system", "shop", "payments", "ops"), NODES, PODS, SERVICES, DNS_SERVICE_IP, {})
