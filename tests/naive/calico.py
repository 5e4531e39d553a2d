"""What Calico's reference says of its policies, word by word: one tier, one policy, one rule, one edge at a time.

The words are those of the resource reference (docs.tigera.io: NetworkPolicy, GlobalNetworkPolicy, NetworkSet, Tier) and of
the comments of the API's types. Documents are taken as they were written.
"""

import ipaddress
import re
from collections.abc import Sequence
from typing import Any

from analysis.policy.endpoints import Endpoint
from tests.naive import policy as kubernetes
from tests.naive.calico_selector import Labels, holds

Document = dict[str, Any]

NUMBERS = {"TCP": 6, "UDP": 17, "SCTP": 132, "ICMP": 1, "ICMPv6": 58, "UDPLite": 136}
NOT_ISOLATED = kubernetes.NOT_ISOLATED
DEFAULT_DENY = kubernetes.DEFAULT_DENY
ALWAYS = kubernetes.ALWAYS
UNKNOWN = kubernetes.UNKNOWN
BUILT_IN = {"default": (1_000_000.0, "Deny")}


class World:
    """Documents and endpoints as they are; staged policies stand where their enforced ones would."""

    def __init__(self, documents: Sequence[Document], endpoints: Sequence[Endpoint]) -> None:
        self.endpoints = endpoints
        self.namespaces = {one.namespace: one.namespace_labels for one in endpoints if one.namespace}
        self.sets = [one for one in documents if one["kind"] in ("NetworkSet", "GlobalNetworkSet")]
        self.tiers = dict(BUILT_IN)
        for one in documents:
            if one["kind"] == "Tier":
                spec = one.get("spec", {})
                order = spec.get("order")
                self.tiers[one["metadata"]["name"]] = (
                    float("inf") if order is None else order,
                    spec.get("defaultAction", "Deny"),
                )
        self.policies = judged([one for one in documents if one["kind"].endswith("NetworkPolicy")])


def judged(policies: Sequence[Document]) -> list[Document]:
    """Set and Learn take the place of the enforced policy, Delete takes it away, Ignore is nothing."""
    found = []
    for one in policies:
        action = one["spec"].get("stagedAction", "Set")
        if one["kind"].startswith("Staged"):
            if action in ("Set", "Learn"):
                found.append(one)
        elif not any(replaces(other, one) for other in policies):
            found.append(one)
    return found


def replaces(staged: Document, enforced: Document) -> bool:
    same_name = staged["metadata"]["name"] == enforced["metadata"]["name"]
    same_namespace = staged["metadata"].get("namespace") == enforced["metadata"].get("namespace")
    kind = "Kubernetes" * is_kubernetes(enforced) + enforced["kind"]
    same_kind = staged["kind"] == f"Staged{kind}"
    return same_name and same_namespace and same_kind and staged["spec"].get("stagedAction") != "Ignore"


def verdict(world: World, src: Endpoint, dst: Endpoint, protocol: int, port: int) -> tuple[str, str]:
    """The egress side and the ingress side: a word, or ``Allow``/``Deny``/``unknown`` and the rule's origin."""
    edge = (src, dst, protocol, port)
    return side(world, "egress", src, dst, edge), side(world, "ingress", dst, src, edge)


def is_denied(one: str) -> bool:
    return one == DEFAULT_DENY or one.startswith("Deny ")


def is_unknown(one: str) -> bool:
    return one.startswith(UNKNOWN)


Edge = tuple[Endpoint, Endpoint, int, int]


def side(world: World, direction: str, own: Endpoint, other: Endpoint, edge: Edge) -> str:
    if kubernetes.is_pod(own) and kubernetes.is_same_pod(own, other):
        return ALWAYS
    if direction == "ingress" and kubernetes.is_pod(own) and kubernetes.is_node_of(other, own):
        return ALWAYS
    for name in sorted(world.tiers, key=lambda name: (world.tiers[name][0], name)):
        decided = in_tier(world, name, direction, own, edge)
        if decided is not None and decided != "Pass":
            return decided
    return NOT_ISOLATED


def in_tier(world: World, tier: str, direction: str, own: Endpoint, edge: Edge) -> str | None:
    policies = [one for one in world.policies if tier_of(one) == tier and is_about(one, direction, own)]
    if not policies:
        return None
    for policy in sorted(policies, key=rank):
        for number, rule in enumerate(policy["spec"].get(direction) or []):
            action = action_of(world, policy, rule, direction, edge)
            if action == "Pass":
                return "Pass"
            if action is not None:
                return f"{action} {origin(policy, direction, number)}"
    return DEFAULT_DENY if world.tiers[tier][1] == "Deny" else "Pass"


