"""The label selector with the fewest, most lasting labels that selects exactly the pods of some workloads."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

from analysis.policy.owners import PASSING
from analysis.policy.recommend.model import Workload
from analysis.policy.selectors import LabelSelector, Operator, Requirement

# The labels by which people tell workloads apart, the best first.
PREFERRED = (
    "app.kubernetes.io/name",
    "app",
    "k8s-app",
    "app.kubernetes.io/instance",
    "app.kubernetes.io/component",
    "component",
    "name",
    "tier",
    "role",
    "service",
)
OF_AN_APPLICATION = PREFERRED[:3]
# Labels that a new release changes: taken only where no other tells the workloads apart.
OF_A_RELEASE = frozenset({"version", "app.kubernetes.io/version", "release-version", "track", "build"})
# And labels that differ from one rollout to the next, which say nothing of what comes after: never taken by value.
OF_A_ROLLOUT = frozenset(
    {"rollouts-pod-template-hash", "helm.sh/chart", "chart", "helm.sh/revision", "operator.tigera.io/version"}
)
PASSING_WORD = re.compile(r"(^|[-_./])(hash|checksum|revision|generation|timestamp|uid|sha|commit)($|[-_./])")

# What a requirement costs beside its place in the order above: the cheapest selector that is exact is taken.
SEVERAL_VALUES, KEY_ONLY, ABSENCE, RELEASE, NOT_PREFERRED, INVALID = 6, 30, 45, 60, 20, 1000
ONE_KEY = 20
MOST_CANDIDATES = 24
MOST_KEYS = 3

# As the API server reads them (apimachinery, validation.IsQualifiedName and IsValidLabelValue).
_NAME = r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
_PREFIX = r"(?=.{1,253}/)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/"
VALID_KEY = re.compile(f"({_PREFIX})?{_NAME}", re.ASCII)
VALID_VALUE = re.compile(f"({_NAME})?", re.ASCII)

Labels = Mapping[str, str]


class Labelled(NamedTuple):
    """A pod of a workload; ``now`` if the cluster has it or will have it."""

    workload: Workload
    labels: Labels
    now: bool


class Choice(NamedTuple):
    """``others`` are selected, too; ``lost`` are workloads whose pods that are gone had other labels."""

    selector: LabelSelector
    others: tuple[Workload, ...]
    lost: tuple[Workload, ...] = ()


class _Candidate(NamedTuple):
    cost: int
    requirement: Requirement
    excluded: int


class Population:
    """The pods of one namespace."""

    def __init__(self, pods: Iterable[Labelled]) -> None:
        unique = {(pod.workload, tuple(sorted(pod.labels.items())), pod.now): pod for pod in pods}
        self._pods = [unique[key] for key in sorted(unique)]
        self._present = {pod.workload for pod in self._pods if pod.now}
        self._known: dict[frozenset[Workload], Choice] = {}

    def choose(self, targets: Collection[Workload]) -> Choice:
        """Of all the pods that ever were, or where no selector is exact of those that there are now."""
        key = frozenset(targets)
        if key not in self._known:
            self._known[key] = self._chosen(key)
        return self._known[key]

    def families(self, workloads: Collection[Workload]) -> list[tuple[Workload, ...]]:
        """Those that one application's label selects, and nobody else, together; the others by themselves."""
        left, found = sorted(workloads), []
        for key in OF_AN_APPLICATION:
            for value in sorted({value for one in left if (value := self._value(one, key)) is not None}):
                together = tuple(one for one in left if self._value(one, key) == value)
                if len(together) > 1 and self._is_family(together, key):
                    found.append(together)
                    left = [one for one in left if one not in together]
        return sorted([*found, *((one,) for one in left)])

    def _value(self, workload: Workload, key: str) -> str | None:
        values = {pod.labels.get(key) for pod in self._pods if pod.workload == workload}
        return values.pop() if len(values) == 1 else None

    def _is_family(self, together: tuple[Workload, ...], key: str) -> bool:
        choice = self.choose(together)
        return not choice.others and not choice.lost and any(one.key == key for one in choice.selector)

    def _chosen(self, targets: frozenset[Workload]) -> Choice:
        whole = _choose(self._pods, targets)
        if whole is not None and not whole.others:
            return whole
        # A workload that is gone has no pods but those of history.
        today = [pod for pod in self._pods if pod.now or pod.workload not in self._present]
        found = _choose(today, targets) or Choice((), tuple(sorted({pod.workload for pod in self._pods} - targets)))
        own = [pod for pod in self._pods if pod.workload in targets]
        lost = {pod.workload for pod in own if not matches(found.selector, pod.labels)}
        return found._replace(lost=tuple(sorted(lost)))


def matches(selector: LabelSelector, labels: Labels) -> bool:
    return all(_meets(requirement, labels.get(requirement.key)) for requirement in selector)


