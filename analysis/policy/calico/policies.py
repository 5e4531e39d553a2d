"""Calico's documents → sections. What the API server or calicoctl would refuse is refused."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from analysis.policy import kubernetes
from analysis.policy.calico.entity import Scope
from analysis.policy.calico.labels import Sets, Workloads
from analysis.policy.calico.metadata import check_annotations, name_of, namespace_of, read, refuse_namespace
from analysis.policy.calico.network_sets import read_sets
from analysis.policy.calico.rule import rules
from analysis.policy.calico.selector import (
    NAMESPACE,
    Everything,
    OneOf,
    both,
    expression,
    namespaces,
    service_accounts,
)
from analysis.policy.calico.staged import STAGED, is_judged, without_staged_action
from analysis.policy.calico.tiers import Tier, read_tiers, tier_of
from analysis.policy.parts import Part
from analysis.policy.rules import Direction, Place, Rule, Section

VERSIONS = ("projectcalico.org/v3", "crd.projectcalico.org/v1")
POLICIES = ("NetworkPolicy", "GlobalNetworkPolicy", "StagedNetworkPolicy", "StagedGlobalNetworkPolicy")
SETS = ("NetworkSet", "GlobalNetworkSet")
STAGED_KUBERNETES = "StagedKubernetesNetworkPolicy"
KINDS = frozenset((version, kind) for version in VERSIONS for kind in (*POLICIES, *SETS, "Tier", STAGED_KUBERNETES))

SPEC = ("tier", "order", "ingress", "egress", "selector", "types", "serviceAccountSelector", "performanceHints")
# Of a GlobalNetworkPolicy alone.
GLOBAL = ("namespaceSelector", "doNotTrack", "preDNAT", "applyOnForward")
HINT = "AssumeNeededOnEveryNode"


@dataclass(frozen=True)
class Surroundings:
    """What policies are read beside."""

    tiers: Mapping[str, Tier]
    sets: Sets


def sections(documents: Sequence[Part]) -> Iterator[Section]:
    kinds = [document.needed("kind").text for document in documents]
    of_kind = list(zip(kinds, documents, strict=True))
    around = Surroundings(
        read_tiers(document for kind, document in of_kind if kind == "Tier"),
        read_sets(document for kind, document in of_kind if kind in SETS),
    )
    for kind, document in of_kind:
        if kind in POLICIES:
            yield from _policy(document, around)
        elif kind == STAGED_KUBERNETES:
            found = kubernetes.network_policy(without_staged_action(document), kind)
            yield from found if is_judged(document) else ()


def _policy(document: Part, around: Surroundings) -> Iterator[Section]:
    read(document)
    kind, name = document.needed("kind").text, name_of(document)
    is_global = "Global" in kind
    if is_global:
        refuse_namespace(document)
    namespace = None if is_global else namespace_of(document)
    spec = document.needed("spec")
    spec.fields((*SPEC, *(GLOBAL if is_global else ()), *(("stagedAction",) if kind in STAGED else ())))
    tier_name, tier = tier_of(spec, document.needed("metadata").needed("name"), around.tiers)
    order = spec.get("order")
    enforced = STAGED.get(kind, kind)
    place = Place(
        tier.order, tier_name, math.inf if order is None else order.decimal, f"{name}/{namespace or ''}/{enforced}"
    )
    subject = _subject(spec, namespace)
    origin = "/".join(part for part in (kind, namespace, name) if part)
    found = {
        direction: tuple(_rules(spec, direction, Scope(namespace, around.sets), origin)) for direction in Direction
    }
    _check_hints(spec)
    directions = _directions(spec)
    if not (_is_for_hosts(spec, directions) and is_global) and is_judged(document):
        for direction in directions:
            here = f"{origin} {direction} in {document.file}"
            yield Section(here, direction, subject, found[direction], place, tier.denies)


def _subject(spec: Part, namespace: str | None) -> Workloads:
    """Network sets are never the subject of a policy, and hosts are not known here."""
    own = None if namespace is None else OneOf(NAMESPACE, (namespace,))
    found = both(
        own,
        namespaces(spec.get("namespaceSelector"), in_a_rule=False),
        service_accounts(spec.get("serviceAccountSelector")),
        expression(spec.get("selector")),
    )
    return Workloads(found or Everything())


def _rules(spec: Part, direction: Direction, scope: Scope, origin: str) -> Iterator[Rule]:
    for number, part in enumerate(spec.items(direction)):
        if metadata := part.get("metadata"):
            metadata.fields(("annotations",))
            check_annotations(metadata)
        yield from rules(part, direction, scope, f"{origin} {direction}[{number}] in {part.file}")


def _directions(spec: Part) -> list[Direction]:
    """Unlike NetworkPolicy: with egress rules alone ingress is not isolated."""
    told = spec.get("types")
    if told is not None:
        return _types(spec)
    given = [direction for direction in Direction if spec.items(direction)]
    return given or [Direction.INGRESS]


def _types(spec: Part) -> list[Direction]:
    told = spec.items("types")
    for one in told:
        if one.text not in kubernetes.TYPES:
            raise one.wrong(f"{one.text!r:.60} is no policy type", "write Ingress or Egress")
    found = [kubernetes.TYPES[one.text] for one in told]
    if not found or len(set(found)) < len(found):
        raise spec.needed("types").wrong("names no type, or one twice", "write Ingress, Egress or both")
    return found


def _check_hints(spec: Part) -> None:
    for hint in spec.items("performanceHints"):
        if hint.text != HINT:
            raise hint.wrong(f"{hint.text!r:.60} is no hint", f"write {HINT}")


def _is_for_hosts(spec: Part, directions: Sequence[Direction]) -> bool:
    """Policy before connection tracking or DNAT is for the interfaces of hosts; no pod is ever the subject of it."""
    untracked, before_dnat, forward = (_flag(spec, key) for key in ("doNotTrack", "preDNAT", "applyOnForward"))
    if untracked and before_dnat:
        raise spec.wrong("has both doNotTrack and preDNAT", "make two policies of it")
    if (untracked or before_dnat) and not forward:
        raise spec.wrong("has doNotTrack or preDNAT without applyOnForward", "set applyOnForward to true")
    if before_dnat and (spec.items("egress") or Direction.EGRESS in directions):
        raise spec.wrong("has preDNAT and egress", "leave egress out")
    return untracked or before_dnat


def _flag(spec: Part, key: str) -> bool:
    found = spec.get(key)
    return found is not None and found.flag
