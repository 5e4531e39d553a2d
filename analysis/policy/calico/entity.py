"""The source or the destination of a rule: whom it names."""

from dataclasses import dataclass

from analysis.policy.calico.domains import Domains, pattern
from analysis.policy.calico.labels import Labelled, Sets
from analysis.policy.calico.networks import Inside, networks
from analysis.policy.calico.selector import (
    NAMESPACE,
    SERVICE_ACCOUNT,
    Expression,
    OneOf,
    both,
    expression,
    namespaces,
    service_accounts,
)
from analysis.policy.endpoints import Selection
from analysis.policy.parts import Part
from analysis.policy.selectors import Not

SELECTORS = ("selector", "notSelector", "namespaceSelector", "serviceAccounts")
FIELDS = (*SELECTORS, "nets", "notNets", "ports", "notPorts", "services", "domains")


@dataclass(frozen=True)
class Scope:
    """``namespace`` is None in a GlobalNetworkPolicy."""

    namespace: str | None
    sets: Sets


def entity(part: Part | None, scope: Scope, names_domains: bool) -> tuple[Selection, ...]:
    """Whom all of these select; only what ``names_domains`` (the destination of an egress rule that allows) may have domains."""
    if part is None:
        return ()
    part.fields(FIELDS)
    found: list[Selection] = []
    if (positive := _positive(part, scope)) is not None:
        found.append(Labelled(positive, scope.sets, names_domains))
    if (negative := expression(part.get("notSelector"))) is not None:
        found.append(Not(Labelled(negative, scope.sets)))
    if inside := networks(part, "nets"):
        found.append(Inside(inside))
    if outside := networks(part, "notNets"):
        found.append(Not(Inside(outside)))
    return (*found, *_domains(part, names_domains))


def _positive(part: Part, scope: Scope) -> Expression | None:
    """A namespaced policy looks into its own namespace alone as soon as it has any selector, be it notSelector."""
    accounts, selector = _accounts(part.get("serviceAccounts")), expression(part.get("selector"))
    told = namespaces(part.get("namespaceSelector"), in_a_rule=True)
    if told is None and scope.namespace is not None and (accounts or selector or _has(part, "notSelector")):
        told = OneOf(NAMESPACE, (scope.namespace,))
    return both(told, accounts, selector)


def _accounts(part: Part | None) -> Expression | None:
    if part is None:
        return None
    part.fields(("names", "selector"))
    names = tuple(name.text for name in part.items("names"))
    return both(service_accounts(part.get("selector")), OneOf(SERVICE_ACCOUNT, names) if names else None)


def _domains(part: Part, names_domains: bool) -> tuple[Selection, ...]:
    told = part.items("domains")
    if not told:
        return ()
    if not names_domains:
        raise told[0].wrong("is a domain", "only the destination of an egress rule that allows can have one")
    beside = [key for key in (*SELECTORS, "nets", "notNets", "services") if _has(part, key)]
    if beside:
        raise told[0].wrong(f"is a domain beside {beside[0]}", "make two rules of it")
    return (Domains(tuple(map(pattern, told))),)


def has_service(part: Part | None, scope: Scope) -> bool:
    """Whether it names a Service; what a Service cannot stand beside is refused."""
    service = part.get("services") if part else None
    if part is None or service is None:
        return False
    service.fields(("name", "namespace"))
    if not service.needed("name").text:
        raise service.wrong("has no name", "name the Service")
    namespace = service.get("namespace")
    if (namespace is None or not namespace.text) and scope.namespace is None:
        raise service.wrong("has no namespace", "a GlobalNetworkPolicy has to name it")
    beside = [key for key in (*SELECTORS, "nets", "notNets") if _has(part, key)]
    if beside:
        raise service.wrong(f"stands beside {beside[0]}", "make two rules of it")
    return True


def _has(part: Part, key: str) -> bool:
    found = part.get(key)
    return found is not None and found.value not in ("", [])
