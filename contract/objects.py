"""The objects table: what Kubernetes said of the cluster, as far as anybody asks."""

from contract.columns import TEXT, TIME, Column, Table

OBJECTS = Table(
    "objects",
    "A Kubernetes object as one reading of the cluster had it; the newest reading is the cluster as it is.",
    time="seen_time",
    sort_by=("seen_time", "kind", "namespace", "name"),
    columns=(
        Column("cluster", TEXT, "name of the cluster", "not told"),
        Column("seen_time", TIME, "when the cluster was read: the same for all objects of one reading"),
        Column("kind", TEXT, "Pod, Service, Deployment …"),
        Column("namespace", TEXT, "its namespace", "it has none"),
        Column("name", TEXT, "its name"),
        Column("document", TEXT, "its fields that matter here, as JSON: no annotations, no environment, no arguments"),
    ),
)