def is_kubernetes(policy: Document) -> bool:
    return policy["kind"] == "StagedKubernetesNetworkPolicy" or policy["apiVersion"].startswith("networking.k8s.io")


def tier_of(policy: Document) -> str:
    return "default" if is_kubernetes(policy) else str(policy["spec"].get("tier", "default"))


def rank(policy: Document) -> tuple[float, str]:
    """Without order last; of the same order by name, then namespace, then kind. NetworkPolicy of Kubernetes has 1000."""
    metadata = policy["metadata"]
    kind = "KubernetesNetworkPolicy" if is_kubernetes(policy) else policy["kind"].removeprefix("Staged")
    order = 1000 if is_kubernetes(policy) else policy["spec"].get("order")
    return float("inf") if order is None else order, f"{metadata['name']}/{metadata.get('namespace', '')}/{kind}"


def origin(policy: Document, direction: str, number: int) -> str:
    metadata = policy["metadata"]
    parts = [policy["kind"], metadata.get("namespace"), metadata["name"]]
    return f"{'/'.join(part for part in parts if part)} {direction}[{number}]"


def is_about(policy: Document, direction: str, own: Endpoint) -> bool:
    if is_kubernetes(policy):
        return kubernetes.selects(policy, direction, own)
    spec = policy["spec"]
    if direction not in directions(spec) or not kubernetes.is_pod(own) or is_for_hosts(spec):
        return False
    namespace = policy["metadata"].get("namespace")
    if "Global" not in policy["kind"] and own.namespace != namespace:
        return False
    labels = labels_of(own)
    return (
        holds(spec.get("selector"), labels)
        and holds(spec.get("namespaceSelector"), below(labels, "pcns."))
        and holds(spec.get("serviceAccountSelector"), below(labels, "pcsa."))
    )


def is_for_hosts(spec: Document) -> bool:
    return bool(spec.get("doNotTrack") or spec.get("preDNAT"))


def directions(spec: Document) -> set[str]:
    if spec.get("types"):
        return {one.lower() for one in spec["types"]}
    if not spec.get("egress"):
        return {"ingress"}
    return {"ingress", "egress"} if spec.get("ingress") else {"egress"}


def labels_of(pod: Endpoint) -> dict[str, str]:
    labels = dict(pod.labels)
    labels["projectcalico.org/namespace"] = str(pod.namespace)
    labels["projectcalico.org/orchestrator"] = "k8s"
    labels |= of_namespace(str(pod.namespace), pod.namespace_labels)
    if pod.service_account is not None:
        labels["projectcalico.org/serviceaccount"] = pod.service_account
        labels |= {f"pcsa.{key}": value for key, value in pod.service_account_labels.items()}
        labels["pcsa.projectcalico.org/name"] = pod.service_account
    return labels


def of_namespace(name: str, labels: Labels) -> dict[str, str]:
    names = {"projectcalico.org/name": name, "kubernetes.io/metadata.name": name}
    return {f"pcns.{key}": value for key, value in {**labels, **names}.items()}


def below(labels: Labels, prefix: str) -> dict[str, str]:
    return {key.removeprefix(prefix): value for key, value in labels.items() if key.startswith(prefix)}


def action_of(world: World, policy: Document, rule: Document, direction: str, edge: Edge) -> str | None:
    """None where the rule does not match, or only logs."""
    src, dst, protocol, port = edge
    if is_kubernetes(policy):
        other = src if direction == "ingress" else dst
        namespace = policy["metadata"]["namespace"]
        named = kubernetes.names(rule, direction, namespace, other) and kubernetes.opens(rule, dst, protocol, port)
        return "Allow" if named else None
    if rule["action"] == "Log" or not is_protocol(rule, protocol) or not is_port(rule, dst, protocol, port):
        return None
    scope = None if "Global" in policy["kind"] else policy["metadata"]["namespace"]
    with_domains = direction == "egress" and rule["action"] == "Allow"
    if not is_entity(world, rule.get("source"), src, scope, False):
        return None
    if not is_entity(world, rule.get("destination"), dst, scope, with_domains):
        return None
    fits = is_version(rule, src, dst)
    if fits is False:
        return None
    return UNKNOWN if fits is None or hangs_on_what_nobody_knows(rule) else str(rule["action"])


def hangs_on_what_nobody_knows(rule: Document) -> bool:
    source = rule.get("source", {})
    typed = any("type" in rule.get(key, {}) for key in ("icmp", "notICMP"))
    service = any("services" in rule.get(end, {}) for end in ("source", "destination"))
    return bool(source.get("ports") or source.get("notPorts") or typed or service or "http" in rule)


