"""Which API groups the kinds are of that are read: a Service of Knative is no Service of Kubernetes."""

from collections.abc import Mapping

CORE, APPS, BATCH = "", "apps", "batch"
DISCOVERY, NETWORKING, CALICO = "discovery.k8s.io", "networking.k8s.io", "projectcalico.org"

# The first is the one that is meant where no apiVersion stands.
GROUPS: Mapping[str, tuple[str, ...]] = {
    "Pod": (CORE,),
    "Deployment": (APPS,),
    "StatefulSet": (APPS,),
    "DaemonSet": (APPS,),
    "ReplicaSet": (APPS,),
    "ReplicationController": (CORE,),
    "Job": (BATCH,),
    "CronJob": (BATCH,),
    "Service": (CORE,),
    "EndpointSlice": (DISCOVERY,),
    "Namespace": (CORE,),
    "ServiceAccount": (CORE,),
    "Node": (CORE,),
    "NetworkPolicy": (NETWORKING, CALICO),
    "ServiceCIDR": (NETWORKING,),
    "IPPool": (CALICO,),
}
# The same objects under another name.
ALIASES: Mapping[str, str] = {"extensions": APPS, "crd.projectcalico.org": CALICO}


def known_group(kind: str, version: str | None) -> str | None:
    """The API group of an object by its kind and apiVersion; None of one that is not meant by that kind."""
    groups = GROUPS.get(kind, ())
    if version is None:
        return groups[0] if groups else None
    group = version.rpartition("/")[0]
    group = ALIASES.get(group, group)
    return group if group in groups else None
