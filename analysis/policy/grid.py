"""What a set of policies does with every kind of connection: each pair of places, on each class of ports."""

from collections.abc import Iterator, Mapping
from enum import IntEnum
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from analysis.policy.endpoints import Mask, Numbers
from analysis.policy.evaluate import Edges, Verdicts, evaluate_columns
from analysis.policy.rules import Direction, Policies, Port, Rule, Section
from analysis.policy.space import Space, SpaceTooLargeError

# So many edges are judged at a time, which takes some 200 MB.
CHUNK = 1 << 20
# Sources, and targets, of one tile.
TILE = 256
# What a grid may cost in time and memory.
MOST_JUDGED = 20_000_000
MOST_SELECTED = 3_000_000_000
MOST_CELLS = 4_000_000_000
MOST_TRIED = 1_000_000


class State(IntEnum):
    """The more the higher."""

    DENIED = 0
    UNDECIDED = 1
    ALLOWED = 2


States = NDArray[np.int8]
Ports = tuple[Port, ...]


class Grid:
    """Only pairs of which an end is selected are judged, and of these on most classes only those that a rule is about.

    One class, ``usual``, is judged on all pairs. On another class a pair can fare otherwise only where it meets a rule
    that has one of the two classes and not the other.
    """

    def __init__(self, space: Space, number: int) -> None:
        """Of the set of policies that has this number in the space."""
        self._policies = space.sets[number]
        self._classes = space.ports.classes
        self.size = space.size
        self._refuse_too_large()
        self._columns = space.standing(number)
        ports = dict.fromkeys(rule.ports for rule in self._policies.rules)
        self._opens = {one: self._opened(one) for one in ports}
        self._usual = self._most_usual()
        self._common, self._others = self._judged()

    def _refuse_too_large(self) -> None:
        classes = len(self._classes)
        cells, tried = self.size * self.size * classes, len(self._policies.rules) * classes
        if cells > MOST_CELLS:
            raise SpaceTooLargeError(cells, "pairs of ends times ports", MOST_CELLS)
        if tried > MOST_TRIED:
            raise SpaceTooLargeError(tried, "rules times ports", MOST_TRIED)

    def on(self, number: int) -> States:
        """Of every pair, on this class of ports: a row for each src, a column for each dst."""
        found = self._common.copy()
        if number in self._others:
            at, states = self._others[number]
            found[at] = states
        return found.reshape(self.size, self.size)

    def _opened(self, ports: Ports) -> Mask:
        """For each class whether a rule with these ports has it at each dst."""
        rule, dst = Rule("", (), ports), np.arange(self.size, 2 * self.size)
        rows = [rule.opens(self._columns, dst, *self._service(number, self.size)) for number in self._numbers]
        return np.array(rows, np.bool_)

    @property
    def _numbers(self) -> range:
        return range(len(self._classes))

    def _service(self, number: int, count: int) -> tuple[Numbers, Numbers]:
        one = self._classes[number]
        return np.full(count, one.protocol), np.full(count, one.port)

    def _most_usual(self) -> int:
        """Of those that a NetworkPolicy can name the one that the fewest rules do."""
        named = sum((opened.sum(axis=1) for opened in self._opens.values()), np.zeros(len(self._classes), np.int64))
        return int(np.argmin(np.where([one.nameable for one in self._classes], named, named.max() + 1)))

    def _judged(self) -> tuple[States, Mapping[int, tuple[Numbers, States]]]:
        pairs: dict[int, Numbers] = {}
        for number in self._numbers:
            pairs[number] = self._pairs(number)
            judged = sum(map(len, pairs.values()))
            if judged > MOST_JUDGED:
                raise SpaceTooLargeError(judged, "connections", MOST_JUDGED)
        common = np.full(self.size * self.size, State.ALLOWED, np.int8)
        states = self._states(pairs)
        common[pairs[self._usual]] = states.pop(self._usual)
        return common, {number: (pairs[number], of_one) for number, of_one in states.items() if len(of_one)}

    def _pairs(self, number: int) -> Numbers:
        """Those to judge on this class, as places in the grid."""
        found = np.zeros((self.size, self.size), np.bool_)
        unalike = self._classes[number].nameable != self._classes[self._usual].nameable
        if number == self._usual or (unalike and self._policies.plugin is None):
            for direction, subjects in self._subjects.items():
                _mark(found, direction, subjects, np.ones(self.size, np.bool_))
            return np.flatnonzero(found)
        for section in self._policies.sections:
            self._mark_rules(found, section, number)
        return np.flatnonzero(found)

    def _mark_rules(self, found: Mask, section: Section, number: int) -> None:
        for rule in section.rules:
            other = self._opens[rule.ports][number] != self._opens[rule.ports][self._usual]
            if other.any():
                own = self._subject(section) & self._side(self._columns.of(rule.own), section.direction)
                peers = self._side(rule.names(self._columns), section.direction, own=False)
                if section.direction is Direction.INGRESS:
                    _mark(found, section.direction, own & other, peers)
                else:
                    _mark(found, section.direction, own, peers & other)

    @cached_property
    def _subjects(self) -> Mapping[Direction, Mask]:
        """Whom any section of a direction is about."""
        found = {direction: np.zeros(self.size, np.bool_) for direction in Direction}
        for section in self._policies.sections:
            found[section.direction] |= self._subject(section)
        return found

    def _subject(self, section: Section) -> Mask:
        return self._side(self._columns.of(section.subject), section.direction)

    def _side(self, mask: Mask, direction: Direction, own: bool = True) -> Mask:
        """Of the sources or of the targets."""
        is_source = (direction is Direction.EGRESS) is own
        return mask[: self.size] if is_source else mask[self.size :]

    def _states(self, pairs: Mapping[int, Numbers]) -> dict[int, States]:
        """All classes at a time: a call for each would go through all the rules again."""
        places = np.concatenate([*pairs.values()])
        of_class = np.repeat(list(pairs), [len(of_one) for of_one in pairs.values()])
        states = np.empty(len(places), np.int8)
        for tile in self._tiles(places):
            states[tile] = self._evaluated(places[tile], of_class[tile])
        ends = np.cumsum([len(of_one) for of_one in pairs.values()])[:-1]
        return dict(zip(pairs, np.split(states, ends), strict=True))

    def _tiles(self, places: Numbers) -> Iterator[Numbers]:
        """Pairs of few sources and few targets at a time: most policies are about none of these."""
        across = self.size // TILE + 1
        tile = (places // self.size // TILE * across + places % self.size // TILE).astype(np.int32)
        order = np.argsort(tile, kind="stable")
        ends = np.flatnonzero(np.diff(tile[order])) + 1
        selected = (len(ends) + 1) * len(self._policies.sections) * 2 * self.size
        if selected > MOST_SELECTED:
            raise SpaceTooLargeError(selected, "selections times ends", MOST_SELECTED)
        for one in np.split(order, ends):
            yield from np.array_split(one, len(one) // CHUNK + 1) if len(one) else ()

    def _about(self, edges: Edges) -> Policies:
        """The policies without the sections that select none of these."""
        held = np.zeros((2, 2 * self.size), np.bool_)
        held[0, edges.src], held[1, edges.dst] = True, True
        sections = [
            one
            for one in self._policies.sections
            if (self._columns.of(one.subject) & held[int(one.direction is Direction.INGRESS)]).any()
        ]
        return Policies(tuple(sections), self._policies.plugin)

    def _evaluated(self, places: Numbers, of_class: Numbers) -> States:
        protocol = np.array([one.protocol for one in self._classes])[of_class]
        port = np.array([one.port for one in self._classes])[of_class]
        edges = Edges(places // self.size, places % self.size + self.size, protocol, port)
        return states_of(evaluate_columns(self._about(edges), self._columns, edges))


def states_of(verdicts: Verdicts) -> States:
    found = np.full(len(verdicts.allowed), State.UNDECIDED, np.int8)
    found[verdicts.allowed] = State.ALLOWED
    found[verdicts.denied] = State.DENIED
    return found


def _mark(found: Mask, direction: Direction, own: Mask, peers: Mask) -> None:
    src, dst = (own, peers) if direction is Direction.EGRESS else (peers, own)
    found[np.ix_(src, dst)] = True