def _meets(requirement: Requirement, value: str | None) -> bool:
    match requirement.operator:
        case Operator.IN:
            return value in requirement.values
        case Operator.NOT_IN:
            return value not in requirement.values
        case Operator.EXISTS:
            return value is not None
        case Operator.DOES_NOT_EXIST:
            return value is None


def _choose(pods: Sequence[Labelled], targets: frozenset[Workload]) -> Choice | None:
    """None where the targets have nothing in common that could be required."""
    own = [pod.labels for pod in pods if pod.workload in targets]
    others = [pod for pod in pods if pod.workload not in targets]
    candidates = sorted(_candidates(own, others, targets), key=lambda one: (one.cost, one.requirement.key))
    if not own or not candidates:
        return None
    best = _cheapest(candidates[:MOST_CANDIDATES], (1 << len(others)) - 1)
    selector = tuple(sorted((one.requirement for one in best), key=_in_order))
    selected = {pod.workload for pod in others if matches(selector, pod.labels)}
    return Choice(selector, tuple(sorted(selected)))


def _in_order(requirement: Requirement) -> tuple[int, str]:
    key = requirement.key
    return (PREFERRED.index(key) if key in PREFERRED else len(PREFERRED)), key


def _cheapest(candidates: Sequence[_Candidate], everybody: int) -> Sequence[_Candidate]:
    """The cheapest that leave none of the others; else as few of the others as there can be."""
    exact = [
        chosen
        for size in range(1, MOST_KEYS + 1)
        for chosen in combinations(candidates, size)
        if _excluded(chosen) == everybody
    ]
    if exact:
        return min(exact, key=lambda chosen: sum(one.cost + ONE_KEY for one in chosen))
    return _greedy(candidates)


def _excluded(chosen: Iterable[_Candidate]) -> int:
    excluded = 0
    for one in chosen:
        excluded |= one.excluded
    return excluded


def _greedy(candidates: Sequence[_Candidate]) -> Sequence[_Candidate]:
    """More keys than are tried in every combination, or never exact: whatever excludes most, until nothing excludes more."""
    chosen: list[_Candidate] = [candidates[0]]
    while True:
        excluded = _excluded(chosen)
        best = max(candidates, key=lambda one: (one.excluded & ~excluded).bit_count())
        if not best.excluded & ~excluded:
            return chosen
        chosen.append(best)


def _candidates(
    own: Sequence[Labels], others: Sequence[Labelled], targets: frozenset[Workload]
) -> Iterator[_Candidate]:
    """For each label the narrowest that can be required of all targets."""
    keys = {key for labels in own for key in labels} | {key for pod in others for key in pod.labels}
    for key in sorted(keys):
        requirement = _narrowest(key, own, targets)
        if requirement is not None:
            excluded = [not _meets(requirement, pod.labels.get(key)) for pod in others]
            bits = sum(1 << place for place, one in enumerate(excluded) if one)
            yield _Candidate(_cost(requirement), requirement, bits)


def _narrowest(key: str, own: Sequence[Labels], targets: frozenset[Workload]) -> Requirement | None:
    values = {labels[key] for labels in own if key in labels}
    if not values:
        return None if _passes(key) else Requirement(key, Operator.DOES_NOT_EXIST)
    if not all(key in labels for labels in own):
        return None
    if _passes(key) and not _names_job(key, targets):
        return Requirement(key, Operator.EXISTS)
    return Requirement(key, Operator.IN, tuple(sorted(values)))


def _passes(key: str) -> bool:
    return key in PASSING or key in OF_A_ROLLOUT or PASSING_WORD.search(key) is not None


def _names_job(key: str, targets: frozenset[Workload]) -> bool:
    """A Job that no CronJob makes is its own workload, and keeps its name."""
    return key in ("job-name", "batch.kubernetes.io/job-name") and all(one.kind == "Job" for one in targets)


def _cost(requirement: Requirement) -> int:
    key = requirement.key
    cost = PREFERRED.index(key) if key in PREFERRED else NOT_PREFERRED
    cost += RELEASE if key in OF_A_RELEASE else 0
    cost += 0 if valid(requirement) else INVALID
    match requirement.operator:
        case Operator.EXISTS:
            return cost + KEY_ONLY
        case Operator.DOES_NOT_EXIST:
            return cost + ABSENCE
    return cost + (SEVERAL_VALUES if len(requirement.values) > 1 else 0)


def valid(requirement: Requirement) -> bool:
    """Whether the API server takes it."""
    values = all(VALID_VALUE.fullmatch(value) for value in requirement.values)
    return VALID_KEY.fullmatch(requirement.key) is not None and values


def of_a_release(selector: LabelSelector) -> list[str]:
    return [requirement.key for requirement in selector if requirement.key in OF_A_RELEASE]
