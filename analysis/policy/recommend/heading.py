"""What to know of a recommendation before it is applied: the words at its top."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from analysis.policy.recommend import words
from analysis.policy.recommend.dns import Servers
from analysis.policy.recommend.model import Evidence, NamespaceDraft, Omission, Reason
from analysis.policy.words import length, listed
from analysis.words import counted


def learned(edges: Sequence[Evidence], namespaces: Iterable[str], seconds: float) -> str:
    connections = counted(sum(edge.connections for edge in edges), "connection")
    return (
        f"Tailrace recommends these policies for {', '.join(namespaces)}: they allow what was seen in "
        f"{length(seconds)}, {counted(len(edges), 'edge')} ({connections})."
    )


def about(
    drafts: Sequence[NamespaceDraft], edges: Sequence[Evidence], dns: Servers, taken: Mapping[str, Sequence[str]]
) -> Iterator[str]:
    """In the order of how much it matters."""
    if dns.guessed:
        yield f"The cluster's DNS is not in the objects; taken for it: {dns.guessed}."
    for draft in drafts:
        yield from _of_namespace(draft, taken.get(draft.name, ()))
    ambiguous = [edge for edge in edges if edge.ambiguous]
    if ambiguous:
        count = counted(sum(edge.ambiguous for edge in ambiguous), "connection")
        yield f"Of {count} an end or its name is ambiguous; the latest owner was taken, and its edge learned. Check:"
        yield from (f"  {line}" for line in words.edges(ambiguous))


def _of_namespace(draft: NamespaceDraft, taken: Sequence[str]) -> Iterator[str]:
    if taken:
        yield f"{draft.name} has policies already ({listed(taken)}): what any NetworkPolicy of Kubernetes allows stays allowed."
    if draft.idle:
        names = listed(workload.name for workload in draft.idle)
        yield f"Nothing was learned of {names} of {draft.name}, and nothing but DNS is allowed there."
    if draft.on_nodes:
        names = listed(workload.name for workload in draft.on_nodes)
        yield f"No policy selects {names} of {draft.name}: they run on the network of their node."
    if draft.gone:
        names = listed(f"{workload.kind} {workload.name}" for workload in draft.gone)
        yield (
            f"Not in the objects any more, but with a policy of their own in {draft.name}: {names}. "
            "A next run with other labels gets nothing of it; what does not come back needs none."
        )
    notes = [(one.workload, note) for one in draft.drafts for note in one.notes]
    yield from (f"Policy of {workload}: {note}." for workload, note in notes)
    for one in draft.drafts:
        allowed = [note for of_one in one.allowances.values() for allowance in of_one for note in allowance.notes]
        yield from (f"A rule of {one.workload}: {note}." for note in dict.fromkeys(allowed))


def free(edges: Sequence[Evidence]) -> Iterator[str]:
    if edges:
        count = counted(sum(edge.connections for edge in edges), "connection")
        yield f"No rule is needed for {count} between a pod and its own node, kubelet's probes for one, or itself."


def left_out(omissions: Sequence[Omission]) -> Iterator[str]:
    """By reason; what was answered first, as that would be missed."""
    for reason in Reason:
        found = [one.evidence for one in omissions if one.reason is reason]
        if found:
            found.sort(key=lambda one: one.connections == max(one.failed, one.unanswered))
            answered = sum(one.connections > max(one.failed, one.unanswered) for one in found)
            count = counted(sum(one.connections for one in found), "connection")
            more = f", {answered:,} of them answered" if answered else ""
            yield f"Left out, {reason.value}: {counted(len(found), 'edge')}{more} ({count})."
            yield from (f"  {line}" for line in words.edges(found))
