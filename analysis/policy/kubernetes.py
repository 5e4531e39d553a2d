"""NetworkPolicy (networking.k8s.io/v1) → sections. What the API server would refuse is refused."""

import re
from collections.abc import Iterable, Iterator

from analysis.policy.endpoints import PROTOCOLS
from analysis.policy.label_selectors import label_selector
from analysis.policy.parts import Part
from analysis.policy.rules import MOST_PORT, Direction, NamedPort, Place, PortRange, Rule, Section
from analysis.policy.selectors import Block, LabelSelector, Pods

OBJECT = ("apiVersion", "kind", "metadata", "spec", "status")
METADATA = (
    "name",
    "namespace",
    "labels",
    "annotations",
    "generateName",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "ownerReferences",
    "finalizers",
    "managedFields",
    "selfLink",
)
SPEC = ("podSelector", "policyTypes", "ingress", "egress")
PEERS = {Direction.INGRESS: "from", Direction.EGRESS: "to"}
TYPES = {"Ingress": Direction.INGRESS, "Egress": Direction.EGRESS}

# RFC 1123 as the API server reads it.
NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
LONGEST_NAME = 253
PORT_NAME = re.compile(r"(?=.*[a-z])[a-z0-9]+(-[a-z0-9]+)*")
LONGEST_PORT_NAME = 15


def sections(documents: Iterable[Part]) -> Iterator[Section]:
    for document in documents:
        yield from network_policy(document)


def network_policy(document: Part, kind: str = "NetworkPolicy") -> list[Section]:
    """``kind`` is what the document calls itself."""
    document.fields(OBJECT)
    metadata = document.needed("metadata")
    metadata.fields(METADATA)
    namespace = metadata.get("namespace")
    namespace_name = policy_name(namespace) if namespace and namespace.text else "default"
    name = policy_name(metadata.needed("name"))
    origin = f"{kind}/{namespace_name}/{name}"
    spec = document.get("spec") or Part({}, document.file, f"{document.path}.spec")
    spec.fields(SPEC)
    subject = Pods(namespace_name, _selector(spec.get("podSelector")))
    return [
        Section(
            f"{origin} {direction} in {document.file}",
            direction,
            subject,
            tuple(
                _rule(rule, direction, namespace_name, f"{origin} {direction}[{number}] in {document.file}")
                for number, rule in enumerate(spec.items(direction))
            ),
            Place(name=f"{name}/{namespace_name}/KubernetesNetworkPolicy"),
        )
        for direction in _directions(spec)
    ]


def _directions(spec: Part) -> list[Direction]:
    """An egress list with nothing in it is as if it were left out: only policyTypes can say that it isolates."""
    told = spec.items("policyTypes")
    if not told:
        return [Direction.INGRESS, Direction.EGRESS] if spec.items("egress") else [Direction.INGRESS]
    for one in told:
        if one.text not in TYPES:
            raise one.wrong(f"{one.text!r:.60} is no policy type", "write Ingress or Egress")
    if len(told) > len(TYPES):
        raise told[-1].wrong("is one policy type too many", "write Ingress, Egress or both")
    return list(dict.fromkeys(TYPES[one.text] for one in told))


def _rule(rule: Part, direction: Direction, namespace: str, origin: str) -> Rule:
    peers = PEERS[direction]
    rule.fields((peers, "ports"))
    return Rule(
        origin,
        tuple(_peer(peer, namespace) for peer in rule.items(peers)),
        tuple(_port(port) for port in rule.items("ports")),
    )


def _peer(peer: Part, namespace: str) -> Pods | Block:
    peer.fields(("podSelector", "namespaceSelector", "ipBlock"))
    pods, namespaces, block = (peer.get(key) for key in ("podSelector", "namespaceSelector", "ipBlock"))
    if block is not None:
        if pods or namespaces:
            raise peer.wrong("has an ipBlock and a selector", "make two peers of it")
        return _block(block)
    if namespaces is not None:
        return Pods(_selector(namespaces), _selector(pods))
    if pods is None:
        raise peer.wrong("names nobody", "write podSelector, namespaceSelector or ipBlock")
    return Pods(namespace, _selector(pods))


def _block(block: Part) -> Block:
    block.fields(("cidr", "except"))
    network = block.needed("cidr").network
    excepted = block.items("except")
    for part in excepted:
        one = part.network
        inside = one.network_address in network and one.prefixlen > network.prefixlen
        if not inside:
            raise part.wrong(f"{one} is not a smaller part of {network}", "leave it out or correct cidr")
    return Block(network, tuple(part.network for part in excepted))


def _port(port: Part) -> PortRange | NamedPort:
    port.fields(("protocol", "port", "endPort"))
    protocol = _protocol(port.get("protocol"))
    first, last = port.get("port"), port.get("endPort")
    if last is not None and (first is None or isinstance(first.value, str)):
        raise last.wrong("needs a port that is a number", "leave it out, or write the first port as a number")
    if first is None:
        return PortRange(protocol)
    if isinstance(first.value, str):
        return NamedPort(protocol, _port_name(first))
    begin = _port_number(first)
    end = begin if last is None else _port_number(last)
    if last is not None and end < begin:
        raise last.wrong(f"{end} is less than port {begin}", "write the higher port last")
    return PortRange(protocol, begin, end)


def _protocol(protocol: Part | None) -> int:
    if protocol is None:
        return PROTOCOLS["TCP"]
    if protocol.text not in PROTOCOLS:
        raise protocol.wrong(f"{protocol.text!r:.60} cannot be named", f"write {', '.join(PROTOCOLS)}")
    return PROTOCOLS[protocol.text]


def _port_number(part: Part) -> int:
    if not 1 <= part.number <= MOST_PORT:
        raise part.wrong(f"{part.number} is no port", f"write 1 to {MOST_PORT}")
    return part.number


def _port_name(part: Part) -> str:
    if not is_port_name(part.text):
        raise part.wrong(f"{part.text!r:.60} is no name of a port", "a number is written without quotes")
    return part.text


def is_port_name(text: str) -> bool:
    return len(text) <= LONGEST_PORT_NAME and PORT_NAME.fullmatch(text) is not None


def policy_name(part: Part) -> str:
    if len(part.text) > LONGEST_NAME or not NAME.fullmatch(part.text):
        raise part.wrong(f"{part.text!r:.60} is no name", "write lower-case letters, digits, '-' and '.'")
    return part.text


def _selector(part: Part | None) -> LabelSelector:
    """An absent selector matches everything, as an empty one does; whether it may be absent is the caller's to know."""
    return () if part is None else label_selector(part)
