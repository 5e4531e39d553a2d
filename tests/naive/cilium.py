"""What Cilium says of its policies, word by word: one policy, one rule, one edge at a time, over documents as they were written.

The words are those of docs.cilium.io, *Network Policy*, and of the comments in pkg/policy/api. What flow records do not tell
makes a MAYBE.
"""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from analysis.policy.endpoints import Endpoint
from tests.naive import policy as kubernetes
from tests.naive.cilium_selectors import (
    MAYBE,
    NO,
    POD_NAMESPACE,
    YES,
    is_node,
    is_pod,
    keys,
    labels_of,
    selected,
    source,
    with_namespace,
)

Document = dict[str, Any]

NUMBERS = {"TCP": 6, "UDP": 17, "SCTP": 132}
FAMILIES = {"IPv4": 1, "IPv6": 58}
NOT_ISOLATED, DEFAULT_DENY, ALWAYS, UNKNOWN, DENIED, ALLOWED = (
    "not isolated",
    "default deny",
    "always",
    "unknown",
    "denied",
    "allowed",
)
NOBODY = ("init", "health", "ingress", "unmanaged", "none")


@dataclass(frozen=True)
class Edge:
    """``own`` is whom the policy is about, ``dst`` who is connected to; ``everybody`` are all endpoints there are."""

    own: Endpoint
    other: Endpoint
    dst: Endpoint
    protocol: int
    port: int
    everybody: Sequence[Endpoint]
    groups: Sequence[Document]
    sees_names: bool = False


def verdict(
    documents: Sequence[Document], everybody: Sequence[Endpoint], src: Endpoint, dst: Endpoint, service: tuple[int, int]
) -> tuple[str, str]:
    groups = [one for one in documents if one["kind"] == "CiliumCIDRGroup"]
    policies = [one for one in documents if one["kind"] != "CiliumCIDRGroup"]
    return (
        side(policies, "egress", Edge(src, dst, dst, *service, everybody, groups)),
        side(policies, "ingress", Edge(dst, src, dst, *service, everybody, groups)),
    )


def side(policies: Sequence[Document], direction: str, edge: Edge) -> str:
    if is_pod(edge.own) and edge.other.kind == "pod" and key(edge.own) == key(edge.other):
        return ALWAYS
    selecting = [(policy, spec) for policy in policies for spec in specs(policy) if about(policy, spec, edge)]
    selecting = [(policy, spec) for policy, spec in selecting if has_section(policy, spec, direction)]
    edge = replace(edge, sees_names=any(reads_answers(spec) for _, spec in selecting))
    denied = max((matches(*one, direction + "Deny", edge) for one in selecting), default=NO)
    limited = max((misses_requirement(*one, direction, edge) for one in selecting), default=NO)
    if max(denied, limited) != NO:
        return DENIED if denied == YES else UNKNOWN
    if direction == "ingress" and is_pod(edge.own) and is_on_same_node(edge.own, edge.other) == YES:
        return ALWAYS
    allowed = max((matches(*one, direction, edge) for one in selecting), default=NO)
    if allowed != NO:
        return ALLOWED if allowed == YES else UNKNOWN
    return DEFAULT_DENY if any(isolates(*one, direction) for one in selecting) else NOT_ISOLATED


def reads_answers(spec: Document) -> bool:
    """toFQDNs needs a rule with an L7 DNS section for the same endpoint."""
    entries = [entry for rule in spec.get("egress") or [] for entry in rule.get("toPorts") or []]
    return "nodeSelector" not in spec and any((entry.get("rules") or {}).get("dns") for entry in entries)


def key(one: Endpoint) -> tuple[str | None, str]:
    return one.namespace, one.name


def node_of(one: Endpoint) -> str | None:
    return one.name if one.kind == "node" else one.node


def is_on_same_node(own: Endpoint, other: Endpoint) -> int:
    if not is_node(other):
        return NO
    if node_of(own) is None or node_of(other) is None:
        return MAYBE
    return YES if node_of(own) == node_of(other) else NO


