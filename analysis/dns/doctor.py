"""Every diagnosis over one window of a lake, and the findings in the order of what they cost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from analysis.dns import (
    bypass,
    misspelt,
    never_connected,
    no_endpoint,
    pair_race,
    refused,
    servfail,
    slow_replica,
    slow_upstream,
    truncated,
    unanswered,
)
from analysis.dns.finding import MOST, Context, Diagnosis, Finding
from analysis.questions import TIMEOUT_S, ask
from contract.errors import QuestionError
from store.lake import Lake

DIAGNOSES: tuple[Diagnosis, ...] = (
    bypass.DIAGNOSIS,
    misspelt.DIAGNOSIS,
    never_connected.DIAGNOSIS,
    no_endpoint.DIAGNOSIS,
    pair_race.DIAGNOSIS,
    refused.DIAGNOSIS,
    servfail.DIAGNOSIS,
    slow_replica.DIAGNOSIS,
    slow_upstream.DIAGNOSIS,
    truncated.DIAGNOSIS,
    unanswered.DIAGNOSIS,
)


@dataclass(frozen=True)
class Report:
    """``silent``: diagnoses that found nothing; ``cut``: those that have more findings than are shown."""

    findings: Sequence[Finding]
    silent: Sequence[Diagnosis]
    cut: Sequence[Diagnosis]


def examine(
    lake: Lake,
    parameters: Mapping[str, object],
    context: Context,
    names: Sequence[str] = (),
    timeout_s: float = TIMEOUT_S,
) -> Report:
    """``parameters``: since, until, namespace, workload; ``names`` of diagnoses, all where there are none."""
    findings: list[Finding] = []
    silent, cut = [], []
    for diagnosis in chosen(names):
        answer = ask(lake, f"dns/{diagnosis.name}", parameters, diagnosis.rows, timeout_s)
        found = sorted(diagnosis.judge(answer.table.to_pylist(), context), key=_cost)
        findings += found[:MOST]
        silent += [] if found else [diagnosis]
        cut += [diagnosis] if answer.truncated or len(found) > MOST else []
    return Report(sorted(findings, key=_cost), silent, cut)


def chosen(names: Sequence[str]) -> Sequence[Diagnosis]:
    known = {diagnosis.name: diagnosis for diagnosis in DIAGNOSES}
    for name in names:
        if name not in known:
            raise QuestionError(f"no diagnosis {name!r}; there are {', '.join(known)}")
    return [known[name] for name in names] if names else DIAGNOSES


def _cost(finding: Finding) -> tuple[object, ...]:
    return -finding.severity, -finding.waited_us, -finding.queries, finding.diagnosis, finding.subject
