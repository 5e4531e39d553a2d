"""Edges → what each workload of a namespace is allowed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from analysis.policy.recommend.allowances import Edges, Names, node_rules, pod_rules
from analysis.policy.recommend.cluster import Cluster
from analysis.policy.recommend.dns import Servers
from analysis.policy.recommend.labels import Population, doubts
from analysis.policy.recommend.model import Allowance, Draft, End, EveryPod, Evidence, NamespaceDraft, Workload
from analysis.policy.recommend.outside import destination_rules, source_rules
from analysis.policy.rules import Direction


@dataclass(frozen=True)
class Known:
    """What every draft is made with; ``port_names`` are of those workloads whose pods disagree on numbers."""

    cluster: Cluster
    populations: Mapping[str, Population]
    dns: Servers
    port_names: Mapping[Workload, Names]


class _Traffic:
    """The edges of each end."""

    def __init__(self, edges: Sequence[Evidence]) -> None:
        self.into: dict[End, list[Evidence]] = {}
        self.out: dict[End, list[Evidence]] = {}
        for edge in edges:
            self.into.setdefault(edge.dst, []).append(edge)
            self.out.setdefault(edge.src, []).append(edge)


def namespace_draft(name: str, edges: Edges, known: Known) -> NamespaceDraft:
    traffic = _Traffic(edges)
    members = [member for member in known.cluster.members if member.workload.namespace == name]
    on_nodes = {member.workload for member in members if member.pod.host_network}
    ends = (*traffic.into, *traffic.out)
    there = {end for end in ends if isinstance(end, Workload) and end.namespace == name}
    workloads = sorted({*(member.workload for member in members), *there} - on_nodes)
    drafts = [_draft(workload, traffic, known) for workload in workloads]
    asked = [edge for workload in workloads for edge in traffic.out.get(workload, ()) if known.dns.answer(edge)]
    return NamespaceDraft(
        name=name,
        dns=known.dns.allowances(asked),
        drafts=tuple(draft for draft in drafts if any(draft.allowances.values())),
        idle=tuple(draft.workload for draft in drafts if not any(draft.allowances.values())),
        on_nodes=tuple(sorted(on_nodes)),
    )


def _draft(workload: Workload, traffic: _Traffic, known: Known) -> Draft:
    choice = known.populations[workload.namespace].choose((workload,))
    out = [edge for edge in traffic.out.get(workload, ()) if not known.dns.answer(edge)]
    return Draft(
        workload=workload,
        selector=choice.selector,
        notes=tuple(doubts(choice)),
        allowances={
            Direction.INGRESS: tuple(_ingress(workload, traffic.into.get(workload, ()), known)),
            Direction.EGRESS: tuple(_egress(out, known)),
        },
    )


def _ingress(workload: Workload, edges: Edges, known: Known) -> Iterator[Allowance]:
    names = known.port_names.get(workload, {})
    others = edges
    if workload in known.dns.ends:
        asked = [edge for edge in edges if known.dns.answer(edge) and isinstance(edge.src, Workload)]
        others = [edge for edge in edges if not (known.dns.answer(edge) and isinstance(edge.src, Workload))]
        yield Allowance((EveryPod(),), known.dns.ports, tuple(asked))
    yield from pod_rules(others, lambda edge: edge.src, lambda _: names, known.populations)
    yield from node_rules(others, lambda edge: edge.src, names)
    yield from source_rules(others, names, known.cluster.ranges)


def _egress(edges: Edges, known: Known) -> Iterator[Allowance]:
    yield from pod_rules(edges, lambda edge: edge.dst, lambda end: known.port_names.get(end, {}), known.populations)
    yield from node_rules(edges, lambda edge: edge.dst, {})
    yield from destination_rules(edges)
