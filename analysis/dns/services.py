"""The cluster as a lake knows it: its domain, its Services and what is behind them."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from analysis.dns.finding import CLUSTER_DOMAIN, Context, Service
from analysis.policy.objects import InLake
from analysis.policy.topology import Objects, read_objects
from analysis.questions import TIMEOUT_S, WINDOW, ask, asking
from enricher.holders import service_addresses
from enricher.item import Item
from enricher.services import slices_of
from store.lake import Lake

KINDS = {"Service", "EndpointSlice"}


def read_context(lake: Lake, parameters: Mapping[str, Any] | None = None, timeout_s: float = TIMEOUT_S) -> Context:
    """Of ``parameters``: the domain is that of the names of [since, until), the Services are as the newest reading has them.

    Of a lake with objects of several clusters the Services are not known, if no ``cluster`` is named.
    """
    window = {name: (parameters or {}).get(name) for name in WINDOW}
    domain = _domain(lake, window, timeout_s)
    cluster = window["cluster"]
    with asking(lake, {"cluster": cluster}) as told:
        readings = told("policy/reading", {}, None, timeout_s).table.to_pylist()
        gone = told("dns/gone_services", {}, None, timeout_s).table.to_pylist()
    if len(readings) != 1:
        return Context(domain)
    services = tuple(_services(read_objects(InLake(lake, cluster), KINDS)))
    if not services:
        return Context(domain)
    return Context(
        cluster_domain=domain,
        services=services,
        read=readings[0]["seen_time"],
        gone={(row["namespace"] or "default", row["name"]): row["seen_time"] for row in gone},
    )


def _domain(lake: Lake, window: Mapping[str, object], timeout_s: float) -> str:
    rows = ask(lake, "dns/cluster_domain", window, 1, timeout_s).table.to_pylist()
    return str(rows[0]["domain"]) if rows else CLUSTER_DOMAIN


def _services(objects: Objects) -> Iterator[Service]:
    slices = slices_of(objects.get("EndpointSlice", ()))
    for item in objects.get("Service", ()):
        namespace, name = item.text("metadata.namespace"), item.needed("metadata.name")
        ready, unready = _endpoints(slices.get((namespace, name)))
        yield Service(
            namespace=namespace or "default",
            name=name,
            ready=ready,
            unready=unready,
            addresses=tuple(service_addresses(item)),
            ports=tuple(dict.fromkeys(number for port in item.children("spec.ports") if (number := port.port("port")))),
        )


def _endpoints(slices: Iterable[Item] | None) -> tuple[int | None, int | None]:
    """Ready and unready ones. The pods that a selector finds do not say it: a lake keeps no conditions of pods."""
    if slices is None:
        return None, None
    ready: dict[str, bool] = {}
    for endpoint in (endpoint for one in slices for endpoint in one.children("endpoints")):
        # An endpoint of two families stands in two slices. Unknown readiness is ready (EndpointConditions).
        uid = endpoint.text("targetRef.uid") if endpoint.raw("targetRef") else None
        name = uid or next(iter(endpoint.addresses("addresses")), "")
        ready[name] = ready.get(name, False) or endpoint.flag("conditions.ready") is not False
    return sum(ready.values()), len(ready) - sum(ready.values())
