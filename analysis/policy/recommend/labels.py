"""The label selector with the fewest, most lasting labels that selects exactly the pods of some workloads."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import reduce
from itertools import chain, combinations, islice
from operator import and_, or_
from typing import NamedTuple

from analysis.policy.endpoints import Workload
from analysis.policy.owners import PASSING
from analysis.policy.recommend.model import ANY_RUN
from analysis.policy.selectors import LabelSelector, Operator, Requirement
from analysis.policy.words import listed

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
SEVERAL_VALUES, KEY_ONLY, ABSENCE, RELEASE, NOT_PREFERRED, INVALID = 6, 30, 70, 60, 20, 1000
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
    """The pods of one namespace. A set of them is a number that has a bit for each."""

    def __init__(self, pods: Iterable[Labelled]) -> None:
        alike = [pod._replace(labels=_lasting(pod)) for pod in pods]
        unique = {(pod.workload, tuple(sorted(pod.labels.items())), pod.now): pod for pod in alike}
        self._pods = [unique[key] for key in sorted(unique)]
        self._of: dict[Workload, int] = {}
        self._with: dict[str, dict[str, int]] = {}
        for place, pod in enumerate(self._pods):
            self._of[pod.workload] = self._of.get(pod.workload, 0) | 1 << place
            for key, value in pod.labels.items():
                values = self._with.setdefault(key, {})
                values[value] = values.get(value, 0) | 1 << place
        self._having = {key: _union(values.values()) for key, values in self._with.items()}
        absences = (Requirement(key, Operator.DOES_NOT_EXIST) for key in self._with if not _passes(key))
        self._absences = sorted(absences, key=lambda one: (_cost(one), one.key))
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
        values = {self._pods[place].labels.get(key) for place in _places(self._of.get(workload, 0))}
        return values.pop() if len(values) == 1 else None

    def _is_family(self, together: tuple[Workload, ...], key: str) -> bool:
        choice = self.choose(together)
        return not choice.others and not choice.lost and any(one.key == key for one in choice.selector)

    def _chosen(self, targets: frozenset[Workload]) -> Choice:
        everybody, own = (1 << len(self._pods)) - 1, _union(self._of.get(one, 0) for one in targets)
        whole = self._selector(own, everybody, targets)
        if whole and not self._selected(whole) & ~own:
            return Choice(whole, ())
        # A workload that is gone has no pods but those of history.
        now = _union(1 << place for place, pod in enumerate(self._pods) if pod.now)
        gone = _union(of_one for of_one in self._of.values() if not of_one & now)
        selector = self._selector(own & (now | gone), now | gone, targets)
        selected = self._selected(selector)
        return Choice(selector, self._whose(selected & (now | gone) & ~own), self._whose(own & ~selected))

    def _selector(self, own: int, among: int, targets: frozenset[Workload]) -> LabelSelector:
        """Empty where the targets have nothing in common that could be required."""
        others = among & ~own
        candidates = sorted(self._candidates(own, others, targets), key=lambda one: (one.cost, one.requirement.key))
        best = _cheapest(candidates[:MOST_CANDIDATES], others) if own and candidates else ()
        return tuple(sorted((one.requirement for one in best), key=_in_order))

    def _candidates(self, own: int, others: int, targets: frozenset[Workload]) -> Iterator[_Candidate]:
        """For each label of the targets the narrowest that can be required of all, and the cheapest that none has."""
        keys = {key for place in _places(own) for key in self._pods[place].labels}
        found = (self._narrowest(key, own, targets) for key in sorted(keys))
        absent = (one for one in self._absences if not self._having[one.key] & own)
        for requirement in chain(filter(None, found), islice(absent, MOST_CANDIDATES)):
            yield _Candidate(_cost(requirement), requirement, others & ~self._meets(requirement))

    def _narrowest(self, key: str, own: int, targets: frozenset[Workload]) -> Requirement | None:
        if own & ~self._having[key]:
            return None
        if _passes(key) and not _names_job(key, targets):
            return Requirement(key, Operator.EXISTS)
        values = [value for value, pods in self._with[key].items() if pods & own]
        return Requirement(key, Operator.IN, tuple(sorted(values)))

    def _selected(self, selector: LabelSelector) -> int:
        return reduce(and_, map(self._meets, selector), (1 << len(self._pods)) - 1)

    def _meets(self, requirement: Requirement) -> int:
        values = self._with.get(requirement.key, {})
        if requirement.operator is Operator.IN:
            return _union(values.get(value, 0) for value in requirement.values)
        present = self._having.get(requirement.key, 0)
        return present if requirement.operator is Operator.EXISTS else (1 << len(self._pods)) - 1 & ~present

    def _whose(self, pods: int) -> tuple[Workload, ...]:
        return tuple(sorted({self._pods[place].workload for place in _places(pods)}))


def _union(sets: Iterable[int]) -> int:
    return reduce(or_, sets, 0)


def _places(pods: int) -> Iterator[int]:
    while pods:
        lowest = pods & -pods
        yield lowest.bit_length() - 1
        pods ^= lowest


def _lasting(pod: Labelled) -> Labels:
    """Without the values that say nothing of other pods: thousands of pods have few sets of labels."""
    job = (pod.workload,)
    return {key: "" if _passes(key) and not _names_job(key, job) else value for key, value in pod.labels.items()}


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


def _in_order(requirement: Requirement) -> tuple[int, str]:
    key = requirement.key
    return (PREFERRED.index(key) if key in PREFERRED else len(PREFERRED)), key


def _cheapest(candidates: Sequence[_Candidate], others: int) -> Sequence[_Candidate]:
    """The cheapest that leave none of the others; else as few of the others as there can be.

    The application's label is one of them if there is one: that no other pod is ``tier: backend`` today says little.
    """
    names = [one for one in candidates if _names_application(one.requirement)]
    exact = [
        chosen
        for size in range(1, MOST_KEYS + 1)
        for chosen in combinations(candidates, size)
        if _excluded(chosen) == others and (not names or any(one in names for one in chosen))
    ]
    if exact:
        return min(exact, key=lambda chosen: sum(one.cost + ONE_KEY for one in chosen))
    return _greedy(candidates)


def _names_application(requirement: Requirement) -> bool:
    return requirement.key in OF_AN_APPLICATION and requirement.operator is Operator.IN and valid(requirement)


def _excluded(chosen: Iterable[_Candidate]) -> int:
    return _union(one.excluded for one in chosen)


def _greedy(candidates: Sequence[_Candidate]) -> Sequence[_Candidate]:
    """More keys than are tried in every combination, or never exact: whatever excludes most, until nothing excludes more."""
    chosen: list[_Candidate] = [candidates[0]]
    while True:
        excluded = _excluded(chosen)
        best = max(candidates, key=lambda one: (one.excluded & ~excluded).bit_count())
        if not best.excluded & ~excluded:
            return chosen
        chosen.append(best)


def _passes(key: str) -> bool:
    return key in PASSING or key in OF_A_ROLLOUT or PASSING_WORD.search(key) is not None


def _names_job(key: str, targets: Collection[Workload]) -> bool:
    """A Job that no CronJob makes is its own workload, and keeps its name."""
    return key in ("job-name", "batch.kubernetes.io/job-name") and all(
        one.kind == "Job" and not one.name.endswith(ANY_RUN) for one in targets
    )


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


def doubts(choice: Choice) -> Iterator[str]:
    """What to know of a selector before it is relied on."""
    if choice.others:
        yield f"{listed(map(str, choice.others))} selected as well: no label tells them apart"
    elif not choice.selector:
        yield "every pod of the namespace is selected: these have no label of their own"
    for requirement in choice.selector:
        if requirement.key in OF_A_RELEASE:
            yield f"the label {requirement.key} may change with the next release"
        if not valid(requirement):
            yield f"the API server refuses the label {requirement.key}"
        if requirement.operator is Operator.DOES_NOT_EXIST:
            yield f"whoever has no label {requirement.key} is selected, whatever comes later too"
    if choice.lost:
        yield f"pods of {listed(map(str, choice.lost))} that are gone had other labels: those of now were taken"
