"""Packets of a capture onto an interface, as fast as one thread can or at a rate: what `benchmarks.live` sends with.

A thousand at a time with sendmmsg(2), past the queueing of the device. Prints JSON: packets, octets, and the
seconds that it took, by the clock and of CPU: with what the kernel does on the way of a packet, also into the ring of who captures.
"""

import argparse
import ctypes
import json
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from collector.kernels.frames import walk_pcap
from collector.kernels.layout import FRAME
from collector.kernels.link import ETHERNET
from collector.kernels.state import records

SOL_PACKET, PACKET_QDISC_BYPASS = 263, 20
FILE_HEAD = 24  # octets of a pcap file before its packets
CHUNK = 1 << 16  # frames found at a time
TOGETHER = 1024  # packets: the most that sendmmsg takes
A_PACE = 64  # packets, where they are sent at a rate: so many without a look at the clock
VECTOR = np.dtype([("base", np.uint64), ("length", np.uint64)])
MESSAGE = np.dtype(
    {
        "names": ["vector", "vectors"],
        "formats": [np.uint64, np.uint64],
        "offsets": [16, 24],
        "itemsize": 64,
    }
)
LIBC = ctypes.CDLL(None, use_errno=True)


class Sender:
    """One socket, and the memory that tells the kernel where packets are."""

    def __init__(self, device: str, data: np.ndarray) -> None:
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self._socket.setsockopt(SOL_PACKET, PACKET_QDISC_BYPASS, 1)
        self._socket.bind((device, 0))
        self._data = data  # kept, as the kernel reads from it
        self._start = data.ctypes.data
        self._vectors, self._messages = np.zeros(TOGETHER, VECTOR), np.zeros(TOGETHER, MESSAGE)
        self._messages["vector"] = self._vectors.ctypes.data + np.arange(TOGETHER) * VECTOR.itemsize
        self._messages["vectors"] = 1

    def send(self, offsets: np.ndarray, lengths: np.ndarray) -> None:
        """At most ``TOGETHER`` of them."""
        self._vectors["base"][: offsets.size] = self._start + offsets
        self._vectors["length"][: offsets.size] = lengths
        sent = 0
        while sent < offsets.size:
            place = self._messages.ctypes.data + sent * MESSAGE.itemsize
            done = LIBC.sendmmsg(self._socket.fileno(), ctypes.c_void_p(place), offsets.size - sent, 0)
            if done < 0:
                raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
            sent += done


def find_frames(data: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    frames, at, count = records(CHUNK, FRAME), FILE_HEAD, -1
    while count:
        count, at, _ = walk_pcap(data, at, data.size, False, 10**9, 0, ETHERNET, frames)
        yield frames.offset[:count].astype(np.uint64), frames.captured[:count].astype(np.uint64)


def send_all(sender: Sender, offsets: np.ndarray, lengths: np.ndarray, rate: int) -> float:
    """Seconds; ``rate`` 0 is as fast as it goes."""
    step = A_PACE if rate else TOGETHER
    start = time.perf_counter()
    for place in range(0, offsets.size, step):
        while rate and time.perf_counter() < start + place / rate:
            time.sleep(0)
        sender.send(offsets[place : place + step], lengths[place : place + step])
    return time.perf_counter() - start


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("capture", type=Path)
    options.add_argument("device")
    options.add_argument("--packets", type=int, default=None, metavar="N", help="only the first")
    options.add_argument("--rate", type=int, default=0, metavar="N", help="packets a second; without it all it can")
    options.add_argument("--cpu", type=int, default=0)
    chosen = options.parse_args()
    os.sched_setaffinity(0, {chosen.cpu})
    data = np.fromfile(chosen.capture, np.uint8)
    offsets, lengths = (np.concatenate(found)[: chosen.packets] for found in zip(*find_frames(data), strict=True))
    sender = Sender(chosen.device, data)
    before = time.thread_time()
    seconds = send_all(sender, offsets, lengths, chosen.rate)
    told = {"seconds": seconds, "cpu": time.thread_time() - before}
    print(json.dumps({"packets": offsets.size, "octets": int(lengths.sum())} | told))


if __name__ == "__main__":
    main()
