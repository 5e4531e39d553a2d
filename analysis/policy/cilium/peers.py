"""Whom a rule names: endpoints, entities, nodes, addresses, domains; and where nobody can tell."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.policy.cilium.blocks import Groups, blocks
from analysis.policy.cilium.domains import Domain, domain
from analysis.policy.cilium.labels import (
    API_SERVER,
    CLUSTER,
    HOST,
    NAMESPACE,
    NAMESPACE_LABELS,
    NOBODY,
    REMOTE_NODE,
    RESERVED,
    WORLD,
    Identity,
    selector,
)
from analysis.policy.endpoints import ABSENT, Columns, Mask, Numbers, Selection
from analysis.policy.parts import Part
from analysis.policy.rules import Direction, Nodes
from analysis.policy.selectors import Block, Either, Every, LabelSelector, Not, Operator, Pods, Requirement

PODS = Pods((), ())
NODES = Identity((), HOST)
OUTSIDE = Identity((Requirement(f"{RESERVED}{WORLD}", Operator.EXISTS),))
# Set on the nodes that run the control plane by what sets up clusters, not by what hosts them.
CONTROL_PLANE = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master")

WHICH_NODE = "which node the pod runs on"
WHICH_SERVER = "which address is the API server's"
WHICH_CLUSTER = "which cluster this is"
WHICH_BACKENDS = "who is behind the Services"
NAMES_UNSEEN = "names that no DNS rule lets Cilium see"
WHICH_MEMBERS = "who belongs to the cloud's groups"


@dataclass(frozen=True)
class Peer:
    """``nodes``, ``unsure`` and ``own`` as of a rule."""

    names: Selection
    nodes: Nodes = Nodes.ANY
    unsure: str = ""
    own: Selection = Every()


@dataclass(frozen=True)
class Scope:
    """Where a policy is: ``namespace`` is None of a clusterwide one. Of those whom ``seen`` selects Cilium sees DNS answers."""

    namespace: str | None
    groups: Groups
    seen: Selection = Either()


@dataclass(frozen=True)
class ControlPlane:
    """The nodes that run the API server; without ``told`` who else may be it, where no node says that it does."""

    told: bool = True

    def mask(self, columns: Columns) -> Mask:
        named = np.logical_or.reduce([columns.label(key).present for key in CONTROL_PLANE])
        found = on_nodes(columns, named & machines(columns))
        if self.told:
            return found
        return ~columns.pods if not found.any() else np.zeros(len(columns), np.bool_)


@dataclass(frozen=True)
class NodesWith:
    """Nodes by their labels, and the pods of their network."""

    labels: LabelSelector

    def mask(self, columns: Columns) -> Mask:
        found = machines(columns)
        for one in self.labels:
            found = found & one.mask(lambda key: columns.label(key.partition(":")[2]))
        return on_nodes(columns, found)


def machines(columns: Columns) -> Mask:
    """Nodes without the pods of their network, whose labels are not theirs."""
    return np.asarray(columns.nodes & ~columns.namespaces.present)


def on_nodes(columns: Columns, found: Mask) -> Mask:
    numbers: Numbers = columns.node_numbers
    return np.asarray(columns.nodes & (found | (np.isin(numbers, numbers[found]) & (numbers != ABSENT))))


def peers(rule: Part, direction: Direction, scope: Scope, denies: bool) -> tuple[Peer, ...] | None:
    """None where the rule says nothing of them: only its ports count. Of several kinds a rule may have one."""
    word = "from" if direction is Direction.INGRESS else "to"
    kinds = {f"{word}{kind}": read for kind, read in KINDS.items()}
    if direction is Direction.EGRESS:
        kinds |= {"toServices": _services} | ({} if denies else {"toFQDNs": _domains})
    told = [key for key in kinds if rule.items(key)]
    if len(told) > 1:
        raise rule.wrong(f"has {told[0]} and {told[1]}", "make two rules of it")
    found = tuple(kinds[told[0]](rule.items(told[0]), scope)) if told else None
    # An empty list names nobody, where an absent one names everybody.
    empty = (f"{word}{kind}" for kind in EMPTY_IS_NOBODY)
    return () if any(rule.get(key) is not None and not rule.items(key) for key in empty) else found


def endpoints(parts: Iterable[Part], scope: Scope) -> Iterator[Peer]:
    for part in parts:
        wanted = selector(part)
        yield from _identities(part, wanted if _reserved(wanted) else _at_home(wanted, scope.namespace))


def _at_home(wanted: LabelSelector, namespace: str | None) -> LabelSelector:
    """Unless it names a namespace a selector is about the policy's own, or about any, but about pods only."""
    if any(one.key == NAMESPACE for one in wanted):
        return wanted
    if namespace is None:
        return (*wanted, Requirement(NAMESPACE, Operator.EXISTS))
    if any(one.key.startswith(NAMESPACE_LABELS) for one in wanted):
        return wanted
    return (*wanted, Requirement(NAMESPACE, Operator.IN, (namespace,)))


def _reserved(wanted: LabelSelector) -> bool:
    return any(one.key.startswith(RESERVED) for one in wanted)


