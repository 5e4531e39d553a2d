"""A long run: round after round until so many packets were given, and what is told of it."""

import faulthandler
import random
import resource
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from collector.kernels.layout import FRAME, NO_TAG
from collector.kernels.state import Bounds, records
from collector.sources.capture import Block
from tests.fuzz import failures, framing, seeds
from tests.fuzz.framing import block_size, changed, check_file
from tests.fuzz.invariants import Broken, check
from tests.fuzz.rounds import Frame, Given, Mutated, Plan, Recorded, frames_of
from tests.fuzz.watch import LIBC, Watch, held, resident

HANG = 60.0  # seconds without a block or a batch; a block takes some hundredths of one
FILES = 40  # changed files a round
EVERY = 10.0  # seconds between two lines of progress
WARM = 5_000_000  # packets after which memory has its size
GROWTH = 32 << 20  # octets it may still gain then
MEGA = 1 << 20
# glibc serves large arrays from its heap once one was freed, and has to write the zeros of np.zeros: 20 of 35 s, against 0.4.
M_MMAP_THRESHOLD = -3


class Beyond(Recorded):
    """A capture that says its one frame lies behind the end of the data."""

    def blocks(self) -> Iterator[Block]:
        told = records(1, FRAME)
        told[0] = (4096, 60, 60, 0, 0, 1, NO_TAG)
        self.given = Given()
        yield Block(np.zeros(64, np.uint8), told, 1)


def warm_up() -> None:
    """Compile, and see that a read out of range raises: else the run would find nothing."""
    faulthandler.enable()
    LIBC.mallopt(M_MMAP_THRESHOLD, MEGA)
    try:
        check(Beyond([]), Bounds(2, 2), 1)
    except IndexError:
        return
    raise SystemExit("the kernels are compiled without bounds checks: nothing would be found")


class Campaign:
    def __init__(self, packets: int, seed: int, first: int, out: Path) -> None:
        self.packets, self.seed, self.round, self.out = packets, seed, first, out
        self.done = self.files = 0
        self.settled = 0  # memory in use when it was warm
        self.plan = Plan.draw(0)
        self.source: Mutated | None = None
        self.data = b""  # of the changed file at hand
        self.pool, self.file_pool = seeds.pool(), framing.files()
        self.watch = Watch(HANG, self._hung)
        self.started = self.told = time.monotonic()

    def run(self) -> int:
        print(f"{self.packets} packets from {self.pool.size.size} seeds, run {self.seed}", flush=True)
        self.started = self.told = time.monotonic()
        self.watch.start()
        try:
            with tempfile.TemporaryDirectory() as folder:
                while self.done < self.packets:
                    self._round(Path(folder) / "changed")
        except KeyboardInterrupt:
            self._tell()
            print("stopped")
            return 130
        except Exception as error:
            traceback.print_exc()
            self._failed(error)
            return 1
        self._tell()
        print("nothing found")
        return 0

    def _round(self, file: Path) -> None:
        number = random.Random(f"{self.seed}/{self.round}").getrandbits(62)
        (self.out / "round").write_text(f"--seed {self.seed} --first {self.round}\n")
        self._frames(Plan.draw(number))
        self._files(number, file)
        self._memory()
        self.round += 1
        if time.monotonic() - self.told > EVERY:
            self._tell()

    def _frames(self, plan: Plan) -> None:
        self.plan, self.source = plan, Mutated(plan, self.pool)
        self.done += failures.run_plan(plan, self.pool, self.source, self.watch.beat)
        self.source = None

    def _files(self, number: int, file: Path) -> None:
        size = block_size(number)
        for data in changed(number, self.file_pool, FILES):
            self.data = data
            file.write_bytes(data)
            self.done += check_file(file, size, self.watch.beat)
            self.files += 1
        self.data = b""

    def _memory(self) -> None:
        """Nothing of a round may stay behind."""
        if pa.total_allocated_bytes() > 16 * MEGA:
            raise Broken(f"{pa.total_allocated_bytes()} octets of Arrow memory are still held after a round")
        if self.done < WARM:
            return
        self.settled = self.settled or held()
        if resident() > self.settled + GROWTH and held() > self.settled + GROWTH:
            raise Broken(f"memory grew from {self.settled // MEGA} to {resident() // MEGA} MiB")

    def _tell(self) -> None:
        self.told = time.monotonic()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        rate = self.done / (self.told - self.started)
        print(
            f"{self.done:>12,} packets  {self.files:>8,} files  {rate:>10,.0f} packets/s  "
            f"{resident() // MEGA} MiB in use, {peak} MiB at most  round {self.round}",
            flush=True,
        )

    def _failed(self, error: Exception) -> None:
        print(f"run {self.seed}, round {self.round}: {type(error).__name__}: {error}")
        self.watch.stop()
        if self.source is None:
            self._keep_file()
            return
        plan, path = self.plan, self.out / f"failure-{self.seed}-{self.round}.pcapng"
        frames = failures.frames_until(plan, self.pool, self.source.given.packets)
        fails = failures.same_failure(error, plan.bounds, plan.seed)
        if fails(frames):
            frames = failures.shrink(frames, fails, time.monotonic)
        failures.write_frames(path, frames, plan.bounds, plan.seed)

    def _keep_file(self) -> None:
        if not self.data:  # it was the memory of a whole round
            return
        kept = self.out / f"failure-{self.seed}-{self.round}.capture"
        kept.write_bytes(self.data)
        print(f"again by: {Path(sys.executable).name} -m tests.fuzz --replay {kept}")

    def _hung(self) -> None:
        """In the thread of the watch: the block at hand is all that can be had."""
        print(f"run {self.seed}, round {self.round}: no sign of life for {HANG:.0f} seconds")
        faulthandler.dump_traceback()
        if self.source is None or self.source.block is None:
            self._keep_file()
            return
        frames: list[Frame] = frames_of(self.source.block)
        path = self.out / f"hang-{self.seed}-{self.round}.pcapng"
        failures.write_frames(path, frames, self.plan.bounds, self.plan.seed)


def replayed(path: Path) -> int:
    Watch(HANG, lambda: print(f"no sign of life for {HANG:.0f} seconds")).start()
    try:
        failures.replay(path)
    except Exception:
        traceback.print_exc()
        return 1
    print("nothing found")
    return 0
