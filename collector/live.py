"""From live interfaces to record batches, until told to stop.

Each source is read and decoded in a thread of its own, while the rows it filled before are made into batches and written by whoever
takes them. A thread that waits for that leaves packets in its ring, where there is room for some time.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from threading import Event, Semaphore
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from collector.coverage import Interval, interval_batch
from collector.driver import Batch
from collector.kernels.state import Bounds
from collector.records import Origin, Rows, batches
from collector.sources.capture import Block
from collector.sources.ring import Ring
from collector.tables import Settings, Tables, release
from collector.threads import name_thread
from contract.coverage import COVERAGE

INTERVAL = 10_000_000  # µs
EACH = (
    6  # intervals after which each interface is told of again: of a hundred, every time, that is a million rows a day
)
TURN = 0.25  # seconds; how long it may take until a wish to stop, or a step of the clock, is seen
LATE = 1_000_000  # µs; so long after its time a packet is in the ring at the latest
LEAST_STEP = 1_000_000  # µs between two looks at the clocks; less is the clock being slewed
LAST = 200_000  # µs after which the kernel has handed over what it had, also blocks that are not full
SURE = 100_000  # µs that one look may take
THREAD = "capture"


def keep_us(bounds: Bounds, interval: int = INTERVAL) -> int:
    """How long after an interface is gone no record has its id any more, nor is anything counted under it."""
    return max(bounds.idle_us, bounds.dns_timeout_us, EACH * interval) + 2 * interval + LATE


class Clock(NamedTuple):
    """Both in µs: the time of day, which packets have, and one that nobody sets."""

    wall: Callable[[], int]
    steady: Callable[[], int]

    def offset(self) -> int:
        """How far the wall's is ahead; looked at again where the thread was held up in between."""
        while True:
            before, wall, after = self.steady(), self.wall(), self.steady()
            if after - before <= SURE:
                return wall - before


class Harvest(NamedTuple):
    """Rows, with the names of their interfaces, and the coverage of the interval that they end."""

    rows: Rows
    origin: Origin
    coverage: pa.RecordBatch | None


