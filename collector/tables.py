"""The memory of one decoding thread, and what is done with it: frames in, rows out.

There are two sets of rows: one is filled while the other is made into batches and written by whoever takes them.
"""

from collections.abc import Iterator
from typing import NamedTuple

from collector.coverage import GIVEN_UP, Totals
from collector.hellos import read_initials, read_longest_waiting
from collector.kernels.jit import laid_out
from collector.kernels.layout import DONE, OUT_FULL
from collector.kernels.run import advance, flush, measure, run
from collector.kernels.state import Bounds, new_state, with_other_rows
from collector.records import Rows
from collector.sources.capture import MAX_INTERFACES, Block

DNS_PORTS = (53,)


class Settings(NamedTuple):
    """``seed`` keys the hash tables: random in production, so that nobody can aim at one slot; fixed in tests."""

    seed: int
    cluster: str | None = None
    node: str | None = None
    bounds: Bounds = Bounds()
    dns_ports: tuple[int, ...] = DNS_PORTS


class Tables:
    """Rows are to be given back before as many again are taken."""

    def __init__(self, settings: Settings) -> None:
        self.totals = Totals.none(MAX_INTERFACES)
        self._states = [new_state(settings.bounds, MAX_INTERFACES, settings.seed, settings.dns_ports)]
        self._states.append(with_other_rows(self._states[0]))
        self._for_kernels = [laid_out(state) for state in self._states]
        self.control = self._states[0].control[0]
        self.discarded = self._states[0].discarded

    def take(self, block: Block) -> Iterator[Rows]:
        """Decode; rows whenever a set of them is full."""
        measure(block.frames, block.count, *self.totals)
        self.control.frame = 0
        while (why := run(self._for_kernels[0], block.data, block.frames, block.count)) != DONE:
            if why == OUT_FULL:
                yield self.rows()
            else:
                read_longest_waiting(self._states[0].flow)

    def wait(self, now: int) -> Iterator[Rows]:
        """No packet is older than ``now`` (µs) any more: end what was silent for too long by then."""
        self.control.flush = 0
        while advance(self._for_kernels[0], now) == OUT_FULL:
            yield self.rows()

    def end(self) -> Iterator[Rows]:
        """Everything that is still held. Nothing can be taken afterwards."""
        self.control.flush = 0
        while flush(self._for_kernels[0]) == OUT_FULL:
            yield self.rows()
        yield self.rows()

    def count_anew(self) -> None:
        """What was counted of all interfaces together was told."""
        for name in ("dns_malformed", *GIVEN_UP):
            self.control[name] = 0

    def count_each_anew(self) -> None:
        """What was counted of each interface was told."""
        self.totals.clear()
        self.discarded[:] = 0

    def rows(self) -> Rows:
        """Hand out the rows at hand and go on with the other set, whose hellos nobody reads any more."""
        control, state = self.control, self._states[0]
        read_initials(state.flow, state.flow.flow_rows.hello[: control.flow_rows])
        rows = Rows(state, *(int(control[name]) for name in ("flow_rows", "dns_rows", "answer_rows", "retired")))
        control.flow_rows = control.dns_rows = control.answer_rows = control.text = control.retired = 0
        control.epoch += 1
        self._states.reverse()
        self._for_kernels.reverse()
        return rows


def release(rows: Rows) -> None:
    """The rows were read: the hellos that only they had are free."""
    flow, control = rows.state.flow, rows.state.control[0]
    start = int(control.free_hellos)
    flow.free_hellos[start : start + rows.retired] = flow.retired[: rows.retired]
    control.free_hellos = start + rows.retired
