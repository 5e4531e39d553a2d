"""One report of several clusters, each examined by itself: workloads of one name may be in all of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from analysis.clusters import clusters, words
from analysis.dns.examination import Report, Unjudged, by_cost
from analysis.dns.finding import Diagnosis, Finding
from store.lake import Lake

Examine = Callable[[Mapping[str, object]], Report]


def each_cluster(lake: Lake, parameters: Mapping[str, object], examine: Examine, timeout_s: float) -> Report:
    """What ``examine`` finds with these parameters; of every cluster where the lake has several and they name none.

    Clusters in which nothing was asked are left out, unless that is all of them.
    """
    if parameters.get("cluster") is not None:
        return examine(parameters)
    names = clusters(lake, timeout_s)
    if len(names) < 2:
        return examine(parameters)
    every = {name: examine({**parameters, "cluster": name}) for name in names}
    return _in_one({name: report for name, report in every.items() if report.asked} or every)


def _in_one(reports: Mapping[str, Report]) -> Report:
    every = reports.values()
    loud = {finding.diagnosis for report in every for finding in report.findings}
    silent = dict.fromkeys(one for report in every for one in report.silent if one.name not in loud)
    return Report(
        findings=by_cost(_told(one, cluster) for cluster, report in reports.items() for one in report.findings),
        silent=list(silent),
        cut=list(dict.fromkeys(one for report in every for one in report.cut)),
        unjudged=_unjudged(reports),
        asked=any(report.asked for report in every),
    )


def _told(finding: Finding, cluster: str) -> Finding:
    return replace(
        finding,
        subject=f"{words(cluster)}: {finding.subject}",
        look={**finding.look, "cluster": cluster},
        evidence={"cluster": cluster or None, **finding.evidence},
    )


def _unjudged(reports: Mapping[str, Report]) -> Sequence[Unjudged]:
    """Each reason once, with the clusters that it is true of, if not of all."""
    where: dict[tuple[Diagnosis, str], list[str]] = {}
    for cluster, report in reports.items():
        for one in report.unjudged:
            where.setdefault((one.diagnosis, one.why), []).append(cluster)
    return [
        Unjudged(diagnosis, why if len(names) == len(reports) else f"{', '.join(map(words, names))}: {why}")
        for (diagnosis, why), names in where.items()
    ]
