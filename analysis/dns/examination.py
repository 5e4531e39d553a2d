"""Diagnoses over one window of a lake, and their findings in the order of what they cost."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from analysis.dns.finding import MOST, Context, Diagnosis, Finding
from analysis.questions import Asking, asking
from contract.errors import QuestionError
from store.lake import Lake

NO_SERVICES = "the lake has no Kubernetes objects (ingest the captures with --kube), or those of several clusters"
NOTHING_ASKED = "no DNS transaction of such a client in that time"

# Parameters that choose clients.
WHOSE = ("namespace", "workload")


@dataclass(frozen=True)
class Unjudged:
    diagnosis: Diagnosis
    why: str


@dataclass(frozen=True)
class Report:
    """``silent``: diagnoses that found nothing; ``cut``: those that have more findings than are shown.

    ``asked``: false where there was nothing to judge, as no such client asked for anything.
    """

    findings: Sequence[Finding]
    silent: Sequence[Diagnosis]
    cut: Sequence[Diagnosis]
    unjudged: Sequence[Unjudged] = ()
    asked: bool = True


@dataclass(frozen=True)
class Examination:
    """``folder`` is what the names of the questions begin with."""

    lake: Lake
    folder: str
    parameters: Mapping[str, object]
    context: Context
    timeout_s: float

    def report(self, diagnoses: Sequence[Diagnosis]) -> Report:
        findings: list[Finding] = []
        silent, cut, unjudged = [], [], []
        with asking(self.lake, self.parameters) as ask:
            for diagnosis in diagnoses:
                try:
                    found, more = self._examined(ask, diagnosis)
                except QuestionError as error:
                    unjudged.append(Unjudged(diagnosis, str(error)))
                    continue
                findings += found
                silent += [] if found else [diagnosis]
                cut += [diagnosis] if more else []
            asked = bool(findings) or bool(ask("dns/asked", self._whose(), 1, self.timeout_s).table.num_rows)
        if not asked:
            unjudged += [Unjudged(one, NOTHING_ASKED) for one in silent]
            silent = []
        return Report(by_cost(findings), silent, cut, unjudged, asked)

    def _examined(self, ask: Asking, diagnosis: Diagnosis) -> tuple[Sequence[Finding], bool]:
        if diagnosis.needs_services and self.context.services is None:
            raise QuestionError(NO_SERVICES)
        whose = dict.fromkeys(WHOSE) if diagnosis.compares else {}
        asked = {**self.parameters, **whose}
        answer = ask(f"{self.folder}/{diagnosis.name}", asked, diagnosis.rows, self.timeout_s)
        found = by_cost(diagnosis.judge(answer.table.to_pylist(), self.context))
        kept = [one for one in found if self._concerns(one)] if diagnosis.compares else found
        return kept[:MOST], answer.truncated or len(kept) > MOST

    def _whose(self) -> Mapping[str, object]:
        return {name: self.parameters.get(name) for name in WHOSE}

    def _concerns(self, finding: Finding) -> bool:
        namespace, workload = self._whose().values()
        return (namespace is None and workload is None) or any(
            namespace in (None, inside) and workload in (None, name) for inside, name in finding.clients
        )


def together(*reports: Report) -> Report:
    """One report of all."""
    return Report(
        findings=by_cost(one for report in reports for one in report.findings),
        silent=[one for report in reports for one in report.silent],
        cut=[one for report in reports for one in report.cut],
        unjudged=[one for report in reports for one in report.unjudged],
        asked=any(report.asked for report in reports),
    )


def chosen(known: Sequence[Diagnosis], names: Sequence[str], word: str = "diagnosis") -> Sequence[Diagnosis]:
    by_name = {diagnosis.name: diagnosis for diagnosis in known}
    for name in names:
        if name not in by_name:
            raise QuestionError(f"no {word} {name!r}; there are {', '.join(by_name)}")
    return [by_name[name] for name in names] if names else known


def by_cost(findings: Iterable[Finding]) -> list[Finding]:
    """The worst first."""
    return sorted(findings, key=_cost)


def _cost(finding: Finding) -> tuple[object, ...]:
    return -finding.severity, -finding.waited_us, -finding.queries, finding.diagnosis, finding.subject
