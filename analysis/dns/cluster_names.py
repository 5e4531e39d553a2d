"""What a name means inside the cluster: DNS names of Services (Kubernetes DNS-Based Service Discovery 1.1.0)."""

from collections.abc import Iterator

from analysis.dns.finding import Context, Service


def service_at(name: str, context: Context) -> Service | None:
    """The Service that ``name`` belongs to, be it the Service's own, a port's (``_http._tcp.…``) or a host's below it."""
    labels = name.removesuffix(f".svc.{context.cluster_domain}").split(".")
    if name.count(".") < len(labels) or len(labels) < 2:
        return None
    return context.known.get((labels[-1], labels[-2]))


def searched(asked: str, namespace: str | None, context: Context) -> Iterator[str]:
    """The names that a pod's resolver makes of ``asked``, in its order."""
    if namespace:
        yield f"{asked}.{namespace}.svc.{context.cluster_domain}"
    yield f"{asked}.svc.{context.cluster_domain}"
    yield f"{asked}.{context.cluster_domain}"
    yield asked


def service_meant(asked: str, namespace: str | None, context: Context) -> Service | None:
    """The first Service that the search path of a pod in ``namespace`` leads to."""
    found = (service_at(name, context) for name in searched(asked, namespace, context))
    return next((service for service in found if service is not None), None)
