"""Which interfaces of the machine are captured, and under which id each is known to the tables, as they come and go."""

import socket
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase

import numpy as np

from collector.kernels.ring import NOT_WANTED
from collector.sources.capture import MAX_INTERFACES
from contract.errors import UsageError

PLACES = 1 << 14  # of the table that the kernels look an interface up in
MAX_KNOWN = (
    PLACES // 2
)  # indexes that the table holds; beyond that those that are gone are forgotten, then the longest known
NAMELESS = 0  # the id of every interface that was gone before it was listed, and of those beyond ``MAX_INTERFACES``
EXCLUDE = "!"
NONE_HEARD: Mapping[int, str] = {}
Listing = Callable[[], list[tuple[int, str]]]
Deaf = Callable[[Sequence[str]], None]


class Wanted:
    """Glob patterns; one with ``!`` before it excludes. Without a pattern that includes, all others are wanted."""

    def __init__(self, patterns: Sequence[str] = ()) -> None:
        if not all(pattern.removeprefix(EXCLUDE) for pattern in patterns):
            raise UsageError("an empty pattern of interfaces: give a name or a glob such as 'veth*', or '!veth0'")
        self._included = [pattern for pattern in patterns if not pattern.startswith(EXCLUDE)]
        self._excluded = [pattern[1:] for pattern in patterns if pattern.startswith(EXCLUDE)]

    def __call__(self, name: str | None) -> bool:
        """None: an interface that was gone before anybody could ask for its name."""
        if name is None:
            return not self._included
        included = not self._included or any(fnmatchcase(name, pattern) for pattern in self._included)
        return included and not any(fnmatchcase(name, pattern) for pattern in self._excluded)


class LiveInterfaces:
    """An id for each name and kernel's index; one that comes again, or is renamed, has another.

    The id of an interface that is gone is given to another after ``keep_us``, when no record has it any more.
    """

    def __init__(
        self,
        wanted: Wanted,
        steady: Callable[[], int],
        keep_us: int,
        listing: Listing = socket.if_nameindex,
        deaf: Deaf | None = None,
    ) -> None:
        """``deaf`` is told of all interfaces when none of them is wanted, and again when it turns so."""
        self.names: list[str | None] = [None]
        self.indexes = np.zeros(PLACES, np.int32)
        self.ids = np.zeros(PLACES, np.int32)
        self.unwanted: list[int] = []
        self.captured: int | None = None  # how many are wanted now
        self._deaf = deaf
        self._wanted, self._steady, self._keep, self._listing = wanted, steady, keep_us, listing
        self._listed: dict[int, str] = {}
        self._known: dict[int, int] = {}
        self._gone: deque[tuple[int, int, int]] = deque()  # when, index, id
        self.refresh()

    def refresh(self, heard: Mapping[int, str] = NONE_HEARD) -> None:
        """List the interfaces again; those ``heard`` of that are not listed came and went, and packets of them may come."""
        listed, now = dict(self._listing()), self._steady()
        for index, name in heard.items():
            if index not in listed and index not in self._known:
                self._known[index] = self._id_of(name)
                self._listed[index] = name
        for index, name in self._listed.items():
            if listed.get(index) != name and self._known.get(index, NAMELESS) > NAMELESS:
                self._gone.append((now, index, self._known[index]))
        for index, name in listed.items():
            if self._listed.get(index) != name:
                self._known[index] = self._id_of(name)
        self._listed = listed
        self.unwanted = sorted(index for index, name in listed.items() if not self._wanted(name))
        self._count()
        self._fill()

    def _count(self) -> None:
        before, self.captured = self.captured, len(self._listed) - len(self.unwanted)
        if self._deaf and self.captured == 0 and before != 0:
            self._deaf(list(self._listed.values()))

    def learn(self, index: int) -> None:
        """A packet came of an interface that is not known."""
        self.refresh()
        if index not in self._known:
            name = self._listed.get(index)
            self._known[index] = NAMELESS if name is None and self._wanted(name) else self._id_of(name)
            self._fill()

    def _id_of(self, name: str | None) -> int:
        if not self._wanted(name):
            return int(NOT_WANTED)
        if len(self.names) < MAX_INTERFACES:
            self.names.append(name)
            return len(self.names) - 1
        if self._gone and self._steady() - self._gone[0][0] > self._keep:
            _, index, free = self._gone.popleft()
            if self._known.get(index) == free:
                del self._known[index]
            self.names[free] = name
            return free
        return NAMELESS

    def _fill(self) -> None:
        """Write the table for the kernels: open addressing from the index itself on."""
        while len(self._known) > MAX_KNOWN:
            gone = (index for index in self._known if index not in self._listed)
            del self._known[next(gone, next(iter(self._known)))]
        self.indexes[:] = 0
        for index, number in self._known.items():
            place = index % PLACES
            while self.indexes[place]:
                place = (place + 1) % PLACES
            self.indexes[place], self.ids[place] = index, number
