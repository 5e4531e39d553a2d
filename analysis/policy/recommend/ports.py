"""The ports of a rule: by name where the pods behind it disagree on the number, in ranges where they are many."""

from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import groupby

from analysis.policy.endpoints import PROTOCOLS, Endpoint
from analysis.policy.kubernetes import is_port_name
from analysis.policy.recommend.model import Port
from analysis.policy.rules import MOST_PORT, NO_PORT, NamedPort, PortRange

# So many neighbours are written as a range, which allows no more.
LEAST_RUN = 3
# More ports than this of one protocol are written as one range from the first to the last, and that is said: passive FTP.
MOST_PORTS = 16
# Below it a port is a service of its own, and in no such range.
FIRST_UNPRIVILEGED = 1024

Seen = tuple[int, int]  # protocol, number


def ports_of(seen: Collection[Seen], names: Mapping[Seen, NamedPort], shut: Collection[Seen] = ()) -> tuple[Port, ...]:
    """``names`` are those that stand for the number in whoever listens; no range is made wider over what is ``shut``."""
    named = {one: names[one] for one in seen if one in names}
    found = [
        port
        for protocol, numbers in groupby(sorted(set(seen) - named.keys()), key=lambda one: one[0])
        for port in _ranges(protocol, [number for _, number in numbers], sorted(_numbers(protocol, shut)))
    ]
    return (*found, *sorted(set(named.values()), key=lambda port: (port.protocol, port.name)))


def above_zero(ports: Iterable[Port]) -> tuple[Port, ...]:
    """What can be named: port 0 nowhere, and Cilium takes it for every port."""
    ranges = (replace(port, first=1) if isinstance(port, PortRange) and port.first == 0 else port for port in ports)
    return tuple(port for port in ranges if isinstance(port, NamedPort) or port.last > 0)


def widened(seen: Collection[Seen], ports: Sequence[Port]) -> list[tuple[PortRange, int]]:
    """The ranges that allow more than what was seen, and how many ports more."""
    ranges = [port for port in ports if isinstance(port, PortRange) and port.first != NO_PORT]
    return [(port, unseen) for port in ranges if (unseen := _unseen(seen, port))]


def _unseen(seen: Collection[Seen], port: PortRange) -> int:
    used = sum(port.first <= number <= port.last for number in _numbers(port.protocol, seen))
    return port.last - port.first + 1 - used


def _numbers(protocol: int, ports: Iterable[Seen]) -> set[int]:
    return {number for of_one, number in ports if of_one == protocol}


def differing(pods: Iterable[Endpoint], seen: Iterable[tuple[Endpoint, Seen]]) -> dict[Seen, NamedPort]:
    """The names to which the pods of a workload give several numbers, by number.

    A name under which one of the pods that were ``seen`` has another number than the one it answered on is of no use.
    """
    numbers: dict[NamedPort, set[int]] = {}
    for pod in pods:
        for name, (protocol, number) in pod.ports.items():
            if protocol in PROTOCOLS and is_port_name(name):
                numbers.setdefault(NamedPort(PROTOCOLS[protocol], name), set()).add(number)
    ordered = sorted(numbers.items(), key=lambda one: one[0].name, reverse=True)
    found = {(port.protocol, number): port for port, several in ordered if len(several) > 1 for number in several}
    wrong = {found[one] for pod, one in seen if one in found and _number(pod, found[one]) != one[1]}
    return {one: port for one, port in found.items() if port not in wrong}


def _number(pod: Endpoint, port: NamedPort) -> int | None:
    protocol, number = pod.ports.get(port.name, ("", None))
    return number if PROTOCOLS.get(protocol) == port.protocol else None


def _ranges(protocol: int, numbers: Sequence[int], shut: Sequence[int]) -> list[PortRange]:
    """``numbers`` and ``shut`` ascend."""
    if numbers[0] == NO_PORT:
        return [PortRange(protocol, NO_PORT, MOST_PORT)]
    runs = _runs(protocol, numbers)
    if len(runs) <= MOST_PORTS:
        return runs
    low = [number for number in numbers if number < FIRST_UNPRIVILEGED]
    high = numbers[len(low) :]
    exact = set(high) & set(shut)
    wide = groupby((number for number in high if number not in exact), key=lambda number: bisect_left(shut, number))
    hulls = [PortRange(protocol, run[0], run[-1]) for run in (list(numbers) for _, numbers in wide)]
    return _runs(protocol, low) + sorted(hulls + _runs(protocol, sorted(exact)), key=lambda port: port.first)


def _runs(protocol: int, numbers: Sequence[int]) -> list[PortRange]:
    found: list[PortRange] = []
    for _, neighbours in groupby(enumerate(numbers), key=lambda one: one[1] - one[0]):
        run = [number for _, number in neighbours]
        if len(run) >= LEAST_RUN:
            found.append(PortRange(protocol, run[0], run[-1]))
        else:
            found += [PortRange(protocol, number, number) for number in run]
    return found
