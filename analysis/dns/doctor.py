"""Every diagnosis of DNS over one window of a lake."""

from collections.abc import Mapping, Sequence

from analysis.dns import (
    bypass,
    low_ttl,
    misspelt,
    negative_cache,
    never_connected,
    no_endpoint,
    pair_race,
    refused,
    search_path,
    servfail,
    slow_replica,
    slow_upstream,
    truncated,
    unanswered,
)
from analysis.dns.each_cluster import each_cluster
from analysis.dns.examination import Examination, Report, chosen
from analysis.dns.finding import Context, Diagnosis
from analysis.dns.services import read_context
from analysis.questions import TIMEOUT_S
from store.lake import Lake

DIAGNOSES: tuple[Diagnosis, ...] = (
    bypass.DIAGNOSIS,
    low_ttl.DIAGNOSIS,
    misspelt.DIAGNOSIS,
    negative_cache.DIAGNOSIS,
    never_connected.DIAGNOSIS,
    no_endpoint.DIAGNOSIS,
    pair_race.DIAGNOSIS,
    refused.DIAGNOSIS,
    search_path.DIAGNOSIS,
    servfail.DIAGNOSIS,
    slow_replica.DIAGNOSIS,
    slow_upstream.DIAGNOSIS,
    truncated.DIAGNOSIS,
    unanswered.DIAGNOSIS,
)


def examine_each(
    lake: Lake, parameters: Mapping[str, object], names: Sequence[str] = (), timeout_s: float = TIMEOUT_S
) -> Report:
    """By what the lake knows of the cluster that ``parameters`` name, or of every one, each by itself."""

    def of_one(asked: Mapping[str, object]) -> Report:
        return examine(lake, asked, read_context(lake, asked, timeout_s), names, timeout_s)

    return each_cluster(lake, parameters, of_one, timeout_s)


def examine(
    lake: Lake,
    parameters: Mapping[str, object],
    context: Context,
    names: Sequence[str] = (),
    timeout_s: float = TIMEOUT_S,
) -> Report:
    """``parameters``: since, until, cluster, namespace, workload; ``names`` of diagnoses, all where there are none."""
    return Examination(lake, "dns", parameters, context, timeout_s).report(chosen(DIAGNOSES, names))
