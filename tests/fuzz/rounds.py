"""One round: a capture that is made up while the collector reads it, all of it drawn from one number."""

import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, Self

import numpy as np

from collector.kernels.layout import FRAME, NO_TAG, Records
from collector.kernels.state import Bounds, records
from collector.sources.capture import Block, Interfaces
from contract.errors import InputError
from tests.fuzz.mutate import GAP, ROUND, fill
from tests.fuzz.seeds import LINKS, Pool
from tests.support.frames import SECOND, START, block, enhanced, interface, option

FRAMES = 1 << 14  # of one block
ROOM = 8 << 20  # octets of one block
BLOCKS = 40  # of one round at most
SHORT = (1 << 10, 1 << 8, SECOND, 3 * SECOND, SECOND // 10, SECOND)
BOUNDS = (Bounds(), Bounds(), Bounds(1 << 12, 1 << 10), Bounds(*SHORT), Bounds(2, 2), Bounds(64, 3))
MARK = re.compile(rb"tailrace-fuzz (\{.*?\})")


class Plan(NamedTuple):
    """What a round is drawn from ``seed`` to be."""

    seed: int
    blocks: int
    bounds: Bounds
    heat: int
    most: int
    jumps: int
    flood: int
    twin: bool  # run it twice with other octets between the frames

    @classmethod
    def draw(cls, seed: int) -> Self:
        chance = random.Random(seed)
        return cls(
            seed=seed,
            blocks=chance.randint(1, BLOCKS),
            bounds=chance.choice(BOUNDS),
            heat=chance.choice((16, 64, 128, 250)),
            most=chance.choice((1, 3, 12, 40)),
            jumps=chance.choice((0, 0, 2, 60, 3000)),
            flood=chance.choice((0, 0, 8, 128)),
            twin=chance.random() < 0.25,
        )

    def start(self) -> Records:
        rounds = records(1, ROUND)
        one = rounds[0]
        one.state, one.clock = self.seed & 0xFFFFFFFFFFFFFFFF, START * SECOND
        one.heat, one.most, one.jumps, one.flood = self.heat, self.most, self.jumps, self.flood
        return rounds


def _interfaces() -> Interfaces:
    told = Interfaces()
    for link in LINKS:
        told.add(None, link)
    return told


@dataclass
class Given:
    """What was handed to the collector, to compare with what came out."""

    packets: int = 0
    octets: int = 0
    cut: int = 0
    first: int = np.iinfo(np.int64).max
    last: int = -1

    def add(self, frames: Records) -> None:
        self.packets += frames.size
        self.octets += int(frames.wire.sum())
        self.cut += int((frames.captured < frames.wire).sum())
        self.first = min(self.first, int(frames.time.min()))
        self.last = max(self.last, int(frames.time.max()))


class Mutated:
    """A capture, as far as ``collect`` asks; the last frame of a block ends where the data ends."""

    name = "fuzz"
    is_piped = False
    fault: InputError | None = None

    def __init__(self, plan: Plan, pool: Pool, poison: int = 0xA5) -> None:
        self.interfaces = _interfaces()
        self.given = Given()
        self.block: Block | None = None  # the one at hand
        self._plan, self._pool, self._poison = plan, pool, poison
        self._data = np.empty(ROOM, np.uint8)
        self._frames = records(FRAMES, FRAME)

    def blocks(self) -> Iterator[Block]:
        rounds = self._plan.start()
        for _ in range(self._plan.blocks):
            self._data.fill(self._poison)
            count, end = fill(self._data, self._frames, self._pool, rounds)
            self.given.add(self._frames[:count])
            self.block = Block(self._data[:end], self._frames, count)
            yield self.block


class Frame(NamedTuple):
    octets: bytes
    wire: int
    time: int
    interface: int


@dataclass
class Recorded:
    """Frames at hand as a capture of one block."""

    frames: list[Frame]
    poison: int = 0xA5
    name: str = "fuzz"
    is_piped: bool = False
    fault: InputError | None = None
    interfaces: Interfaces = field(default_factory=_interfaces)
    given: Given = field(default_factory=Given)
    block: Block | None = None

    def blocks(self) -> Iterator[Block]:
        if not self.frames:
            return
        told, gap, at = records(len(self.frames), FRAME), bytes([self.poison]) * GAP, 0
        for place, frame in enumerate(self.frames):
            at += GAP
            link = LINKS[frame.interface]
            told[place] = (at, len(frame.octets), frame.wire, frame.time, frame.interface, link, NO_TAG)
            at += len(frame.octets)
        data = np.frombuffer(b"".join(gap + frame.octets for frame in self.frames), np.uint8).copy()
        self.given.add(told)
        self.block = Block(data, told, len(self.frames))
        yield self.block


def frames_of(part: Block) -> list[Frame]:
    return [
        Frame(
            part.data[frame.offset : frame.offset + frame.captured].tobytes(),
            int(frame.wire),
            int(frame.time),
            int(frame.interface),
        )
        for frame in part.frames[: part.count]
    ]


def to_pcapng(frames: list[Frame], bounds: Bounds, seed: int) -> bytes:
    """A capture that any reader takes, and that says how to run it again."""
    how = json.dumps({"seed": seed, "bounds": list(bounds)})
    head = np.array([0x1A2B3C4D, 1, 0xFFFFFFFF, 0xFFFFFFFF], "<u4").tobytes()
    parts = [block(0x0A0D0D0A, head + option(1, f"tailrace-fuzz {how}".encode()))]
    parts += [interface(link) for link in LINKS]
    for frame in frames:
        packet = bytearray(enhanced(frame.octets, frame.time, frame.interface))
        packet[24:28] = frame.wire.to_bytes(4, "little")
        parts.append(bytes(packet))
    return b"".join(parts)


def how(data: bytes) -> tuple[int, Bounds] | None:
    """(seed, bounds) that ``to_pcapng`` wrote down, or None where another wrote the capture."""
    found = MARK.search(data[:4096])
    if found is None:
        return None
    told = json.loads(found[1])
    return told["seed"], Bounds(*told["bounds"])
