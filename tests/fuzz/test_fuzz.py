"""A few seconds of what ``make fuzz`` does for as long as one likes, and that it would notice a fault."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from collector.kernels.state import Bounds
from contract.flows import FLOWS
from tests.fuzz import framing, seeds
from tests.fuzz.campaign import Beyond
from tests.fuzz.failures import frames_until, replay, run_frames, run_plan, shrink, write_frames
from tests.fuzz.invariants import Broken, Tally, check
from tests.fuzz.rounds import Frame, Given, Mutated, Plan, frames_of, how

ROUNDS = range(24)
SMALL = Bounds(64, 16)


@pytest.fixture(scope="module")
def pool() -> seeds.Pool:
    return seeds.pool()


@pytest.mark.parametrize("number", ROUNDS)
def test_changed_packets_are_each_counted_once(pool: seeds.Pool, number: int) -> None:
    plan = Plan.draw(number)._replace(blocks=2)
    source = Mutated(plan, pool)
    assert run_plan(plan, pool, source, lambda: None) == source.given.packets > 1000


def test_changed_framing_is_read_or_refused(tmp_path: Path) -> None:
    path, packets = tmp_path / "changed", 0
    for number, size in enumerate((64, 1000, 4 << 20)):
        for data in framing.changed(number, framing.files(), 60):
            path.write_bytes(data)
            packets += framing.check_file(path, size)
    assert packets > 500


def test_the_kernels_check_bounds() -> None:
    with pytest.raises(IndexError):
        check(Beyond([]), SMALL, 1)


def test_the_same_number_makes_the_same_packets(pool: seeds.Pool) -> None:
    plan = Plan.draw(3)._replace(blocks=1)
    one, other = (frames_of(next(Mutated(plan, pool, poison).blocks())) for poison in (1, 2))
    assert one == other
    again = frames_of(next(Mutated(plan._replace(seed=4), pool).blocks()))
    assert one != again


def test_every_seed_is_met(pool: seeds.Pool) -> None:
    plan = Plan.draw(1)._replace(heat=0, flood=0, blocks=2)
    given = {frame.octets for part in Mutated(plan, pool).blocks() for frame in frames_of(part)}
    known = [pool.data[start : start + size].tobytes() for start, size in zip(pool.offset, pool.size, strict=True)]
    assert len(given & set(known)) > 0.9 * len(set(known))


def test_a_lost_packet_is_noticed() -> None:
    tally = Tally(flowed=8, discarded=1, packets=10, octets=600)
    with pytest.raises(Broken, match="10 packets given, 9 in flows"):
        tally.close(Given(packets=10, octets=600))


def test_text_that_is_none_is_noticed() -> None:
    text = pa.StringArray.from_buffers(1, pa.py_buffer(np.array([0, 1], np.int32)), pa.py_buffer(b"\xff"))
    columns = [text if field.type == pa.string() else pa.nulls(1, field.type) for field in FLOWS.collected]
    batch = pa.record_batch(columns, schema=FLOWS.collected)
    with pytest.raises(pa.ArrowInvalid, match="UTF8"):
        Tally().add("flows", batch, Given())


def test_a_failure_is_written_small_and_runs_again(pool: seeds.Pool, tmp_path: Path) -> None:
    plan = Plan.draw(5)._replace(blocks=2)
    frames = frames_until(plan, pool, 2000)[:2000]
    guilty = frames[777]

    def fails(some: list[Frame]) -> bool:
        return guilty in some

    small = shrink(frames, fails, lambda: 0.0)
    path = tmp_path / "failure.pcapng"
    write_frames(path, small, SMALL, plan.seed)
    assert small == [guilty]
    assert how(path.read_bytes()) == (plan.seed, SMALL)
    replay(path)
    run_frames(small, SMALL, plan.seed)
