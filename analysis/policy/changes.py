"""Where two grids differ, as few changes: each a number of sources, of targets, and of classes of ports."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

import numpy as np

from analysis.policy.endpoints import ABSENT, Numbers
from analysis.policy.grid import Grid, State

_STATES = len(State)
# No change, or one state before and one after.
_CODES = 1 + _STATES * _STATES


class Step(NamedTuple):
    """What becomes of one class of ports."""

    number: int
    before: State
    after: State

    @property
    def opens(self) -> bool:
        return self.after > self.before

    @property
    def undecided(self) -> bool:
        return State.UNDECIDED in (self.before, self.after)


Pattern = tuple[Step, ...]


@dataclass(frozen=True)
class Change:
    """Places by their numbers; every combination of them takes every step."""

    opens: bool
    sources: tuple[int, ...]
    targets: tuple[int, ...]
    steps: Pattern


class _Block(NamedTuple):
    pattern: int
    sources: Numbers
    targets: Numbers


class Changes:
    """All of them, and which one an edge is of."""

    def __init__(self, before: Grid, after: Grid, classes: int) -> None:
        ids, patterns = _patterns(before, after, classes)
        blocks = _blocks(ids.reshape(before.size, before.size), patterns)
        self._block = np.full((before.size, before.size), ABSENT, np.int64)
        self._change = np.full((len(blocks) + 1, classes), ABSENT, np.int64)
        self.found: list[Change] = []
        for number, block in enumerate(blocks):
            self._block[np.ix_(block.sources, block.targets)] = number
            for change in _split(block, patterns[block.pattern]):
                self._change[number, [step.number for step in change.steps]] = len(self.found)
                self.found.append(change)

    def numbers(self, src: Numbers, dst: Numbers, of_class: Numbers) -> Numbers:
        """The change that each connection is of, by its places and class, or ABSENT."""
        return np.where(of_class == ABSENT, ABSENT, self._change[self._block[src, dst], of_class])


def _patterns(before: Grid, after: Grid, classes: int) -> tuple[Numbers, Sequence[Pattern]]:
    """For each pair what becomes of it, as the number of a pattern."""
    ids, patterns = np.zeros(before.size * before.size, np.int64), [()]  # type: tuple[Numbers, list[Pattern]]
    for number in range(classes):
        was, is_now = before.on(number).ravel(), after.on(number).ravel()
        if np.array_equal(was, is_now):
            continue
        code = np.where(was == is_now, 0, 1 + was * _STATES + is_now)
        ids = ids * _CODES + code
        used = np.flatnonzero(np.bincount(ids, minlength=1))
        renumbered = np.zeros(used[-1] + 1, np.int64)
        renumbered[used] = np.arange(len(used))
        ids = renumbered[ids]
        patterns = [patterns[one // _CODES] + _step(number, one % _CODES) for one in used.tolist()]
    return ids, patterns


def _step(number: int, code: int) -> Pattern:
    return (Step(number, State((code - 1) // _STATES), State((code - 1) % _STATES)),) if code else ()


def _blocks(ids: Numbers, patterns: Sequence[Pattern]) -> list[_Block]:
    """Sources that fare alike together, or targets: whichever are fewer."""
    by_source = [_Block(*block) for block in _alike(ids, patterns)]
    by_target = [_Block(pattern, targets, sources) for pattern, sources, targets in _alike(ids.T, patterns)]
    return min(by_source, by_target, key=len)


def _alike(ids: Numbers, patterns: Sequence[Pattern]) -> list[tuple[int, Numbers, Numbers]]:
    rows: dict[bytes, list[int]] = {}
    for number, row in enumerate(ids):
        rows.setdefault(row.tobytes(), []).append(number)
    merged: dict[tuple[int, bytes], list[int]] = {}
    for members in rows.values():
        row = ids[members[0]]
        for pattern in np.unique(row).tolist():
            if patterns[pattern]:
                merged.setdefault((pattern, np.flatnonzero(row == pattern).tobytes()), []).extend(members)
    return [
        (pattern, np.array(members, np.int64), np.frombuffer(others, np.int64))
        for (pattern, others), members in merged.items()
    ]


def _split(block: _Block, pattern: Iterable[Step]) -> Iterator[Change]:
    """Some classes may open and others close."""
    sources, targets = (tuple(sorted(ends.tolist())) for ends in (block.sources, block.targets))
    for opens, steps in groupby(sorted(pattern, key=lambda step: step.opens), key=lambda step: step.opens):
        yield Change(opens, sources, targets, tuple(steps))