def specs(policy: Document) -> list[Document]:
    return ([policy["spec"]] if policy.get("spec") else []) + list(policy.get("specs") or [])


def home(policy: Document) -> str | None:
    if policy["kind"] == "CiliumClusterwideNetworkPolicy":
        return None
    return str(policy["metadata"].get("namespace", "default"))


def about(policy: Document, spec: Document, edge: Edge) -> bool:
    own = edge.own
    if policy["kind"] == "NetworkPolicy":
        return is_pod(own) and own.namespace == home(policy) and kubernetes.matches(spec["podSelector"], own.labels)
    if "nodeSelector" in spec:
        return is_node(own) and is_machine_labelled(spec["nodeSelector"], own, edge.everybody)
    if not is_pod(own) or home(policy) not in (None, own.namespace):
        return False
    chosen = spec["endpointSelector"]
    labels = {key: value for key, value in (chosen.get("matchLabels") or {}).items() if key != f"k8s:{POD_NAMESPACE}"}
    if home(policy) is None:
        labels = chosen.get("matchLabels") or {}
    return selected({**chosen, "matchLabels": labels}, labels_of(own, "")) == YES


def has_section(policy: Document, spec: Document, direction: str) -> bool:
    """If any rule selects an endpoint and has an ingress section, it goes into default deny for ingress."""
    if policy["kind"] == "NetworkPolicy":
        return direction in kubernetes.directions(spec)
    return bool(spec.get(direction) or spec.get(direction + "Deny"))


def isolates(policy: Document, spec: Document, direction: str) -> bool:
    if policy["kind"] == "NetworkPolicy":
        return True
    if "nodeSelector" in spec:
        return False
    return bool((spec.get("enableDefaultDeny") or {}).get(direction, True))


def matches(policy: Document, spec: Document, section: str, edge: Edge) -> int:
    """Whether one of the rules of this list names the edge."""
    direction = section.removesuffix("Deny")
    if policy["kind"] == "NetworkPolicy":
        return kubernetes_matches(policy, spec, section, edge)
    if "nodeSelector" in spec:
        return NO if section.endswith("Deny") else MAYBE
    return max((rule_matches(policy, rule, direction, edge) for rule in spec.get(section) or []), default=NO)


def kubernetes_matches(policy: Document, spec: Document, section: str, edge: Edge) -> int:
    if section.endswith("Deny"):
        return NO
    other = edge.other
    # No address of a pod or node is any block's.
    if other.kind in ("pod", "node"):
        other = Endpoint(**{**vars(other), "address": None})
    return (
        YES
        if any(
            kubernetes.names(rule, section, str(home(policy)), other)
            and kubernetes.opens(rule, edge.dst, edge.protocol, edge.port)
            for rule in spec.get(section) or []
        )
        else NO
    )


def rule_matches(policy: Document, rule: Document, direction: str, edge: Edge) -> int:
    mode = (rule.get("authentication") or {}).get("mode", "disabled")
    guard = YES if mode == "disabled" else MAYBE
    return min(guard, names(policy, rule, direction, edge), opens(rule, direction, edge))


def names(policy: Document, rule: Document, direction: str, edge: Edge) -> int:
    """An absent list names everybody if there are ports, an empty one nobody."""
    word = "from" if direction == "ingress" else "to"
    for kind in ("Endpoints", "CIDR", "CIDRSet", "Entities", "Nodes"):
        if rule.get(word + kind) == []:
            return NO
    found = [
        *(endpoint_named(policy, one, edge) for one in rule.get(f"{word}Endpoints") or []),
        *(in_network(edge.other, one, []) for one in rule.get(f"{word}CIDR") or []),
        *(in_set(one, edge) for one in rule.get(f"{word}CIDRSet") or []),
        *(node_named(one, edge) for one in rule.get(f"{word}Nodes") or []),
        *(MAYBE if edge.other.kind == "external" else NO for _ in rule.get(f"{word}Groups") or []),
        *(service_named(one, edge) for one in rule.get("toServices") or []),
        *(min(YES if edge.sees_names else MAYBE, domain_named(one, edge.other)) for one in rule.get("toFQDNs") or []),
    ]
    entities = rule.get(f"{word}Entities") or []
    if not found and not entities:
        return YES if rule.get("toPorts") or rule.get("icmps") else NO
    return max([*found, entity_named(entities, edge)])


