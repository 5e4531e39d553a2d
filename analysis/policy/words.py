"""Lengths of time, protocols and endpoints, as they stand in a report."""

from collections.abc import Iterable
from datetime import timedelta

from analysis.graph import protocol_name
from analysis.policy.endpoints import Endpoint
from analysis.policy.rules import NO_PORT, AllBut, NamedPort, Port

UNITS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))
MOST_NAMED = 5


def length(seconds: float) -> str:
    """The two largest units of it."""
    rest, parts = round(seconds), []
    for size, unit in UNITS:
        count, rest = divmod(rest, size)
        parts += [f"{count} {unit}"] if count else []
    return " ".join(parts[:2]) or "0 s"


def apart(since: timedelta) -> str:
    return length(since.total_seconds())


def port(one: Port) -> str:
    if isinstance(one, AllBut):
        return f"{', '.join(map(port, one.among)) or 'all'} but {', '.join(map(port, one.ports))}"
    if isinstance(one, NamedPort):
        return f"{protocol_name(one.protocol, None)} {one.name}"
    if one.first == NO_PORT:
        return protocol_name(one.protocol, None)
    return protocol_name(one.protocol, one.first) + (f"-{one.last}" if one.last != one.first else "")


def listed(names: Iterable[str]) -> str:
    """The first of them by name, and how many more."""
    known = sorted(set(names))
    more = len(known) - MOST_NAMED
    return ", ".join(known[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def whom(one: Endpoint) -> str:
    """Without what differs from one pod of a ReplicaSet to the next."""
    if one.workload is not None:
        return f"{one.namespace}/{one.workload[1]}"
    rollout = one.labels.get("pod-template-hash")
    name = one.name.partition(f"-{rollout}-")[0] if rollout else one.name
    return f"{one.namespace}/{name}" if one.namespace else name
