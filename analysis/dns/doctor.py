"""Every diagnosis over one window of a lake, and the findings in the order of what they cost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from analysis.dns import unanswered
from analysis.dns.finding import Context, Diagnosis, Finding
from analysis.questions import TIMEOUT_S, ask
from contract.errors import QuestionError
from store.lake import Lake

DIAGNOSES: tuple[Diagnosis, ...] = (unanswered.DIAGNOSIS,)

# Findings of one diagnosis that anybody reads.
MOST = 50


NO_SERVICES = "the lake has no Kubernetes objects; ingest the captures with --kube"


@dataclass(frozen=True)
class Unjudged:
    diagnosis: Diagnosis
    why: str


@dataclass(frozen=True)
class Report:
    """``silent``: diagnoses that found nothing; ``cut``: those that have more findings than are shown."""

    findings: Sequence[Finding]
    silent: Sequence[Diagnosis]
    cut: Sequence[Diagnosis]
    unjudged: Sequence[Unjudged] = ()


def examine(
    lake: Lake,
    parameters: Mapping[str, object],
    context: Context,
    names: Sequence[str] = (),
    timeout_s: float = TIMEOUT_S,
) -> Report:
    """``parameters``: since, until, namespace, workload; ``names`` of diagnoses, all where there are none."""
    findings: list[Finding] = []
    silent, cut, unjudged = [], [], []
    for diagnosis in chosen(names):
        try:
            found, more = _examined(lake, diagnosis, parameters, context, timeout_s)
        except QuestionError as error:
            unjudged.append(Unjudged(diagnosis, str(error)))
            continue
        findings += found
        silent += [] if found else [diagnosis]
        cut += [diagnosis] if more else []
    return Report(sorted(findings, key=_cost), silent, cut, unjudged)


def _examined(
    lake: Lake, diagnosis: Diagnosis, parameters: Mapping[str, object], context: Context, timeout_s: float
) -> tuple[Sequence[Finding], bool]:
    if diagnosis.needs_services and context.services is None:
        raise QuestionError(NO_SERVICES)
    answer = ask(lake, f"dns/{diagnosis.name}", parameters, MOST, timeout_s)
    return diagnosis.judge(answer.table.to_pylist(), context), answer.truncated


def chosen(names: Sequence[str]) -> Sequence[Diagnosis]:
    known = {diagnosis.name: diagnosis for diagnosis in DIAGNOSES}
    for name in names:
        if name not in known:
            raise QuestionError(f"no diagnosis {name!r}; there are {', '.join(known)}")
    return [known[name] for name in names] if names else DIAGNOSES


def _cost(finding: Finding) -> tuple[object, ...]:
    return -finding.severity, -finding.waited_us, -finding.queries, finding.diagnosis, finding.subject