def endpoint_named(policy: Document, selector: Document, edge: Edge) -> int:
    wanted = with_namespace(selector, home(policy))
    if any(source(one)[0] == "reserved" and source(one)[1] == "kube-apiserver" for one in keys(wanted)):
        return entity_named(["kube-apiserver"], edge)
    same = is_on_same_node(edge.own, edge.other)
    called = {YES: ["host"], NO: ["remote-node"], MAYBE: ["host", "remote-node"]}[same]
    answers = [selected(wanted, labels_of(edge.other, name)) for name in called]
    return answers[0] if len(set(answers)) == 1 else MAYBE


def misses_requirement(policy: Document, spec: Document, direction: str, edge: Edge) -> int:
    """Whom fromRequires leaves out may be denied: releases differ on what it limits, and the latest have none."""
    if policy["kind"] == "NetworkPolicy" or "nodeSelector" in spec:
        return NO
    word = "fromRequires" if direction == "ingress" else "toRequires"
    required = [one for rule in spec.get(direction) or [] for one in rule.get(word) or []]
    met = [selected(with_namespace(one, home(policy)), labels_of(edge.other, "host")) for one in required]
    return MAYBE if NO in met else NO


def entity_named(entities: Sequence[str], edge: Edge) -> int:
    other = edge.other
    found = [NO]
    if "all" in entities or ("cluster" in entities and other.kind != "external"):
        return YES
    if {"host", "remote-node"} <= set(entities) and is_node(other):
        return YES
    same = is_on_same_node(edge.own, other)
    if "host" in entities:
        found.append(same)
    if "remote-node" in entities and is_node(other):
        found.append({YES: NO, NO: YES, MAYBE: MAYBE}[same])
    if "world" in entities and other.kind == "external":
        found.append(YES)
    if "kube-apiserver" in entities:
        found.append(is_api_server(other, edge.everybody))
    return max(found)


def is_api_server(other: Endpoint, everybody: Sequence[Endpoint]) -> int:
    roles = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master")
    masters = {one.name for one in everybody if one.kind == "node" and any(role in one.labels for role in roles)}
    if not masters:
        return NO if is_pod(other) else MAYBE
    return YES if is_node(other) and node_of(other) in masters else NO


def node_named(selector: Document, edge: Edge) -> int:
    if not is_node(edge.other):
        return NO
    if not is_machine_labelled(selector, edge.other, edge.everybody):
        return NO
    return {YES: NO, NO: YES, MAYBE: MAYBE}[is_on_same_node(edge.own, edge.other)]


def is_machine_labelled(selector: Document, one: Endpoint, everybody: Sequence[Endpoint]) -> bool:
    """Of a pod of the host network the labels of its node count."""
    machines = (
        [one]
        if one.kind == "node"
        else [other for other in everybody if other.kind == "node" and other.name == one.node]
    )
    return any(node_labels_match(selector, machine) for machine in machines)


def node_labels_match(selector: Document, node: Endpoint) -> bool:
    plain = {source(key)[1]: value for key, value in (selector.get("matchLabels") or {}).items()}
    more = [{**one, "key": source(one["key"])[1]} for one in selector.get("matchExpressions") or []]
    return node.kind == "node" and kubernetes.matches({"matchLabels": plain, "matchExpressions": more}, node.labels)


def in_network(other: Endpoint, cidr: str, excepted: Sequence[str]) -> int:
    """Pods and nodes are known by their identity: only addresses outside are any CIDR's."""
    if other.kind != "external" or other.address is None:
        return NO
    address = ipaddress.ip_address(other.address)
    inside = address in ipaddress.ip_network(cidr, strict=False)
    return YES if inside and not any(address in ipaddress.ip_network(one, strict=False) for one in excepted) else NO


