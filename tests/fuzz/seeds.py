"""The frames that mutation starts from, as arrays that a kernel reads."""

import random
from typing import NamedTuple

import numpy as np

from collector.sources.capture import open_capture
from tests.fuzz import protocols, wrapping
from tests.support.frames import NOBODY
from tests.support.sample import CAPTURES
from tests.support.shapes import shapes

ETHERNET = 1
SAMPLED = 1500  # frames of each sample capture
LARGEST = 9100  # octets of a seed; of a longer one the front

# An interface each: what the collector knows, what it may learn, and a number that is no link type.
LINKS = (1, 0, 9, 12, 14, 50, 51, 101, 105, 108, 113, 127, 147, 192, 228, 229, 239, 253, 276, 65535)


class Pool(NamedTuple):
    """``data[offset[i]:offset[i] + size[i]]`` is seed i, seen on ``interface[i]``, which has the type ``links[interface[i]]``."""

    data: np.ndarray
    offset: np.ndarray
    size: np.ndarray
    interface: np.ndarray
    links: np.ndarray


def pool() -> Pool:
    random.seed(11)  # scapy draws what a frame does not say
    plain = wrapping.plain()
    ethernet = [*shapes(), *protocols.frames(), *wrapping.tunnelled(plain), *wrapping.tagged(plain)]
    seeds = [(ETHERNET, frame) for frame in ethernet] + wrapping.linked(plain) + _sampled()
    seeds += [(ETHERNET, b""), (ETHERNET, b"\0"), (ETHERNET, bytes(60)), (ETHERNET, b"\xff" * 60)]
    return of([(link, frame[:LARGEST]) for link, frame in seeds])


def of(seeds: list[tuple[int, bytes]]) -> Pool:
    sizes = np.array([len(frame) for _, frame in seeds], np.int64)
    return Pool(
        data=np.frombuffer(b"".join(frame for _, frame in seeds), np.uint8).copy(),
        offset=np.cumsum(sizes) - sizes,
        size=sizes,
        interface=np.array([LINKS.index(link) for link, _ in seeds], np.int64),
        links=np.array(LINKS, np.int64),
    )


def _sampled() -> list[tuple[int, bytes]]:
    told: list[tuple[int, bytes]] = []
    for path in CAPTURES:
        with open_capture(str(path), NOBODY) as capture:
            block = next(capture.blocks())
            for frame in block.frames[: min(SAMPLED, block.count)]:
                octets = block.data[frame.offset : frame.offset + frame.captured].tobytes()
                told.append((int(frame.link), octets))
    return told