def is_version(rule: Document, src: Endpoint, dst: Endpoint) -> bool | None:
    """Networks make a rule one of their IP version, also those that it excepts."""
    told = rule.get("ipVersion")
    nets = [
        net
        for end in ("source", "destination")
        for key in ("nets", "notNets")
        for net in rule.get(end, {}).get(key, [])
    ]
    wanted = told or (ipaddress.ip_network(nets[0]).version if nets else None)
    known = {ipaddress.ip_address(one.address).version for one in (src, dst) if one.address}
    if wanted is None or known == {wanted}:
        return True
    if known:
        return False
    return None if told and number_of(rule.get("protocol")) not in (1, 58) else True


def number_of(protocol: Any) -> Any:
    return NUMBERS.get(protocol, protocol)


def is_protocol(rule: Document, protocol: int) -> bool:
    if "protocol" in rule and number_of(rule["protocol"]) != protocol:
        return False
    return "notProtocol" not in rule or number_of(rule["notProtocol"]) != protocol


def is_port(rule: Document, dst: Endpoint, protocol: int, port: int) -> bool:
    entity = rule.get("destination", {})
    if entity.get("ports") and not any(one_port(told, dst, protocol, port) for told in entity["ports"]):
        return False
    return not any(one_port(told, dst, protocol, port) for told in entity.get("notPorts", []))


def one_port(told: Any, dst: Endpoint, protocol: int, port: int) -> bool:
    text = str(told)
    if text.replace(":", "").isdigit():
        first, _, last = text.partition(":")
        return int(first) <= port <= int(last or first)
    known = dst.ports.get(text)
    return kubernetes.is_pod(dst) and known is not None and (NUMBERS[known[0]], known[1]) == (protocol, port)


def is_entity(world: World, entity: Document | None, one: Endpoint, scope: str | None, with_domains: bool) -> bool:
    if not entity:
        return True
    if entity.get("domains"):
        return is_domain(entity["domains"], one)
    if entity.get("nets") and not is_inside(entity["nets"], one):
        return False
    if is_inside(entity.get("notNets", []), one):
        return False
    if entity.get("notSelector") and is_named(world, {"selector": entity["notSelector"]}, one, False):
        return False
    positive = {key: entity[key] for key in ("selector", "namespaceSelector", "serviceAccounts") if entity.get(key)}
    if scope is not None and "namespaceSelector" not in positive and (positive or entity.get("notSelector")):
        positive["namespace"] = scope
    return not positive or is_named(world, positive, one, with_domains)


def is_named(world: World, wanted: Document, one: Endpoint, with_domains: bool) -> bool:
    """A pod with such labels, or whatever is in a network set with such labels."""
    if kubernetes.is_pod(one) and has_labels(wanted, labels_of(one)):
        return True
    for found in world.sets:
        if has_labels(wanted, set_labels(world, found)):
            if is_inside(found["spec"].get("nets", []), one):
                return True
            if with_domains and is_domain(found["spec"].get("allowedEgressDomains", []), one):
                return True
    return False


def set_labels(world: World, found: Document) -> dict[str, str]:
    labels = dict(found["metadata"].get("labels", {}))
    namespace = found["metadata"].get("namespace")
    if namespace is None:
        return labels
    inherited = of_namespace(namespace, world.namespaces.get(namespace, {}))
    return {**labels, "projectcalico.org/namespace": namespace, **inherited}


def has_labels(wanted: Document, labels: Labels) -> bool:
    namespaced = "projectcalico.org/namespace" in labels
    if "namespace" in wanted and labels.get("projectcalico.org/namespace") != wanted["namespace"]:
        return False
    selector = wanted.get("namespaceSelector", "")
    if selector == "global()":
        if namespaced:
            return False
    elif selector and not holds(selector, below(labels, "pcns."), namespaced):
        return False
    accounts = wanted.get("serviceAccounts", {})
    if accounts.get("names") and labels.get("projectcalico.org/serviceaccount") not in accounts["names"]:
        return False
    return holds(accounts.get("selector"), below(labels, "pcsa.")) and holds(wanted.get("selector"), labels)


def is_inside(nets: Sequence[str], one: Endpoint) -> bool:
    if one.address is None:
        return False
    address = ipaddress.ip_address(one.address)
    return any(address in ipaddress.ip_network(net, strict=False) for net in nets)


def is_domain(patterns: Sequence[str], one: Endpoint) -> bool:
    """An asterisk is one part of the name or more."""
    return one.domain is not None and any(
        re.fullmatch(re.escape(pattern.lower()).replace(r"\*", r"[^.]+(\.[^.]+)*"), one.domain.lower())
        for pattern in patterns
    )
