"""Whom a policy is about or names, as masks over endpoints: label selectors, addresses, and what is made of them."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from analysis.policy.endpoints import Columns, Mask, Network, Selection, Values

Lookup = Callable[[str], Values]


class Operator(StrEnum):
    IN = "In"
    NOT_IN = "NotIn"
    EXISTS = "Exists"
    DOES_NOT_EXIST = "DoesNotExist"


@dataclass(frozen=True)
class Requirement:
    key: str
    operator: Operator
    values: tuple[str, ...] = ()

    def mask(self, label: Lookup) -> Mask:
        """NotIn matches who has no such label, too."""
        found = label(self.key)
        match self.operator:
            case Operator.IN:
                return found.one_of(self.values)
            case Operator.NOT_IN:
                return ~found.one_of(self.values)
            case Operator.EXISTS:
                return found.present
            case Operator.DOES_NOT_EXIST:
                return ~found.present


# All of them; none at all match everything.
LabelSelector = tuple[Requirement, ...]


@dataclass(frozen=True)
class Pods:
    """Pods of one namespace, or of all those that the selector matches."""

    namespace: str | LabelSelector
    labels: LabelSelector

    def mask(self, columns: Columns) -> Mask:
        if isinstance(self.namespace, str):
            found = columns.pods & columns.namespaces.one_of([self.namespace])
        else:
            found = _narrowed(columns.pods, self.namespace, columns.namespace_label)
        return _narrowed(found, self.labels, columns.label)


@dataclass(frozen=True)
class Block:
    """Addresses of a network, whoever has them."""

    network: Network
    excepted: tuple[Network, ...] = ()

    def mask(self, columns: Columns) -> Mask:
        found = columns.inside(self.network)
        for network in self.excepted:
            found = found & ~columns.inside(network)
        return found


@dataclass(frozen=True)
class Every:
    """Those that every part selects; without parts everybody."""

    parts: tuple[Selection, ...] = ()

    def mask(self, columns: Columns) -> Mask:
        return np.asarray(
            np.logical_and.reduce([np.ones(len(columns), np.bool_), *(columns.of(part) for part in self.parts)])
        )


@dataclass(frozen=True)
class Either:
    """Those that some part selects; without parts nobody."""

    parts: tuple[Selection, ...] = ()

    def mask(self, columns: Columns) -> Mask:
        return np.asarray(
            np.logical_or.reduce([np.zeros(len(columns), np.bool_), *(columns.of(part) for part in self.parts)])
        )


@dataclass(frozen=True)
class Not:
    part: Selection

    def mask(self, columns: Columns) -> Mask:
        return ~columns.of(self.part)


def _narrowed(rows: Mask, selector: LabelSelector, label: Lookup) -> Mask:
    for requirement in selector:
        rows = rows & requirement.mask(label)
    return np.asarray(rows)
