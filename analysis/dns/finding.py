"""What a diagnosis says: what is wrong, whose it is, what it costs, what to change, and what that would do."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from functools import cached_property
from typing import Any

Row = Mapping[str, Any]

# Namespace (where known) and workload, or address.
Client = tuple[str | None, str]

# Questions that show what is behind a finding.
TRANSACTIONS = "dns/search"
CONNECTIONS = "flows/search"

# Findings of one diagnosis that anybody reads.
MOST = 50

# What Kubernetes calls a cluster that is not told otherwise.
CLUSTER_DOMAIN = "cluster.local"


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
    # Parameters of ``question`` that show the transactions, or connections, behind it.
    look: Mapping[str, object] = field(default_factory=dict)
    question: str = TRANSACTIONS
    # Whom it concerns; told by a diagnosis that compares clients.
    clients: frozenset[Client] = frozenset()


@dataclass(frozen=True)
class Diagnosis:
    """``name`` is that of its question below ``dns/``; ``judge`` makes findings of the rows, which come the worst first.

    It is given ``rows`` of them at most: more than ``MOST`` where not every row is worth a finding, or several make one.
    """

    name: str
    title: str
    judge: Callable[[Sequence[Row], "Context"], Sequence[Finding]]
    # It compares with the Services of the cluster, and can tell nothing where they are not known.
    needs_services: bool = False
    # More than findings that anybody reads where a finding is made of many rows, or not every row is worth one.
    rows: int = MOST
    # It compares clients with each other: it is asked of all, and of what it finds is kept what concerns those that were chosen.
    compares: bool = False


@dataclass(frozen=True)
class Context:
    """What the rows alone do not tell; the Services of the cluster are None where no objects were given.

    They are as the cluster was ``read`` last; ``gone`` are those that only earlier readings have, with the last of these.
    """

    cluster_domain: str = CLUSTER_DOMAIN
    services: Sequence["Service"] | None = None
    read: datetime | None = None
    gone: Mapping[tuple[str, str], datetime] = field(default_factory=dict)
    # Registered domains of which detections say nothing.
    harmless: frozenset[str] = frozenset()

    @cached_property
    def known(self) -> Mapping[tuple[str, str], "Service"]:
        """By namespace and name."""
        return {(service.namespace, service.name): service for service in self.services or ()}


@dataclass(frozen=True)
class Service:
    """``ready`` and ``unready`` count its endpoints; None where the cluster does not tell them.

    Without ``addresses`` it is headless, or another name for one outside.
    """

    namespace: str
    name: str
    ready: int | None
    unready: int | None
    addresses: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


def client_of(row: Row) -> str:
    """The client as namespace/workload, or its address where nothing is known of it."""
    name = str(row["client_name"])
    return f"{row['client_namespace']}/{name}" if row["client_namespace"] else name


def asked_by(row: Row) -> dict[str, object]:
    """Parameters of ``dns/search`` that select what the client of the row asked."""
    if not row["client_namespace"]:
        return {"from_ip": row["client_name"]}
    return {"from_namespace": row["client_namespace"], "from_workload": row["client_name"]}
