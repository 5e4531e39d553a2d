"""Which kinds are read of a cluster, and where its API has them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Resource:
    """Of several ``paths`` the first that the server has is read."""

    kind: str
    paths: tuple[str, ...]


# Who holds an address, and what says whose a pod is.
WATCHED = (
    Resource("Pod", ("/api/v1/pods",)),
    Resource("Service", ("/api/v1/services",)),
    Resource("EndpointSlice", ("/apis/discovery.k8s.io/v1/endpointslices",)),
    Resource("Node", ("/api/v1/nodes",)),
    Resource("Namespace", ("/api/v1/namespaces",)),
    Resource("ReplicaSet", ("/apis/apps/v1/replicasets",)),
    Resource("Job", ("/apis/batch/v1/jobs",)),
)

# What policies are recommended and judged by, and the cluster's own networks; a cluster need not have all of them.
LISTED = (
    Resource("Deployment", ("/apis/apps/v1/deployments",)),
    Resource("StatefulSet", ("/apis/apps/v1/statefulsets",)),
    Resource("DaemonSet", ("/apis/apps/v1/daemonsets",)),
    Resource("CronJob", ("/apis/batch/v1/cronjobs",)),
    Resource("ServiceAccount", ("/api/v1/serviceaccounts",)),
    Resource("NetworkPolicy", ("/apis/networking.k8s.io/v1/networkpolicies",)),
    Resource(
        "ServiceCIDR", ("/apis/networking.k8s.io/v1/servicecidrs", "/apis/networking.k8s.io/v1beta1/servicecidrs")
    ),
    # With Calico's own API server, and without.
    Resource("IPPool", ("/apis/projectcalico.org/v3/ippools", "/apis/crd.projectcalico.org/v1/ippools")),
    Resource(
        "NetworkPolicy",
        ("/apis/projectcalico.org/v3/networkpolicies", "/apis/crd.projectcalico.org/v1/networkpolicies"),
    ),
)
