"""Whom a policy can select or name, as columns: one row each, so that a selector is a mask over rows."""

import ipaddress
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

PROTOCOLS = {"TCP": 6, "UDP": 17, "SCTP": 132}
TRANSPORTS = {number: name for name, number in PROTOCOLS.items()}

# The API server sets it on every namespace and lets nobody change it.
NAMESPACE_NAME = "kubernetes.io/metadata.name"

ABSENT = -1

Mask = NDArray[np.bool_]
Numbers = NDArray[np.int64]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def network_order(network: Network) -> tuple[int, int, int]:
    return network.version, int(network.network_address), network.prefixlen


class Workload(NamedTuple):
    namespace: str
    name: str
    kind: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True)
class Endpoint:
    """``kind`` is pod, node or external; ``ports`` are the named ones, each with protocol and number.

    ``domain`` is the name by which an address outside was looked up, ``workload`` kind and name of what owns a pod.
    """

    kind: str
    namespace: str | None
    name: str
    address: str | None
    labels: Mapping[str, str]
    namespace_labels: Mapping[str, str]
    service_account: str | None
    ports: Mapping[str, tuple[str, int]]
    host_network: bool
    node: str | None
    domain: str | None = None
    service_account_labels: Mapping[str, str] = field(default_factory=dict)
    workload: tuple[str, str] | None = None


@dataclass(frozen=True)
class Values:
    """One text of every endpoint, as its number, or ABSENT."""

    codes: Numbers
    numbers: Mapping[str, int]

    def one_of(self, wanted: Collection[str]) -> Mask:
        return np.isin(self.codes, [self.numbers[value] for value in wanted if value in self.numbers])

    @property
    def present(self) -> Mask:
        return np.asarray(self.codes != ABSENT)


class Selection(Protocol):
    """Hashable, so that a selector that many rules share is looked up once."""

    def __hash__(self) -> int: ...

    def mask(self, columns: "Columns") -> Mask: ...


