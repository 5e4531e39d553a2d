"""How far a compromised workload gets: which workloads can talk to which, on anything, under a set of policies."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from analysis.policy.endpoints import Endpoint, Mask, Numbers, Workload
from analysis.policy.grid import Grid, State
from analysis.policy.naming import is_own, workload_of
from analysis.policy.rules import Policies
from analysis.policy.space import Space, SpaceTooLargeError, space_of


class Groups(NamedTuple):
    """The behaviours of one group after those of another, and where each begins."""

    members: Numbers
    begins: Numbers


@dataclass(frozen=True)
class Blast:
    """``talks[a, b]``: a pod of workload ``a`` can open a connection to one of ``b``; what is up to the plugin does not count.

    ``pairs`` is out of n × (n - 1), ``pairs_on_ports`` out of that for each class of ports that the policies tell apart.
    ``inward`` are workloads that some address outside can reach, ``outward`` those that can reach one.
    """

    workloads: Sequence[Workload]
    talks: Mask
    classes: int
    pairs_on_ports: int
    inward: Mask
    outward: Mask

    @property
    def pairs(self) -> int:
        return int(self.talks.sum())

    @property
    def all_pairs(self) -> int:
        return len(self.workloads) * (len(self.workloads) - 1)

    @property
    def reached(self) -> Numbers:
        """How many others each workload can talk to."""
        return np.asarray(self.talks.sum(axis=1), np.int64)

    @property
    def reached_in_steps(self) -> Numbers:
        """The same by way of others."""
        return np.asarray(_closed(self.talks).sum(axis=1), np.int64)


def blast(policies: Policies, known: Sequence[Endpoint]) -> Blast:
    space = space_of([policies], known)
    return blast_of(Grid(space, 0), space)


def blast_of(grid: Grid, space: Space) -> Blast:
    """Of the pods of the cluster as it is: those of history alone do not count."""
    members = _workloads(space)
    inside = _groups(list(members.values()))
    outside = _groups([set(space.behaviour[space.known : space.recorded].tolist())])
    any_port = np.zeros((space.size, space.size), np.bool_)
    pairs_on_ports = 0
    for number in range(len(space.ports.classes)):
        open_here = grid.on(number) == State.ALLOWED
        any_port |= open_here
        pairs_on_ports += int(_apart(_between(inside, open_here, inside)).sum())
    return Blast(
        workloads=list(members),
        talks=_apart(_between(inside, any_port, inside)),
        classes=len(space.ports.classes),
        pairs_on_ports=pairs_on_ports,
        inward=_between(outside, any_port, inside)[0],
        outward=_between(inside, any_port, outside)[:, 0],
    )


def _workloads(space: Space) -> dict[Workload, set[int]]:
    """The behaviours of the pods of each; pods of the host network are as their node, and no workload of their own."""
    found: dict[Workload, set[int]] = {}
    for row, one in enumerate(space.endpoints[: space.known]):
        if is_own(one):
            found.setdefault(workload_of(one), set()).add(int(space.behaviour[row]))
    return {name: found[name] for name in sorted(found)}


def _groups(groups: Sequence[set[int]]) -> Groups:
    members = [member for group in groups for member in sorted(group)]
    begins = np.cumsum([0, *(len(group) for group in groups)])[:-1]
    return Groups(np.array(members, np.int64), begins)


def _between(src: Groups, talks: Mask, dst: Groups) -> Mask:
    """Pairs of groups of which some member talks to some other."""
    return _any(_any(talks[src.members], src, 0)[:, dst.members], dst, 1)


def _any(talks: Mask, groups: Groups, axis: int) -> Mask:
    if len(groups.members) == len(groups.begins):
        return talks
    return np.asarray(np.logical_or.reduceat(talks, groups.begins, axis=axis))


def _apart(talks: Mask) -> Mask:
    """Without what a workload says to itself."""
    return np.asarray(talks & ~np.eye(len(talks), dtype=np.bool_))


def _closed(talks: Mask) -> Mask:
    """Steps of any number: each round doubles their length. (Four million edges are too many for a graph of objects.)"""
    found = talks
    while True:
        steps = found.astype(np.float32)
        further = found | _apart(steps @ steps > 0)
        if np.array_equal(further, found):
            return found
        found = further


def radius(policies: Policies, known: Sequence[Endpoint]) -> list[str]:
    """What these policies change for the whole cluster, if it had no others; left out where they are too many."""
    try:
        space = space_of([Policies(()), policies], known)
        before, after = (blast_of(Grid(space, number), space) for number in range(2))
    except SpaceTooLargeError as error:
        return [f"How far a compromised workload gets is left out: {error}."]
    return ["Before is a cluster without any policy, after is one with these alone.", *compared(before, after)]


def compared(before: Blast, after: Blast) -> list[str]:
    """In words, for the head of a report."""
    return [
        f"Workload pairs that can talk: {before.pairs:,} of {before.all_pairs:,} before, {after.pairs:,} after; "
        f"by port ({after.classes:,} classes): {before.pairs_on_ports:,} before, {after.pairs_on_ports:,} after.",
        f"A compromised workload reaches at most {_most(before.reached)} others before, {_worst(after)} after; "
        f"by way of others {_most(before.reached_in_steps)} before, {_most(after.reached_in_steps)} after.",
        f"From outside can be reached {_sum(before.inward)} of {len(before.workloads):,} workloads before, "
        f"{_sum(after.inward)} after; {_sum(before.outward)} workloads can reach outside before, {_sum(after.outward)} after.",
    ]


def _most(counts: Numbers) -> str:
    return f"{int(counts.max(initial=0)):,}"


def _worst(of_one: Blast) -> str:
    counts = of_one.reached
    name = f" ({of_one.workloads[int(counts.argmax())]})" if counts.any() else ""
    return _most(counts) + name


def _sum(mask: Mask) -> str:
    return f"{int(mask.sum()):,}"
