"""What is recommended, before any dialect writes it: per workload whom it may talk to, and why."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from analysis.policy.endpoints import Network, Workload
from analysis.policy.history import Window
from analysis.policy.rules import Direction, NamedPort, PortRange
from analysis.policy.selectors import LabelSelector

# The end of the name of a workload that stands for all of its runs; no name of Kubernetes has it.
ANY_RUN = "*"


class Node(NamedTuple):
    """Also a pod of its network; ``address`` is the one that was seen."""

    name: str
    address: str

    def __str__(self) -> str:
        return f"node {self.name}"


class Outside(NamedTuple):
    """``domain`` is the name by which src knew the address; ``named`` is false where the lake does not know what it is."""

    address: str
    domain: str | None = None
    named: bool = True

    def __str__(self) -> str:
        return f"{self.domain} ({self.address})" if self.domain else self.address


def network_of(address: str) -> Network:
    """The one address, as a network."""
    return ipaddress.ip_network(address)


# One end of an edge between workloads.
End = Workload | Node | Outside


@dataclass(frozen=True)
class Evidence:
    """What was seen of one edge between workloads.

    In ``unanswered`` connections dst sent nothing, which is no failure of a datagram to a syslog. ``service`` is the Service
    whose address alone was seen; ``own_node`` if dst is the node that the pod runs on.
    """

    src: End
    dst: End
    protocol: int
    port: int
    connections: int
    failed: int
    ambiguous: int
    bytes: int
    first_seen: datetime
    last_seen: datetime
    service: str | None = None
    own_node: bool = False
    unanswered: int = 0

    @property
    def key(self) -> tuple[str, ...]:
        """Its place among others."""
        ends = (f"{end.__class__.__name__} {end}" for end in (self.src, self.dst))
        return *ends, f"{self.protocol:3} {self.port:5}", str(self.own_node), self.service or ""


@dataclass(frozen=True)
class PodPeer:
    """``selector`` selects the pods of ``workloads``."""

    namespace: str
    selector: LabelSelector
    workloads: tuple[Workload, ...]


@dataclass(frozen=True)
class EveryPod:
    """Of every namespace."""


@dataclass(frozen=True)
class NodePeer:
    """``own``: no more than the node that the pod itself runs on."""

    name: str
    networks: tuple[Network, ...]
    own: bool


@dataclass(frozen=True)
class AddressPeer:
    """Addresses outside, by one domain if it has a name."""

    networks: tuple[Network, ...]
    domain: str | None


@dataclass(frozen=True)
class WorldPeer:
    """Everybody outside; ``excepted`` are the cluster's own networks of this IP version."""

    version: int
    excepted: tuple[Network, ...]


Peer = PodPeer | EveryPod | NodePeer | AddressPeer | WorldPeer
Port = PortRange | NamedPort


@dataclass(frozen=True)
class Allowance:
    """Peers of one kind with the same ports: one rule. A port of a protocol without ports is ``PortRange(protocol)``."""

    peers: tuple[Peer, ...]
    ports: tuple[Port, ...]
    evidence: tuple[Evidence, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Draft:
    """What the pods of one workload may do."""

    workload: Workload
    selector: LabelSelector
    allowances: Mapping[Direction, tuple[Allowance, ...]]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class NamespaceDraft:
    """Default deny in both directions, ``dns`` for each of its pods, and ``drafts`` for those that talk besides.

    ``idle`` have no more than that. ``gone`` have a draft, but no pod among the objects. No policy selects ``on_nodes``: they
    run on the network of their node.
    """

    name: str
    dns: tuple[Allowance, ...]
    drafts: tuple[Draft, ...]
    idle: tuple[Workload, ...] = ()
    on_nodes: tuple[Workload, ...] = ()
    gone: tuple[Workload, ...] = ()


class Reason(StrEnum):
    """Why an edge is not learned."""

    METADATA = "the address of a cloud's metadata, which hands out credentials"
    SCAN = "part of a scan"
    UNNAMEABLE = "port 0 or none, which no policy can name"
    UNANSWERED = "never answered, or always refused"
    GUESSED = "seen from the middle only, so that who opened it is a guess"
    UNNAMED = "an address of the cluster that nobody is known to have held"
    UNRESOLVED = "what was behind the Service is not known"


@dataclass(frozen=True)
class Omission:
    reason: Reason
    evidence: Evidence


@dataclass(frozen=True)
class Recommendation:
    """``words`` say what it was learned from, how much of that was seen, and what to look at before it is applied.

    ``taken`` are the names of the policies that each namespace has already, ``api_servers`` addresses and ports of the
    cluster's API server.
    """

    window: Window
    namespaces: tuple[NamespaceDraft, ...]
    omissions: tuple[Omission, ...]
    words: tuple[str, ...]
    taken: Mapping[str, tuple[str, ...]]
    api_servers: frozenset[tuple[str, int]] = frozenset()


@dataclass(frozen=True)
class Style:
    """What Calico alone can do: ``staged`` policies say what they would do, and ``domains`` of Enterprise follow DNS."""

    staged: bool = False
    domains: bool = False


PLAIN = Style()
