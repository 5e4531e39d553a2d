"""The labels by which Calico knows pods and network sets: their own, and those it adds.

A pod and a network set inherit the labels of their namespace behind ``pcns.``, a pod those of its service account behind
``pcsa.``; a namespaceSelector is a selector of the former, a serviceAccountSelector of the latter.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.policy.calico.domains import Pattern, matching
from analysis.policy.calico.selector import (
    NAMESPACE,
    OF_NAMESPACE,
    OF_SERVICE_ACCOUNT,
    ORCHESTRATOR,
    SERVICE_ACCOUNT,
    Expression,
)
from analysis.policy.endpoints import ABSENT, NAMESPACE_NAME, Columns, Mask, Network, Values, numbered

# Of a namespace and of a service account.
NAME = "projectcalico.org/name"

# A longer name has no label of its own, but the one that is inherited.
LONGEST_SERVICE_ACCOUNT = 62


class PodLabels:
    """Rows that are no pods have whatever they have: who asks takes the pods alone."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns

    def __len__(self) -> int:
        return len(self._columns)

    def label(self, key: str) -> Values:
        if key in ADDED:
            return ADDED[key](self._columns)
        if key.startswith(OF_NAMESPACE):
            return self._of_namespace(key.removeprefix(OF_NAMESPACE))
        if key.startswith(OF_SERVICE_ACCOUNT):
            return self._of_service_account(key.removeprefix(OF_SERVICE_ACCOUNT))
        return self._columns.label(key)

    def _of_namespace(self, key: str) -> Values:
        return self._columns.namespaces if key == NAME else self._columns.namespace_label(key)

    def _of_service_account(self, key: str) -> Values:
        return self._columns.service_accounts if key == NAME else self._columns.service_account_label(key)


def _shorter(accounts: Values) -> Values:
    long = accounts.one_of([name for name in accounts.numbers if len(name) > LONGEST_SERVICE_ACCOUNT])
    return Values(np.where(long, ABSENT, accounts.codes), accounts.numbers)


ADDED: Mapping[str, Callable[[Columns], Values]] = {
    NAMESPACE: lambda columns: columns.namespaces,
    ORCHESTRATOR: lambda columns: Values(np.zeros(len(columns), np.int64), {"k8s": 0}),
    SERVICE_ACCOUNT: lambda columns: _shorter(columns.service_accounts),
}


@dataclass(frozen=True, eq=False)
class NetworkSet:
    """``namespace`` is None of a GlobalNetworkSet."""

    namespace: str | None
    labels: Mapping[str, str]
    networks: tuple[Network, ...]
    domains: tuple[Pattern, ...]


class SetLabels:
    """The labels of a namespace are those it has in the cluster: of one without a pod nothing but the name is known."""

    def __init__(self, sets: Sequence[NetworkSet], columns: Columns) -> None:
        self._sets = sets
        self._columns = columns

    def __len__(self) -> int:
        return len(self._sets)

    def label(self, key: str) -> Values:
        return numbered([self._label(one, key) for one in self._sets])

    def _label(self, one: NetworkSet, key: str) -> str | None:
        if key == NAMESPACE:
            return one.namespace
        if not key.startswith(OF_NAMESPACE):
            return one.labels.get(key)
        inherited = key.removeprefix(OF_NAMESPACE)
        if inherited in (NAME, NAMESPACE_NAME):
            return one.namespace
        return self._columns.labels_by_namespace.get(one.namespace, {}).get(inherited)


@dataclass(frozen=True)
class Workloads:
    """Pods whose labels an expression selects."""

    expression: Expression

    def mask(self, columns: Columns) -> Mask:
        return columns.pods & self.expression.mask(PodLabels(columns))


@dataclass(frozen=True, eq=False)
class Sets:
    """The network sets of a set of policies; the same object for all its rules."""

    members: tuple[NetworkSet, ...]

    def selected(self, expression: Expression, columns: Columns) -> list[NetworkSet]:
        chosen = expression.mask(SetLabels(self.members, columns)) if self.members else ()
        return [one for one, is_chosen in zip(self.members, chosen, strict=True) if is_chosen]


@dataclass(frozen=True)
class Labelled:
    """Whom a selector of a rule names: pods, and whatever lies in the network sets that have such labels.

    What a set's domains resolve to counts in egress rules that allow.
    """

    expression: Expression
    sets: Sets
    with_domains: bool = False

    def mask(self, columns: Columns) -> Mask:
        chosen = self.sets.selected(self.expression, columns)
        found = Workloads(self.expression).mask(columns)
        found = found | columns.inside_any(network for one in chosen for network in one.networks)
        if self.with_domains:
            found = found | matching([pattern for one in chosen for pattern in one.domains], columns)
        return np.asarray(found)
