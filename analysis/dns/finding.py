"""What a diagnosis says: what is wrong, whose it is, what it costs, what to change, and what that would do."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

Row = Mapping[str, Any]


class Severity(IntEnum):
    """By what it does to those who ask."""

    INFO = 1  # worth knowing; nobody waits for it
    WARNING = 2  # slower or dearer than it need be, or at risk
    CRITICAL = 3  # names fail, or take seconds

    @property
    def word(self) -> str:
        return self.name.lower()


@dataclass(frozen=True)
class Finding:
    """``queries`` and ``waited_us`` are what it costs; ``effect`` is what the fix would do, as far as it can be told."""

    diagnosis: str
    severity: Severity
    subject: str
    says: str
    fix: str
    queries: int
    waited_us: int
    evidence: Row
    effect: str | None = None
    # Parameters of the question dns/search that show the transactions behind it.
    look: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Diagnosis:
    """``name`` is that of its question below ``dns/``; ``judge`` makes findings of the rows, which come the worst first."""

    name: str
    title: str
    judge: Callable[[Sequence[Row], "Context"], Sequence[Finding]]
    # It compares with the Services of the cluster, and can tell nothing where they are not known.
    needs_services: bool = False


@dataclass(frozen=True)
class Context:
    """What the rows alone do not tell; the Services of the cluster are None where no objects were given."""

    cluster_domain: str = "cluster.local"
    services: Sequence["Service"] | None = None


@dataclass(frozen=True)
class Service:
    """``ready`` and ``unready`` count its endpoints; None where the cluster does not tell them."""

    namespace: str
    name: str
    ready: int | None
    unready: int | None
    addresses: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()


def client_of(row: Row) -> str:
    """The client as namespace/workload, or its address where nothing is known of it."""
    name = str(row["client_name"])
    return f"{row['client_namespace']}/{name}" if row["client_namespace"] else name