class Steps:
    """Whether somebody set the clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = self.before = clock.offset()
        self.step = 0  # that the tables have not been ended for yet

    def look(self) -> int:
        offset = self._clock.offset()
        if abs(offset - self._last) >= LEAST_STEP:
            self.step += offset - self._last
        if not self.step:
            self.before = offset
        self._last = offset
        return self.step

    def first_behind(self, times: np.ndarray) -> int:
        """The place of the first packet that has the new time: which is nearer to it than to the old one."""
        now = self._clock.steady()
        behind = np.abs(times - (now + self._last)) < np.abs(times - (now + self.before))
        return int(np.argmax(behind)) if behind.any() else len(times)

    def done(self) -> None:
        self.step, self.before = 0, self._last


class LiveDecoder:
    """One ring and its tables."""

    def __init__(self, ring: Ring, settings: Settings, clock: Clock, interval: int) -> None:
        self._ring, self._settings, self._clock, self._length = ring, settings, clock, interval
        self._tables = Tables(settings)
        self._steps = Steps(clock)
        self._began = self._each_began = self._now()
        self._intervals = 0
        self._read_until = 0  # no packet in the ring is older
        self._due = clock.steady() + interval

    def harvests(self, stopped: Callable[[], bool]) -> Iterator[Harvest]:
        while not stopped():
            before = self._now()
            if self._ring.wait(min(TURN, max(0, self._due - self._clock.steady()) / 1e6)):
                yield from self._take_block()
            elif self._steps.look():
                yield from self._begin_anew()
            else:
                self._read_until = before - LATE
            if self._clock.steady() >= self._due:
                yield from self._end_interval()
        yield from self._take_the_rest()
        yield from self._end()

    def _take_the_rest(self) -> Iterator[Harvest]:
        self._ring.shut()
        quiet = self._clock.steady() + LAST
        while self._ring.wait(LAST / 1e6) or self._clock.steady() < quiet:
            if self._ring.is_ready():
                yield from self._take_block()

    def _take_block(self) -> Iterator[Harvest]:
        for block in self._ring.blocks():
            if self._steps.look():
                yield from self._across(block)
            else:
                yield from self._take(block)

    def _across(self, block: Block) -> Iterator[Harvest]:
        """The clock was set: what came before that stays apart from what came afterwards."""
        place = self._steps.first_behind(block.frames.time[: block.count])
        if place:
            yield from self._take(Block(block.data, block.frames, place))
        if place < block.count:
            yield from self._begin_anew()
            yield from self._take(Block(block.data, block.frames[place:], block.count - place))

    def _take(self, block: Block) -> Iterator[Harvest]:
        yield from map(self._harvest, self._tables.take(block))

    def _begin_anew(self) -> Iterator[Harvest]:
        yield from self._end()
        self._tables = Tables(self._settings)
        self._steps.done()
        self._began = self._each_began = self._now()
        self._read_until = 0

    def _end_interval(self) -> Iterator[Harvest]:
        yield from map(self._harvest, self._tables.wait(self._read_until))
        yield self._last_harvest(each=self._intervals % EACH == 0)
        self._intervals += 1
        self._due = self._clock.steady() + self._length

    def _end(self) -> Iterator[Harvest]:
        yield from map(self._harvest, self._tables.end())
        yield self._last_harvest(each=True)

    def _harvest(self, rows: Rows) -> Harvest:
        return Harvest(rows, self._origin(), None)

    def _last_harvest(self, each: bool) -> Harvest:
        """Of an interval: with what is told of the whole, and of each interface."""
        origin, until, (drops, freezes) = self._origin(), max(self._began, self._now()), self._ring.losses()
        since = self._each_began if each else None
        coverage = interval_batch(
            origin, self._tables, Interval(self._began, until, drops, freezes, self._steps.step, since)
        )
        self._tables.count_anew()
        self._began = until
        if each:
            self._tables.count_each_anew()
            self._each_began = until
        return Harvest(self._tables.rows(), origin, coverage)

    def _origin(self) -> Origin:
        """With the names as they are now: an id may get another before the rows are read."""
        return Origin(self._settings.cluster, self._settings.node, list(self._ring.interfaces.names))

    def _now(self) -> int:
        """By the clock that the packets in the tables have."""
        return self._clock.steady() + self._steps.before


class Worker:
    """The thread of one decoder, which goes on when the rows before last were read."""

    def __init__(self, decoder: LiveDecoder, given: "SimpleQueue[Given]", ended: Event) -> None:
        self._decoder, self._given, self._ended = decoder, given, ended
        self._room = Semaphore(1)
        self._read: deque[Rows] = deque()
        self._left = False  # nobody takes rows any more

    def run(self, stopped: Callable[[], bool]) -> None:
        """Until told to stop, or another ends."""
        name_thread(THREAD)
        try:
            with np.errstate(over="ignore"):  # hashing wraps around; only interpreted kernels would say so
                for harvest in self._decoder.harvests(lambda: stopped() or self._ended.is_set()):
                    self._room.acquire()
                    if self._left:
                        return
                    self._free_what_was_read()
                    self._given.put((self, harvest))
        finally:
            self._ended.set()
            self._given.put((self, None))

    def _free_what_was_read(self) -> None:
        while self._read:
            release(self._read.popleft())

    def was_read(self, rows: Rows) -> None:
        self._read.append(rows)
        self._room.release()

    def leave(self) -> None:
        self._left = True
        self._ended.set()
        self._room.release()


Given = tuple[Worker, Harvest | None]


def collect_live(
    rings: Sequence[Ring],
    settings: Settings,
    clock: Clock,
    stopped: Callable[[], bool],
    interval: int = INTERVAL,
) -> Generator[Batch, None, None]:
    """(table name, batch) of ``FLOWS.collected`` and ``DNS.collected`` as they end, of ``COVERAGE`` as each ``interval`` (µs) does.

    When ``stopped`` says so, what the rings hold is read and everything is written.
    """
    given: SimpleQueue[Given] = SimpleQueue()
    ended = Event()
    workers = [Worker(LiveDecoder(ring, settings, clock, interval), given, ended) for ring in rings]
    with ThreadPoolExecutor(len(workers), THREAD) as threads:
        running = [threads.submit(worker.run, stopped) for worker in workers]
        try:
            yield from _given(given, len(workers))
        finally:
            for worker in workers:
                worker.leave()
        for one in running:
            one.result()


def _given(given: "SimpleQueue[Given]", working: int) -> Iterator[Batch]:
    while working:
        worker, harvest = given.get()
        if harvest is None:
            working -= 1
            continue
        yield from batches(harvest.rows, harvest.origin)
        if harvest.coverage is not None:
            yield COVERAGE.name, harvest.coverage
        worker.was_read(harvest.rows)
