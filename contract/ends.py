"""What the enricher knows of one end of a flow or of a DNS transaction."""

from contract.columns import LABELS, TEXT, Column

UNKNOWN = "no assignment held the address at that time"

END = (
    Column(
        "kind",
        TEXT,
        "what held the {end} address: pod, service, node, external (outside every cluster range)",
        "an address of the cluster's ranges that nothing held, or no Kubernetes objects were given",
        by="enricher",
    ),
    Column("namespace", TEXT, "namespace of the {end} workload or Service", UNKNOWN, by="enricher"),
    Column(
        "pod",
        TEXT,
        "pod name; behind a Service address the pod that answered",
        "not a pod, or unknown which",
        by="enricher",
    ),
    Column(
        "workload_kind",
        TEXT,
        "Deployment, StatefulSet, DaemonSet, CronJob, Job, Pod, Node …",
        UNKNOWN,
        by="enricher",
    ),
    Column("workload", TEXT, "name of the owner that survives restarts", UNKNOWN, by="enricher"),
    Column("node", TEXT, "node the {end} pod ran on, or the node itself", UNKNOWN, by="enricher"),
    Column(
        "zone",
        TEXT,
        "topology.kubernetes.io/zone of that node",
        "the node has no zone label, or is unknown",
        by="enricher",
    ),
    Column("labels", LABELS, "labels of the {end} pod", UNKNOWN, by="enricher"),
)

SERVICE = (
    Column(
        "service_namespace",
        TEXT,
        "namespace of the Service the client addressed, or whose endpoint it is",
        "no Service",
        by="enricher",
    ),
    Column("service", TEXT, "name of that Service", "no Service", by="enricher"),
    Column(
        "service_port_name",
        TEXT,
        "name of the Service port",
        "no Service, or the port has no name",
        by="enricher",
    ),
)
