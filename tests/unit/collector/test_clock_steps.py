"""When somebody sets the clock of the machine: packets that have the new time are apart from those with the old one."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from collector.kernels.layout import FRAME, NO_TAG
from collector.kernels.state import records
from collector.live import Clock, collect_live
from collector.sources.capture import Block
from collector.sources.ring import Losses
from collector.tables import Settings
from tests.support.filtered import CASES
from tests.support.frames import BOUNDS, ETHERNET, SECOND, START

HELD_UP = 200 * SECOND
HOUR = 3600 * SECOND
OCTETS = np.frombuffer(CASES["udp"].frame, np.uint8).copy()


@dataclass
class Hands:
    """A clock that goes on by itself, 10 ms at each look, and can be set."""

    passed: int = 0
    ahead: int = START * SECOND

    def steady(self) -> int:
        self.passed += 10_000
        return self.passed

    def wall(self) -> int:
        return self.passed + self.ahead


@dataclass
class Script:
    """A ring, as far as ``collect_live`` asks, with a block for each list: of packets, and of steps of the clock (µs)."""

    hands: Hands
    blocks_to_come: list[list[int | str]]
    turns_left: int = 0  # without a block, before it is told to stop
    interfaces: Any = field(default_factory=lambda: SimpleNamespace(names=[None, "eth0"]))

    def is_ready(self) -> bool:
        return bool(self.blocks_to_come)

    def wait(self, seconds: float) -> bool:
        self.turns_left -= not self.is_ready()
        return self.is_ready()

    def is_over(self) -> bool:
        return not self.is_ready() and self.turns_left <= 0

    def shut(self) -> None:
        pass

    def losses(self) -> Losses:
        return Losses(0, 0)

    def blocks(self) -> Iterator[Block]:
        times = []
        for event in self.blocks_to_come.pop(0):
            if isinstance(event, int):
                self.hands.ahead += event
            elif event == "held up":
                self.hands.passed += HELD_UP
            elif event == "older":
                times.append(self.hands.wall() - HELD_UP)
            else:
                self.hands.passed += 50_000
                times.append(self.hands.wall())
        frames = records(max(len(times), 1), FRAME)
        for place, time in enumerate(times):
            frames[place] = (0, OCTETS.size, OCTETS.size, time, 1, ETHERNET, NO_TAG)
        yield Block(OCTETS, frames, len(times))


def collected(*blocks: list[int | str], turns: int = 0) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Flows, and the rows of coverage that are of all interfaces."""
    hands = Hands()
    script = Script(hands, list(blocks), turns)
    given: dict[str, list[pa.RecordBatch]] = {"flows": [], "coverage": []}
    clock, settings = Clock(hands.wall, hands.steady), Settings(1, bounds=BOUNDS)
    for name, batch in collect_live([script], settings, clock, script.is_over):  # type: ignore[list-item]
        batch.validate(full=True)
        given[name].append(batch)
    flows = [row for batch in given["flows"] for row in batch.to_pylist()]
    return flows, [row for batch in given["coverage"] for row in batch.to_pylist() if row["interface"] is None]


@pytest.mark.parametrize("step", [HOUR, -HOUR, 2 * SECOND, -2 * SECOND])
@pytest.mark.parametrize(
    "blocks",
    [
        [["p", "p"], ["p", "STEP", "p", "p"], ["p"]],
        [["p", "p", "p", "STEP"], ["p", "p", "p"]],
        [["p", "p"], ["p"], ["STEP", "p", "p", "p"]],
    ],
    ids=["in a block", "behind a block", "before a block"],
)
def test_no_record_spans_a_step(step: int, blocks: list[list[int | str]]) -> None:
    before, after, *more = collected(*([step if event == "STEP" else event for event in block] for block in blocks))[0]
    assert not more
    assert (before["src_packets"], after["src_packets"]) == (3, 3)
    assert before["end_reason"] == "shutdown"
    for flow in (before, after):
        assert (flow["end_time"] - flow["start_time"]).total_seconds() < 1
    assert abs((after["start_time"] - before["start_time"]).total_seconds() - step / SECOND) < 1


@pytest.mark.parametrize("step", [HOUR, -HOUR])
def test_coverage_says_by_how_much(step: int) -> None:
    _, (before, after) = collected(["p", step, "p"])
    assert abs(before["clock_skew_us"] - step) < SECOND
    assert after["clock_skew_us"] is None
    assert before["from_time"] <= before["until_time"]
    assert abs((after["from_time"] - before["until_time"]).total_seconds() - step / SECOND) < 1


def test_a_clock_that_is_slewed_ends_nothing() -> None:
    flows, coverage = collected(*(["p", 400_000] for _ in range(10)))
    assert [flow["src_packets"] for flow in flows] == [10]
    assert {row["clock_skew_us"] for row in coverage} == {None}


def test_a_flow_ends_by_the_wall_clock_where_no_packet_comes() -> None:
    """A turn without a block takes some looks at the clock of 10 ms each: more than the minute of silence."""
    flows, coverage = collected(["p"], turns=3000)
    assert [flow["end_reason"] for flow in flows] == ["idle"]
    assert len(coverage) > 6


def test_no_flow_ends_while_packets_of_it_are_unread() -> None:
    """However late the thread is: an interval ended, and more than a minute passed."""
    flows, _ = collected(["p"], ["held up", "older"], ["older"])
    assert [(flow["src_packets"], flow["end_reason"]) for flow in flows] == [(3, "shutdown")]
