"""From the lake and the cluster's objects to a recommendation, and from there to its text."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from analysis.policy.coverage import shortcomings
from analysis.policy.endpoints import Endpoint, Workload
from analysis.policy.history import History, read_history, window_of
from analysis.policy.recommend import heading
from analysis.policy.recommend.behind import through_services
from analysis.policy.recommend.cluster import Cluster
from analysis.policy.recommend.dns import servers
from analysis.policy.recommend.drafts import Known, namespace_draft
from analysis.policy.recommend.ends import as_now, ends_of, populations, unresolved
from analysis.policy.recommend.learning import Learning, learn, touches
from analysis.policy.recommend.model import Recommendation
from analysis.policy.recommend.ports import Seen, differing
from analysis.policy.replay import Asked, coverage_rows, nothing_in
from analysis.policy.rules import NamedPort
from analysis.policy.words import listed
from contract.errors import LakeError, QuestionError
from store.lake import Lake


class NoEvidenceError(QuestionError):
    """The time that was asked for has nothing to learn from."""


def recommend(lake: Lake, cluster: Cluster, asked: Asked, namespaces: Sequence[str]) -> tuple[Recommendation, Learning]:
    """Also what it was learned from, which has to prove it."""
    window = window_of(lake, asked.since, asked.until, asked.cluster)
    if window is None:
        raise LakeError(f"{lake.folder}: has no records; ingest captures into it first")
    history = read_history(lake, cluster.endpoints, window, asked.since, asked.until, asked.cluster)
    if not history.rows.num_rows and not history.unresolved.num_rows:
        raise NoEvidenceError(f"nothing to learn from: {nothing_in(lake, window)}")
    _refuse_nameless(history)
    history = through_services(history, cluster)
    learning = learn(history, ends_of(history, cluster), cluster.listens, unresolved(history))
    _refuse_unknown(namespaces, learning, cluster)
    known = _known(learning, cluster)
    missed = [*cluster.reading, *shortcomings(coverage_rows(lake, asked), window, cluster.endpoints)]
    judged = as_now(history, learning.ends, known.populations, cluster)
    return _recommendation(learning, known, namespaces, missed), replace(
        learning, history=replace(history, endpoints=judged)
    )


def _refuse_nameless(history: History) -> None:
    """A lake that knows no pod would teach that nothing is needed."""
    if not (history.rows.num_rows - history.rows["src_kind"].null_count + history.unresolved.num_rows):
        raise NoEvidenceError("no address of the lake has a name; ingest the captures with --kube into a new lake")


def _refuse_unknown(namespaces: Iterable[str], learning: Learning, cluster: Cluster) -> None:
    """A namespace that is misspelled must not look like one without traffic."""
    known = {member.workload.namespace for member in cluster.members}
    known |= {end.namespace for end in learning.ends if isinstance(end, Workload)}
    for name in namespaces:
        if name not in known:
            raise NoEvidenceError(
                f"no pod of namespace {name!r:.80}, neither in the objects nor in the lake; there are {listed(known)}"
            )


def _recommendation(
    learning: Learning, known: Known, namespaces: Sequence[str], missed: Iterable[str]
) -> Recommendation:
    chosen, window = frozenset(namespaces), learning.history.window
    edges, free = ([edge for edge in found if touches(edge, chosen)] for found in (learning.edges, learning.free))
    omissions = tuple(one for one in learning.omissions if touches(one.evidence, chosen))
    drafts = tuple(namespace_draft(name, edges, known) for name in sorted(chosen))
    seconds = (window.until - window.since).total_seconds()
    words = (
        heading.learned(edges, sorted(chosen), seconds),
        *missed,
        *heading.about(drafts, edges, known.dns, known.cluster.policies),
        *heading.free(free),
    )
    return Recommendation(window, drafts, omissions, words, known.cluster.policies, known.cluster.api_servers)


def _known(learning: Learning, cluster: Cluster) -> Known:
    people = populations(learning.history, learning.ends, cluster)
    left_out = [one.evidence for one in learning.omissions]
    return Known(cluster, people, servers(cluster, learning.edges, people), _port_names(learning, cluster), left_out)


def _port_names(learning: Learning, cluster: Cluster) -> dict[Workload, dict[Seen, NamedPort]]:
    pods: dict[Workload, list[Endpoint]] = {}
    for workload, pod, _ in cluster.members:
        pods.setdefault(workload, []).append(pod)
    found = {workload: names for workload, of_one in pods.items() if (names := differing(of_one, ()))}
    if not found:
        return {}
    answered: dict[Workload, list[tuple[Endpoint, Seen]]] = {}
    edges = learning.history.edges
    for dst, protocol, port in zip(
        *(column.tolist() for column in (edges.dst, edges.protocol, edges.port)), strict=True
    ):
        end = learning.ends[dst]
        if isinstance(end, Workload) and end in found:
            answered.setdefault(end, []).append((learning.history.endpoints[dst], (protocol, port)))
    return {workload: differing(pods[workload], answered.get(workload, ())) for workload in found}