class Columns:
    """Each column is built when it is first asked for, and kept."""

    def __init__(self, endpoints: Sequence[Endpoint]) -> None:
        self._endpoints = endpoints
        self._masks: dict[Selection, Mask] = {}
        self._values: dict[tuple[str, str], Values] = {}
        self._ports: dict[tuple[str, int], Numbers] = {}

    def __len__(self) -> int:
        return len(self._endpoints)

    def hiding(self, rows: Mask) -> "Columns":
        """The same endpoints, with no address for these; columns that have nothing to do with addresses are shared."""
        other = copy(self)
        other._masks = {}
        other._addresses = {
            version: (known[~rows[known]], packed[~rows[known]]) for version, (known, packed) in self._addresses.items()
        }
        return other

    def of(self, selection: Selection) -> Mask:
        if selection not in self._masks:
            self._masks[selection] = selection.mask(self)
        return self._masks[selection]

    @cached_property
    def pods(self) -> Mask:
        """Pods with an address of their own: one of the host network sends as its node, and nothing tells them apart."""
        return self._flags(one.kind == "pod" and not one.host_network for one in self._endpoints)

    @cached_property
    def nodes(self) -> Mask:
        """Nodes, and the pods of their network."""
        return self._flags(one.kind == "node" or (one.kind == "pod" and one.host_network) for one in self._endpoints)

    @cached_property
    def node_numbers(self) -> Numbers:
        """The node that each endpoint is or runs on."""
        return numbered([one.name if one.kind == "node" else one.node for one in self._endpoints]).codes

    @cached_property
    def identities(self) -> Numbers:
        """The same number for every row of one pod, its other address for example; other rows have their own."""
        first: dict[tuple[str | None, str], int] = {}
        found = [
            first.setdefault((one.namespace, one.name), row) if one.kind == "pod" else row
            for row, one in enumerate(self._endpoints)
        ]
        return np.array(found, np.int64)

    @cached_property
    def namespaces(self) -> Values:
        return numbered([one.namespace for one in self._endpoints])

    def label(self, key: str) -> Values:
        return self._kept(("label", key), lambda: numbered([one.labels.get(key) for one in self._endpoints]))

    def namespace_label(self, key: str) -> Values:
        if key == NAMESPACE_NAME:
            return self.namespaces
        found = ("namespace", key)
        return self._kept(found, lambda: numbered([one.namespace_labels.get(key) for one in self._endpoints]))

    @cached_property
    def labels_by_namespace(self) -> Mapping[str | None, Mapping[str, str]]:
        """Of the namespaces of which an endpoint is known."""
        return {one.namespace: one.namespace_labels for one in self._endpoints if one.kind == "pod"}

    @cached_property
    def service_accounts(self) -> Values:
        return numbered([one.service_account for one in self._endpoints])

    def service_account_label(self, key: str) -> Values:
        found = ("service account", key)
        return self._kept(found, lambda: numbered([one.service_account_labels.get(key) for one in self._endpoints]))

    @cached_property
    def domains(self) -> Values:
        return numbered([one.domain for one in self._endpoints])

    def port(self, name: str, protocol: int) -> Numbers:
        """The number behind this name in each pod."""
        if (name, protocol) not in self._ports:
            found = (_named_port(one, name, protocol) for one in self._endpoints)
            self._ports[name, protocol] = np.where(self.pods, np.fromiter(found, np.int64, len(self)), ABSENT)
        return self._ports[name, protocol]

    def inside(self, network: Network) -> Mask:
        """Endpoints whose address is known and lies in the network."""
        rows, packed = self._addresses[network.version]
        bits = np.frombuffer(network.netmask.packed, np.uint8)
        mask = np.zeros(len(self), np.bool_)
        mask[rows] = ((packed & bits) == np.frombuffer(network.network_address.packed, np.uint8)).all(axis=1)
        return mask

    def inside_any(self, networks: Iterable[Network]) -> Mask:
        """The same of many networks: one look-up for each length of prefix."""
        by_length: dict[tuple[int, bytes], list[bytes]] = {}
        for one in networks:
            by_length.setdefault((one.version, one.netmask.packed), []).append(one.network_address.packed)
        mask = np.zeros(len(self), np.bool_)
        for (version, bits), begins in by_length.items():
            rows, packed = self._addresses[version]
            masked = np.ascontiguousarray(packed & np.frombuffer(bits, np.uint8)).view(f"S{len(bits)}").ravel()
            mask[rows] |= np.isin(masked, np.array(begins, f"S{len(bits)}"))
        return mask

    @cached_property
    def versions(self) -> Numbers:
        """The IP version of each one's address, or ABSENT where nobody knows it."""
        found = np.full(len(self), ABSENT, np.int64)
        for version, (rows, _) in self._addresses.items():
            found[rows] = version
        return found

    @cached_property
    def _addresses(self) -> dict[int, tuple[Numbers, NDArray[np.uint8]]]:
        """By IP version: the rows that have an address of it, and the addresses."""
        known = [(row, ipaddress.ip_address(one.address)) for row, one in enumerate(self._endpoints) if one.address]
        return {
            version: (
                np.array([row for row, address in known if address.version == version], np.int64),
                np.frombuffer(b"".join(a.packed for _, a in known if a.version == version), np.uint8).reshape(-1, size),
            )
            for version, size in ((4, 4), (6, 16))
        }

    def _kept(self, key: tuple[str, str], build: Callable[[], Values]) -> Values:
        if key not in self._values:
            self._values[key] = build()
        return self._values[key]

    def _flags(self, flags: Iterable[bool]) -> Mask:
        return np.fromiter(flags, np.bool_, len(self))


def numbered(texts: Sequence[str | None]) -> Values:
    numbers: dict[str, int] = {}
    codes = [ABSENT if text is None else numbers.setdefault(text, len(numbers)) for text in texts]
    return Values(np.array(codes, np.int64), numbers)


def _named_port(endpoint: Endpoint, name: str, protocol: int) -> int:
    known, number = endpoint.ports.get(name, ("", ABSENT))
    return number if PROTOCOLS.get(known) == protocol else ABSENT
