"""The assignments table: who held which address, from when until when."""

from contract.columns import FLAG, LABELS, TEXT, TIME, Column, Table

ASSIGNMENTS = Table(
    "assignments",
    "A workload held an address during [from_time, until_time).",
    time="from_time",
    sort_by=("ip", "from_time"),
    columns=(
        Column("cluster", TEXT, "name of the cluster", "not told"),
        Column("ip", TEXT, "the address (RFC 5952 text)"),
        Column("kind", TEXT, "pod, service, node"),
        Column("uid", TEXT, "metadata.uid of the object"),
        Column("namespace", TEXT, "its namespace", "a node has none"),
        Column("name", TEXT, "its name"),
        Column("workload_kind", TEXT, "Deployment, StatefulSet, DaemonSet, CronJob, Job, Pod, Node, Service …"),
        Column("workload", TEXT, "name of the owner that survives restarts"),
        Column("node", TEXT, "node it ran on", "a Service has none"),
        Column("zone", TEXT, "topology.kubernetes.io/zone of that node", "not labelled"),
        Column("labels", LABELS, "its labels"),
        Column("host_network", FLAG, "a pod that shares its node's address"),
        Column("from_time", TIME, "held from here on"),
        Column("until_time", TIME, "held no longer", "still held"),
    ),
)