def _identities(part: Part, wanted: LabelSelector) -> Iterator[Peer]:
    """Whoever has the labels, nodes and addresses outside too: of a selector without a namespace they may."""
    certain = tuple(one for one in wanted if one.key != CLUSTER)
    unsure = WHICH_CLUSTER if len(certain) < len(wanted) else ""
    if f"{RESERVED}{API_SERVER}" in {one.key for one in wanted}:
        if len(wanted) > 1 or wanted[0].operator not in (Operator.IN, Operator.EXISTS):
            raise part.wrong("has reserved:kube-apiserver beside others", "write the entity kube-apiserver")
        yield from ENTITIES[API_SERVER]
        return
    host, remote = Identity(certain, HOST), Identity(certain, REMOTE_NODE)
    if not {one.key for one in certain} & {f"{RESERVED}{HOST}", f"{RESERVED}{REMOTE_NODE}"}:
        yield Peer(Either((Identity(certain), host)), unsure=unsure)
        return
    yield Peer(Identity(certain), unsure=unsure)
    yield Peer(host, Nodes.OWN, unsure)
    yield Peer(remote, Nodes.OTHERS, unsure)
    yield Peer(Every((host, remote)), Nodes.UNTOLD, unsure)
    yield Peer(Either((host, remote)), Nodes.UNTOLD, WHICH_NODE)


ENTITIES: Mapping[str, Sequence[Peer]] = {
    "all": (Peer(Every()),),
    "cluster": (Peer(Either((PODS, NODES))),),
    WORLD: (Peer(OUTSIDE),),
    HOST: (Peer(NODES, Nodes.OWN), Peer(NODES, Nodes.UNTOLD, WHICH_NODE)),
    REMOTE_NODE: (Peer(NODES, Nodes.OTHERS), Peer(NODES, Nodes.UNTOLD, WHICH_NODE)),
    API_SERVER: (Peer(ControlPlane()), Peer(ControlPlane(told=False), unsure=WHICH_SERVER)),
    **{name: () for name in NOBODY},
}


def _entities(parts: Sequence[Part], _: Scope) -> Iterator[Peer]:
    for part in parts:
        if part.text not in ENTITIES:
            raise part.wrong(f"{part.text!r:.60} is no entity", f"known are {', '.join(sorted(ENTITIES))}")
    named = {part.text for part in parts}
    if named >= {HOST, REMOTE_NODE}:
        yield Peer(NODES)
        named -= {HOST, REMOTE_NODE}
    for name in sorted(named):
        yield from ENTITIES[name]


def _nodes(parts: Iterable[Part], _: Scope) -> Iterator[Peer]:
    """Other nodes than the pod's own: that one is the host, whatever its labels."""
    for part in parts:
        found = NodesWith(node_labels(part))
        yield Peer(found, Nodes.OTHERS)
        yield Peer(found, Nodes.UNTOLD, WHICH_NODE)


def node_labels(part: Part) -> LabelSelector:
    wanted = selector(part)
    if _reserved(wanted):
        raise part.wrong("has reserved labels", "write labels of nodes")
    return wanted


def _cidrs(parts: Iterable[Part], _: Scope) -> Iterator[Peer]:
    return (Peer(Block(part.network)) for part in parts)


def _cidr_sets(parts: Iterable[Part], scope: Scope) -> Iterator[Peer]:
    return (Peer(block) for part in parts for block in blocks(part, scope.groups))


def _domains(parts: Iterable[Part], scope: Scope) -> Iterator[Peer]:
    """What an answer that nobody reads names, no rule allows."""
    for part in parts:
        named = Domain(domain(part))
        if scope.seen != Either():
            yield Peer(named, own=scope.seen)
        if scope.seen != Every():
            yield Peer(named, unsure=NAMES_UNSEEN, own=Not(scope.seen))


def _services(parts: Iterable[Part], _: Scope) -> Iterator[Peer]:
    """Of policies alone nobody knows which pods a Service selects, and which addresses one has that selects none."""
    for part in parts:
        part.fields(("k8sService", "k8sServiceSelector"))
        service, chosen = part.get("k8sService"), part.get("k8sServiceSelector")
        if service is not None:
            service.fields(("serviceName", "namespace"))
        if chosen is not None:
            chosen.fields(("selector", "namespace"))
            selector(chosen.needed("selector"))
        namespaces = [one.text for told in (chosen, service) if told and (one := told.get("namespace")) is not None]
        names = [one.text for told in (service,) if told and (one := told.get("serviceName")) is not None]
        pods = Pods(namespaces[0], ()) if namespaces and namespaces[0] else PODS
        if chosen is not None or names:
            yield Peer(Either((pods, OUTSIDE)), unsure=WHICH_BACKENDS)


def _groups(parts: Iterable[Part], _: Scope) -> Iterator[Peer]:
    for part in parts:
        part.fields(("aws",))
        aws = part.get("aws")
        if aws is not None:
            _check_aws(aws)
        yield Peer(OUTSIDE, unsure=WHICH_MEMBERS)


def _check_aws(aws: Part) -> None:
    aws.fields(("labels", "region", "securityGroupsIds", "securityGroupsNames"))
    labels, region = aws.get("labels"), aws.get("region")
    _ = dict(labels.texts()) if labels is not None else {}
    _ = region.text if region is not None else ""
    _ = [one.text for key in ("securityGroupsIds", "securityGroupsNames") for one in aws.items(key)]


KINDS: Mapping[str, Callable[[list[Part], Scope], Iterable[Peer]]] = {
    "Endpoints": endpoints,
    "CIDR": _cidrs,
    "CIDRSet": _cidr_sets,
    "Entities": _entities,
    "Nodes": _nodes,
    "Groups": _groups,
}
EMPTY_IS_NOBODY = ("Endpoints", "CIDR", "CIDRSet", "Entities", "Nodes")
