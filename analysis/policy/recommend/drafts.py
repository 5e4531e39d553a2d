"""Edges → what each workload of a namespace is allowed."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from analysis.policy.endpoints import Workload
from analysis.policy.recommend.allowances import Edges, Names, node_rules, pod_rules
from analysis.policy.recommend.cluster import Cluster
from analysis.policy.recommend.dns import Servers
from analysis.policy.recommend.labels import Population, doubts
from analysis.policy.recommend.model import Allowance, Draft, End, EveryPod, Evidence, NamespaceDraft, Outside
from analysis.policy.recommend.outside import destination_rules, source_rules
from analysis.policy.recommend.ports import Seen
from analysis.policy.rules import Direction


@dataclass(frozen=True)
class Known:
    """What every draft is made with; ``port_names`` are of those workloads whose pods disagree on numbers.

    ``left_out`` are edges that are not learned.
    """

    cluster: Cluster
    populations: Mapping[str, Population]
    dns: Servers
    port_names: Mapping[Workload, Names]
    left_out: Sequence[Evidence] = ()


class _Traffic:
    """The edges of each end."""

    def __init__(self, edges: Sequence[Evidence], left_out: Sequence[Evidence]) -> None:
        self.into: dict[End, list[Evidence]] = {}
        self.out: dict[End, list[Evidence]] = {}
        self.shut_into: dict[tuple[End, object], set[Seen]] = {}
        self.shut_out: dict[tuple[End, object], set[Seen]] = {}
        for edge in edges:
            self.into.setdefault(edge.dst, []).append(edge)
            self.out.setdefault(edge.src, []).append(edge)
        for edge in left_out:
            self.shut_into.setdefault((edge.dst, _kind(edge.src)), set()).add((edge.protocol, edge.port))
            self.shut_out.setdefault((edge.src, _kind(edge.dst)), set()).add((edge.protocol, edge.port))


def _kind(end: End) -> object:
    """Nodes and addresses outside are taken together: a rule may name more of them than were seen."""
    return end if isinstance(end, Workload) else type(end)


def namespace_draft(name: str, edges: Edges, known: Known) -> NamespaceDraft:
    traffic = _Traffic(edges, known.left_out)
    members = [member for member in known.cluster.members if member.workload.namespace == name]
    on_nodes = {member.workload for member in members if member.pod.host_network}
    ends = (*traffic.into, *traffic.out)
    there = {end for end in ends if isinstance(end, Workload) and end.namespace == name}
    workloads = sorted({*(member.workload for member in members), *there} - on_nodes)
    drafts = [_draft(workload, traffic, known) for workload in workloads]
    talking = tuple(draft for draft in drafts if any(draft.allowances.values()))
    present = {member.workload for member in members}
    asked = [edge for workload in workloads for edge in traffic.out.get(workload, ()) if known.dns.answer(edge)]
    return NamespaceDraft(
        name=name,
        dns=known.dns.allowances(asked),
        drafts=talking,
        idle=tuple(draft.workload for draft in drafts if not any(draft.allowances.values())),
        on_nodes=tuple(sorted(on_nodes)),
        gone=tuple(draft.workload for draft in talking if draft.workload not in present),
    )


def _draft(workload: Workload, traffic: _Traffic, known: Known) -> Draft:
    choice = known.populations[workload.namespace].choose((workload,))
    out = [edge for edge in traffic.out.get(workload, ()) if not known.dns.answer(edge)]
    return Draft(
        workload=workload,
        selector=choice.selector,
        notes=tuple(doubts(choice)),
        allowances={
            Direction.INGRESS: tuple(_ingress(workload, traffic, known)),
            Direction.EGRESS: tuple(_egress(workload, out, traffic, known)),
        },
    )


def _ingress(workload: Workload, traffic: _Traffic, known: Known) -> Iterator[Allowance]:
    def shut(end: End) -> Collection[Seen]:
        return traffic.shut_into.get((workload, _kind(end)), ())

    names = known.port_names.get(workload, {})
    others = edges = traffic.into.get(workload, [])
    if workload in known.dns.ends:
        asked = [edge for edge in edges if known.dns.answer(edge) and isinstance(edge.src, Workload)]
        others = [edge for edge in edges if not (known.dns.answer(edge) and isinstance(edge.src, Workload))]
        yield Allowance((EveryPod(),), known.dns.ports, tuple(asked))
    yield from pod_rules(others, lambda edge: edge.src, lambda _: names, known.populations, shut)
    yield from node_rules(others, lambda edge: edge.src, names, shut)
    outside = traffic.shut_into.get((workload, Outside), ())
    yield from source_rules(others, names, known.cluster.ranges, outside)


def _egress(workload: Workload, edges: Edges, traffic: _Traffic, known: Known) -> Iterator[Allowance]:
    def shut(end: End) -> Collection[Seen]:
        return traffic.shut_out.get((workload, _kind(end)), ())

    names = known.port_names
    yield from pod_rules(edges, lambda edge: edge.dst, lambda end: names.get(end, {}), known.populations, shut)
    yield from node_rules(edges, lambda edge: edge.dst, {}, shut)
    yield from destination_rules(edges, traffic.shut_out.get((workload, Outside), ()))
