"""A failure on disk, as small as it gets in a minute."""

import sys
from collections.abc import Callable
from pathlib import Path

from collector.kernels.state import Bounds
from collector.sources.capture import open_capture
from tests.fuzz.framing import block_size, check_file
from tests.fuzz.invariants import check, check_twins
from tests.fuzz.rounds import Frame, Mutated, Plan, Recorded, frames_of, how, to_pcapng
from tests.fuzz.seeds import LINKS, Pool
from tests.support.frames import NOBODY

POISONS = (0xA5, 0x5A)
SHOWN = 4  # frames of a failure that are shown in hex

Fails = Callable[[list[Frame]], bool]


def run_plan(plan: Plan, pool: Pool, source: Mutated, beat: Callable[[], None]) -> int:
    """The packets of a round."""
    if plan.twin:
        return check_twins(source, Mutated(plan, pool, POISONS[1]), plan.bounds, plan.seed, beat).packets
    return check(source, plan.bounds, plan.seed, beat).packets


def run_frames(frames: list[Frame], bounds: Bounds, seed: int) -> None:
    one, other = (Recorded(frames, poison) for poison in POISONS)
    check_twins(one, other, bounds, seed)


def frames_until(plan: Plan, pool: Pool, packets: int) -> list[Frame]:
    """The frames of a round up to the end of the block at which so many were given."""
    told: list[Frame] = []
    for part in Mutated(plan, pool).blocks():
        told += frames_of(part)
        if len(told) >= packets:
            break
    return told


def shrink(frames: list[Frame], fails: Fails, now: Callable[[], float], seconds: float = 60) -> list[Frame]:
    """Leave out what the failure does not need: halves first, then ever smaller runs."""
    until, size = now() + seconds, len(frames) // 2
    while size:
        at = 0
        while at < len(frames) and now() < until:
            fewer = frames[:at] + frames[at + size :]
            if fails(fewer):
                frames = fewer
            else:
                at += size
        size //= 2
    return frames


def same_failure(error: BaseException, bounds: Bounds, seed: int) -> Fails:
    def fails(frames: list[Frame]) -> bool:
        try:
            run_frames(frames, bounds, seed)
        except Exception as another:
            return type(another) is type(error)
        return False

    return fails


def write_frames(path: Path, frames: list[Frame], bounds: Bounds, seed: int) -> None:
    path.write_bytes(to_pcapng(frames, bounds, seed))
    for frame in frames if len(frames) <= SHOWN else []:
        print(f"  link type {LINKS[frame.interface]}, {frame.wire} octets on the wire: {frame.octets.hex()}")
    print(f"{len(frames)} packets written; again by: {Path(sys.executable).name} -m tests.fuzz --replay {path}")


def replay(path: Path) -> None:
    """Run a capture that was written down. Raises what it raised."""
    told = how(path.read_bytes())
    if told is None:
        for size in (block_size(0), 64, 1000):
            check_file(path, size)
        return
    seed, bounds = told
    run_frames(_read(path), bounds, seed)


def _read(path: Path) -> list[Frame]:
    with open_capture(str(path), NOBODY) as capture:
        return [frame for part in capture.blocks() for frame in frames_of(part)]
