"""What a set of policies would have done to history."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from analysis.policy.coverage import LEAST_GAP, shortcomings
from analysis.policy.endpoints import Endpoint
from analysis.policy.evaluate import columns_of, evaluate_columns, up_to_plugin
from analysis.policy.findings import Finding, found
from analysis.policy.history import TIMEOUT_S, History, Window, read_history, window_of
from analysis.policy.recommend.behind import through_services
from analysis.policy.recommend.cluster import Cluster
from analysis.policy.rules import Policies
from analysis.policy.summary import aimless, doubts, homeless, judged, outcome
from analysis.policy.usage import Seen, unused
from analysis.questions import ask
from contract.errors import LakeError, QuestionError
from store.lake import Lake

UNUSED = "unused"


@dataclass(frozen=True)
class Asked:
    """Which part of history."""

    since: datetime | None = None
    until: datetime | None = None
    cluster: str | None = None


@dataclass(frozen=True)
class Replay:
    """``edges`` that are not plainly allowed, workload by workload; ``unused`` is what is allowed and nobody needed."""

    window: Window
    summary: Sequence[str]
    edges: pa.Table
    unused: pa.Table

    @property
    def denies(self) -> bool:
        return bool(self.of(Finding.DENIED).num_rows)

    def of(self, finding: Finding) -> pa.Table:
        return self.edges.filter(pc.equal(self.edges["finding"], finding.value))

    def rows(self) -> pa.Table:
        """Both in one table, for programs that read but one."""
        finding = pa.array([UNUSED] * self.unused.num_rows, pa.string())
        unused = self.unused.rename_columns({"rule": "reason"}).append_column("finding", finding)
        return pa.concat_tables([self.edges, unused], promote_options="default")


def replay(lake: Lake, policies: Policies, cluster: Cluster, asked: Asked) -> Replay:
    history = cluster_history(lake, cluster, asked)
    known = cluster.endpoints
    missed = missed_by_captures(lake, known, asked, history.window)
    return replay_on(history, policies, known, [*cluster.reading, *missed])


def replay_on(history: History, policies: Policies, known: Sequence[Endpoint], missed: Sequence[str]) -> Replay:
    # Whom a rule names is told of the cluster as it is, too.
    endpoints = [*history.endpoints, *known]
    columns = columns_of(policies, endpoints)
    verdicts = evaluate_columns(policies, columns, history.edges)
    open_to_plugin = up_to_plugin(policies, columns, history.edges, verdicts)
    edges = found(policies, history, columns, verdicts, open_to_plugin)
    seen = Seen(endpoints, columns, history.edges, history.rows["connections"].to_numpy())
    summary = [
        judged(history),
        *missed,
        *doubts(history),
        *homeless(policies),
        *aimless(policies, columns),
        *outcome(edges),
    ]
    return Replay(history.window, summary, edges, unused(policies, seen))


def cluster_history(lake: Lake, cluster: Cluster, asked: Asked) -> History:
    """Where only a Service's address was seen, with what the objects put behind it."""
    return through_services(asked_history(lake, cluster.endpoints, asked), cluster)


def asked_history(lake: Lake, known: Sequence[Endpoint], asked: Asked) -> History:
    """An error where there is nothing: no history denies nothing, which must not look like a proof."""
    window = window_of(lake, asked.since, asked.until, asked.cluster)
    if window is None:
        raise LakeError(f"{lake.folder}: has no records; ingest captures into it first")
    history = read_history(lake, known, window, asked.since, asked.until, asked.cluster)
    if not history.rows.num_rows and not history.unresolved.num_rows:
        raise QuestionError(f"nothing to judge: {nothing_in(lake, window)}")
    return history


def missed_by_captures(lake: Lake, known: Sequence[Endpoint], asked: Asked, window: Window) -> list[str]:
    return shortcomings(coverage_rows(lake, asked), window, known)


def nothing_in(lake: Lake, window: Window) -> str:
    span = " to ".join(f"{time:%Y-%m-%dT%H:%M:%SZ}" for time in lake.span() or ())
    return f"no connections from {window.since:%Y-%m-%dT%H:%M:%SZ} to {window.until:%Y-%m-%dT%H:%M:%SZ}; the lake has {span}"


def coverage_rows(lake: Lake, asked: Asked) -> pa.Table:
    given = {
        "since": asked.since,
        "until": asked.until,
        "cluster": asked.cluster,
        "least_gap": int(LEAST_GAP.total_seconds()),
    }
    return ask(lake, "policy/coverage", given, None, TIMEOUT_S).table
