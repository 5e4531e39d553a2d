"""What the page on policy shows: policies that are recommended, or that somebody brought, and what they do."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from analysis.policy.blast import radius
from analysis.policy.dialects import policies_of
from analysis.policy.documents import documents_of
from analysis.policy.endpoints import Workload
from analysis.policy.findings import Finding
from analysis.policy.history import History
from analysis.policy.picture.edges import JUDGED, State, ends_of
from analysis.policy.picture.ends import End, Scope, within
from analysis.policy.picture.picture import Picture, picture
from analysis.policy.recommend import model
from analysis.policy.recommend.cluster import Cluster
from analysis.policy.recommend.dialects import Dialect
from analysis.policy.recommend.learning import Learning
from analysis.policy.recommend.proof import NAME
from analysis.policy.recommend.proposal import propose
from analysis.policy.replay import Asked, Replay, cluster_history, missed_by_captures, replay_on
from analysis.policy.rules import NO_PORT
from analysis.words import counted
from store.lake import Lake

# Names and texts of files.
Texts = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class View:
    """``words`` are to be read first; ``left_out`` are rows of ``JUDGED`` that were not learned, or never answered."""

    words: Sequence[str]
    text: str
    picture: Picture
    left_out: pa.Table


def recommended(
    lake: Lake, cluster: Cluster, asked: Asked, scope: Scope, dialect: Dialect, style: model.Style = model.PLAIN
) -> View:
    proposal = propose(lake, cluster, asked, [scope.namespace], dialect, style)
    omissions = proposal.found.omissions
    left_out = {_key(one.evidence): one.reason.value for one in omissions}
    policies = policies_of(documents_of(proposal.text, NAME))
    near = within(_with_workloads(proposal.learning), cluster.endpoints, scope)
    drawn = picture(policies, near, cluster.endpoints, scope, left_out)
    words = [*proposal.found.words, *drawn.open_sides]
    return View(words, proposal.text, drawn, _omitted(omissions, scope))


def replayed(lake: Lake, cluster: Cluster, asked: Asked, scope: Scope, texts: Texts) -> View:
    documents = [document for name, text in texts for document in documents_of(text, name)]
    policies = policies_of(documents)
    history = cluster_history(lake, cluster, asked)
    missed = [*cluster.reading, *missed_by_captures(lake, cluster.endpoints, asked, history.window)]
    near = within(history, cluster.endpoints, scope)
    told, whole = (replay_on(one, policies, cluster.endpoints, missed) for one in (near, history))
    drawn = picture(policies, near, cluster.endpoints, scope)
    text = "\n---\n".join(text for _, text in texts)
    words = [*told.summary, *_elsewhere(told, whole), *radius(policies, cluster.endpoints), *drawn.open_sides]
    return View(words, text, drawn, drawn.of(State.LEFT_OUT))


def _elsewhere(told: Replay, whole: Replay) -> Iterator[str]:
    more = whole.of(Finding.DENIED).num_rows - told.of(Finding.DENIED).num_rows
    if more:
        yield f"Beside what was chosen, {counted(more, 'edge')} would be denied, too."


def _with_workloads(learning: Learning) -> History:
    """Endpoints that are drawn as what they were learned as."""
    endpoints = [
        replace(one, workload=(end.kind, end.name)) if isinstance(end, Workload) else one
        for end, one in zip(learning.ends, learning.history.endpoints, strict=True)
    ]
    return replace(learning.history, endpoints=endpoints)


def _omitted(omissions: Sequence[model.Omission], scope: Scope) -> pa.Table:
    rows = []
    for one in omissions:
        src, dst, protocol, port = _key(one.evidence)
        if scope.holds(src) or scope.holds(dst):
            counts = {name: getattr(one.evidence, name) for name in COUNTS}
            ends = {"protocol": protocol, "port": None if port == NO_PORT else port, **ends_of(src, dst)}
            rows.append({**ends, **counts, "state": State.LEFT_OUT, "why": one.reason.value})
    return pa.Table.from_pylist(rows, schema=JUDGED)


COUNTS = ("connections", "failed", "bytes", "first_seen", "last_seen")


def _key(edge: model.Evidence) -> tuple[End, End, int, int]:
    return _end(edge.src), _end(edge.dst), edge.protocol, edge.port


def _end(end: model.End) -> End:
    match end:
        case Workload():
            return End("pod", end.namespace, end.kind, end.name)
        case model.Node():
            return End("node", None, "Node", end.name)
        case model.Outside():
            return End("external" if end.named else None, None, None, end.domain or end.address)
