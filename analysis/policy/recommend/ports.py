"""The ports of a rule: by name where the pods behind it disagree on the number, in ranges where they are many."""

from collections.abc import Collection, Iterable, Sequence
from itertools import groupby

from analysis.policy.endpoints import PROTOCOLS, Endpoint
from analysis.policy.recommend.model import Port
from analysis.policy.rules import MOST_PORT, NO_PORT, NamedPort, PortRange

# So many neighbours are written as a range, which allows no more.
LEAST_RUN = 3
# More ports than this of one protocol are written as one range from the first to the last, and that is said: passive FTP.
MOST_PORTS = 16
# Below it a port is a service of its own, and in no such range.
FIRST_UNPRIVILEGED = 1024

Seen = tuple[int, int]  # protocol, number


def ports_of(seen: Collection[Seen], pods: Iterable[Endpoint]) -> tuple[Port, ...]:
    """``pods`` are those that listen."""
    names = _differing(pods)
    named = {one: names[one] for one in seen if one in names}
    found = [
        port
        for protocol, numbers in groupby(sorted(set(seen) - named.keys()), key=lambda one: one[0])
        for port in _ranges(protocol, [number for _, number in numbers])
    ]
    return (*found, *sorted(set(named.values()), key=lambda port: (port.protocol, port.name)))


def widened(seen: Collection[Seen], ports: Sequence[Port]) -> bool:
    """Whether they allow more than what was seen."""
    ranges = [port for port in ports if isinstance(port, PortRange) and port.first != NO_PORT]
    return sum(port.last - port.first + 1 for port in ranges) > len(set(seen))


def _differing(pods: Iterable[Endpoint]) -> dict[Seen, NamedPort]:
    """The name of a port to which the pods give several numbers."""
    numbers: dict[NamedPort, set[int]] = {}
    for pod in pods:
        for name, (protocol, number) in pod.ports.items():
            if protocol in PROTOCOLS:
                numbers.setdefault(NamedPort(PROTOCOLS[protocol], name), set()).add(number)
    ordered = sorted(numbers.items(), key=lambda one: one[0].name, reverse=True)
    return {(port.protocol, number): port for port, several in ordered if len(several) > 1 for number in several}


def _ranges(protocol: int, numbers: Sequence[int]) -> list[PortRange]:
    """``numbers`` ascend."""
    if numbers[0] == NO_PORT:
        return [PortRange(protocol, NO_PORT, MOST_PORT)]
    runs = _runs(protocol, numbers)
    if len(runs) <= MOST_PORTS:
        return runs
    low = [number for number in numbers if number < FIRST_UNPRIVILEGED]
    high = numbers[len(low) :]
    return _runs(protocol, low) + ([PortRange(protocol, high[0], high[-1])] if high else [])


def _runs(protocol: int, numbers: Sequence[int]) -> list[PortRange]:
    found: list[PortRange] = []
    for _, neighbours in groupby(enumerate(numbers), key=lambda one: one[1] - one[0]):
        run = [number for _, number in neighbours]
        if len(run) >= LEAST_RUN:
            found.append(PortRange(protocol, run[0], run[-1]))
        else:
            found += [PortRange(protocol, number, number) for number in run]
    return found