def in_set(told: Document, edge: Edge) -> int:
    excepted = told.get("except") or []
    if "cidr" in told:
        return in_network(edge.other, told["cidr"], excepted)
    groups = [
        one
        for one in edge.groups
        if one["metadata"]["name"] == told.get("cidrGroupRef")
        or (
            "cidrGroupSelector" in told
            and kubernetes.matches(told["cidrGroupSelector"], one["metadata"].get("labels") or {})
        )
    ]
    return max(
        (in_network(edge.other, cidr, excepted) for one in groups for cidr in one["spec"]["externalCIDRs"]), default=NO
    )


def service_named(told: Document, edge: Edge) -> int:
    namespace = (told.get("k8sServiceSelector") or told.get("k8sService") or {}).get("namespace")
    if edge.other.kind == "external":
        return MAYBE
    return MAYBE if is_pod(edge.other) and namespace in (None, "", edge.other.namespace) else NO


def domain_named(told: Document, other: Endpoint) -> int:
    if other.domain is None:
        return NO
    name = other.domain.lower()
    if "matchName" in told:
        return YES if name == told["matchName"].lower().rstrip(".") else NO
    pattern = told["matchPattern"].lower().rstrip(".")
    if pattern == "*":
        return YES
    regex = ""
    if pattern.startswith("**."):
        regex, pattern = "([-a-z0-9_]+[.])+", pattern[3:]
    regex += "".join("[-a-z0-9_]*" if one == "*" else re.escape(one) for one in pattern)
    return YES if re.fullmatch(regex, name) else NO


def opens(rule: Document, direction: str, edge: Edge) -> int:
    """If no layer 4 policy is specified all ports and protocols are allowed, else ICMP is blocked, too."""
    if not rule.get("toPorts") and not rule.get("icmps"):
        return YES
    ports = [
        port_named(entry, one, direction, edge)
        for entry in rule.get("toPorts") or []
        for one in entry.get("ports") or []
    ]
    types = [one for entry in rule.get("icmps") or [] for one in entry.get("fields") or []]
    icmps = [MAYBE if FAMILIES[one.get("family", "IPv4")] == edge.protocol else NO for one in types]
    return max([*ports, *icmps], default=NO)


def port_named(entry: Document, told: Document, direction: str, edge: Edge) -> int:
    wanted = told.get("protocol", "ANY")
    if edge.protocol not in NUMBERS.values() or wanted not in (
        "ANY",
        *(key for key in NUMBERS if NUMBERS[key] == edge.protocol),
    ):
        return NO
    return min(YES if passes(entry) else MAYBE, number_named(told, direction, edge))


def number_named(told: Document, direction: str, edge: Edge) -> int:
    if told["port"].isdigit():
        first = int(told["port"])
        return YES if first == 0 or first <= edge.port <= (told.get("endPort") or first) else NO
    if edge.port < 0:
        return NO
    word = next(name for name in NUMBERS if NUMBERS[name] == edge.protocol)
    own = edge.dst.ports.get(told["port"].lower()) if is_pod(edge.dst) else None
    if direction == "ingress":
        return YES if own == (word, edge.port) else NO
    pods = [
        one.ports[told["port"].lower()] for one in edge.everybody if is_pod(one) and told["port"].lower() in one.ports
    ]
    numbers = {number for protocol, number in pods if protocol == word}
    if edge.port not in numbers:
        return NO
    return YES if len(numbers) == 1 and own == (word, edge.port) else MAYBE


def passes(entry: Document) -> bool:
    """Whether no proxy has a say; a rule without constraints lets everything pass, "*" every name."""
    if any(entry.get(key) for key in ("serverNames", "listener", "terminatingTLS", "originatingTLS")):
        return False
    rules = entry.get("rules") or {}
    for kind in ("http", "kafka"):
        if rules.get(kind) and {} not in rules[kind]:
            return False
    if rules.get("l7proto"):
        return False
    return not rules.get("dns") or {"matchPattern": "*"} in rules["dns"]
