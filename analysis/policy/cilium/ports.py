"""toPorts and icmps → ports, with what they hang on that flow records do not tell."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.policy.cilium.icmp import protocol
from analysis.policy.cilium.proxied import narrowing
from analysis.policy.endpoints import ABSENT, PROTOCOLS, Columns, Mask, Numbers
from analysis.policy.parts import Part
from analysis.policy.rules import MOST_PORT, NO_PORT, Direction, NamedPort, Port, PortRange

MOST_ENTRIES = 40
NUMBER = re.compile(r"0|[1-9][0-9]{0,4}")
# A service name as IANA takes it, in upper or lower case (RFC 6335, section 5.1).
SERVICE = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9]+(-[A-Za-z0-9]+)*")
LONGEST_SERVICE = 15


@dataclass(frozen=True)
class Opened:
    """Ports of one rule; none at all are every port. ``unsure`` as of a rule."""

    ports: tuple[Port, ...] = ()
    unsure: str = ""


@dataclass(frozen=True)
class ClusterPort(NamedPort):
    """The number that the pods of the cluster give the name, whoever is behind it: so egress resolves a name.

    Only of pods that have the name themselves, and where all agree, every release of Cilium says the same: they are ``told``.
    """

    told: bool = True

    def mask(self, columns: Columns, dst: Numbers, protocol: Numbers, port: Numbers) -> Mask:
        known = columns.port(self.name, self.protocol)
        numbers = np.unique(known[known != ABSENT])
        near = (protocol == self.protocol) & (port != NO_PORT)
        if len(numbers) == 1 and self.told:
            return np.asarray(near & (known[dst] == port))
        return np.asarray(near & np.isin(port, numbers) & ((len(numbers) > 1) | (known[dst] != port)) & (not self.told))


def opened(rule: Part, direction: Direction, denies: bool) -> tuple[Opened, ...]:
    """Nothing is said of ports: all of them, ICMP too. Once something is, nothing else is opened."""
    told, icmps = rule.items("toPorts"), rule.items("icmps")
    if told and icmps:
        raise rule.wrong("has toPorts and icmps", "make two rules of it")
    if not told and not icmps:
        return (Opened(),)
    found = [one for entry in told for one in _entry(entry, direction, denies)]
    return tuple(one for one in (*found, *_icmps(icmps)) if one.ports)


def _entry(entry: Part, direction: Direction, denies: bool) -> Iterator[Opened]:
    entry.fields(
        ("ports",) if denies else ("ports", "rules", "serverNames", "terminatingTLS", "originatingTLS", "listener")
    )
    told = entry.items("ports")
    _check_number(entry, told)
    ports = [port for one in told for port in _ports(one, direction)]
    unsure = "" if denies else narrowing(entry, direction)
    yield Opened(tuple(ports), unsure)
    guessed = tuple(ClusterPort(one.protocol, one.name, told=False) for one in ports if isinstance(one, ClusterPort))
    yield Opened(guessed, f"{unsure} and the number behind a name" if unsure else "the number behind a port's name")


def _ports(part: Part, direction: Direction) -> Iterator[Port]:
    part.fields(("port", "endPort", "protocol"))
    port, last = part.needed("port"), part.get("endPort")
    end = _end(last) if last is not None else 0
    for number in _protocols(part.get("protocol")):
        if not NUMBER.fullmatch(port.text):
            yield _named(port, number, direction)
        elif int(port.text) == 0:
            yield PortRange(number)
        else:
            yield PortRange(number, int(port.text), end or int(port.text))
    if NUMBER.fullmatch(port.text):
        _check_range(port, last, end)


def _check_range(port: Part, last: Part | None, end: int) -> None:
    first = int(port.text)
    if first > MOST_PORT:
        raise port.wrong(f"{first} is no port", f"write 1 to {MOST_PORT}, or 0 for every port")
    if last is not None and end and (first == 0 or end < first):
        raise last.wrong(f"{end} makes no range with port {first}", "write the higher port last")


def _end(part: Part) -> int:
    if not 0 <= part.number <= MOST_PORT:
        raise part.wrong(f"{part.number} is no port", f"write 1 to {MOST_PORT}")
    return part.number


def _named(part: Part, number: int, direction: Direction) -> NamedPort:
    """endPort is ignored beside a name, says the documentation."""
    if len(part.text) > LONGEST_SERVICE or not SERVICE.fullmatch(part.text):
        raise part.wrong(
            f"{part.text!r:.60} is no port", f"write 0 to {MOST_PORT}, or a name of at most {LONGEST_SERVICE}"
        )
    name = part.text.lower()
    return NamedPort(number, name) if direction is Direction.INGRESS else ClusterPort(number, name)


def _protocols(part: Part | None) -> Sequence[int]:
    """ANY is TCP, UDP and SCTP: it has ports, and ICMP has none."""
    told = part.text if part is not None else "ANY"
    if part is not None and told not in (*PROTOCOLS, "ANY"):
        raise part.wrong(f"{told!r:.60} cannot be named", f"write ANY, {', '.join(PROTOCOLS)}; ICMP goes under icmps")
    return tuple(PROTOCOLS.values()) if told == "ANY" else (PROTOCOLS[told],)


def _icmps(rules: Sequence[Part]) -> Iterator[Opened]:
    for rule in rules:
        rule.fields(("fields",))
        told = rule.items("fields")
        _check_number(rule, told)
        yield Opened(tuple(dict.fromkeys(PortRange(protocol(one)) for one in told)), "the ICMP type")


def _check_number(part: Part, entries: Sequence[Part]) -> None:
    if len(entries) > MOST_ENTRIES:
        raise part.wrong(f"has {len(entries)} entries, more than {MOST_ENTRIES}", "make two of it")
