"""Packets of the machine's interfaces, as they come, out of an AF_PACKET socket with a TPACKET_V3 ring.

https://docs.kernel.org/networking/packet_mmap.html. The kernel fills one block of the ring after the other; frames are decoded
where they lie, and the block is given back.
"""

import mmap
import select
import socket
import struct
from collections.abc import Iterator, Sequence
from contextlib import suppress
from threading import Lock
from typing import NamedTuple, Self

import numpy as np

from collector.kernels.layout import FRAME
from collector.kernels.ring import INDEX, walk_ring
from collector.kernels.state import records
from collector.sources.capture import FRAMES, Block
from collector.sources.filter import Connection, Lengths, capture_filter, headers_of_all
from collector.sources.interfaces import LiveInterfaces
from collector.sources.links import LinkMessages
from collector.sources.opening import NOTHING, attach, attach_first
from contract.errors import MachineError

SOL_PACKET, PACKET_RX_RING, PACKET_STATISTICS, PACKET_VERSION, PACKET_FANOUT, TPACKET_V3 = 263, 5, 6, 10, 18, 2
FANOUT_HASH, FANOUT_DEFRAGMENT = (
    0,
    0x8000,
)  # fragments have no ports: of IPv4, the kernel puts datagrams together before
BLOCK_HEAD = struct.Struct("8x3I")  # of struct tpacket_block_desc: status, frames, place of the first
STATUS = 8
READY, GIVEN_BACK = 1, struct.pack("I", 0)
RETIRE_MS = 50  # a block that is not full is handed over after so long: the delay of a packet
FEW_OWN = 2  # connections of our own for which the smallest room for filters is enough
LEAST_FRAME = 2048  # the kernel wants to know one that divides a block, and does not use it


class Size(NamedTuple):
    """Of the ring: 64 MiB hold a quarter of a million packets."""

    block: int = 1 << 20  # octets; more than the largest packet
    blocks: int = 64


USUAL_SIZE = Size()


class Losses(NamedTuple):
    drops: int  # packets for which there was no room
    freezes: int  # times that the ring was full


class Ring:
    """One socket for all interfaces of its network namespace."""

    def __init__(
        self,
        opened: socket.socket,
        interfaces: LiveInterfaces,
        lengths: Lengths,
        size: Size = USUAL_SIZE,
        group: int | None = None,
    ) -> None:
        """Packets are dealt to the rings of one ``group`` (a number of 16 bits), each connection to one of them."""
        self.interfaces, self._socket = interfaces, opened
        self._lengths, self._size, self._group = lengths, size, group
        self._own: tuple[Connection, ...] = ()
        self._filtering = Lock()  # whoever publishes tells of connections from a thread of its own
        self._is_shut = False
        self._frames = records(FRAMES, FRAME)
        self._next = 0
        self._links = LinkMessages()
        interfaces.refresh()  # what came between its last list and the first message
        self._set_up()
        self._poll = select.poll()
        self._poll.register(self._socket.fileno(), select.POLLIN)
        self._poll.register(self._links.fileno(), select.POLLIN)

    def _set_up(self) -> None:
        block, blocks = self._size
        request = struct.pack("7I", block, blocks, LEAST_FRAME, block * blocks // LEAST_FRAME, RETIRE_MS, 0, 0)
        try:
            self._socket.setsockopt(SOL_PACKET, PACKET_VERSION, TPACKET_V3)
            self._socket.setsockopt(SOL_PACKET, PACKET_RX_RING, request)
            self._memory = mmap.mmap(self._socket.fileno(), block * blocks)
            self._ring = np.frombuffer(self._memory, np.uint8)
            if self._group is not None:
                dealt = struct.pack("HH", self._group, FANOUT_HASH | FANOUT_DEFRAGMENT)
                self._socket.setsockopt(SOL_PACKET, PACKET_FANOUT, dealt)
            self._follow()
            self.losses()
        except OSError as error:
            self._links.close()
            self._socket.close()
            raise MachineError(
                f"no ring of {block * blocks >> 20} MiB for packets ({error.strerror}); make it smaller, or free memory"
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """The mapping keeps the socket until nobody has a block any more: one that an error left must not fill."""
        self.shut()
        del self._ring
        with suppress(BufferError):
            self._memory.close()
        self._socket.close()
        self._links.close()

    def leave_out(self, own: Sequence[Connection]) -> None:
        """Connections of our own, of which no packet is captured from here on."""
        with self._filtering:
            self._own = tuple(own)
        self._follow()

    def shut(self) -> None:
        """Nothing comes in any more; what is in the ring can be read."""
        with self._filtering:
            if not self._is_shut:
                self._is_shut = True
                attach(self._socket, NOTHING)

    def _follow(self) -> None:
        with self._filtering:
            if not self._is_shut:
                attach_first(self._socket, self._filters(), headers_of_all(self._lengths))

    def _filters(self) -> Iterator[bytes]:
        """The best one first; what others take besides is passed over, or captured as any other."""
        unwanted, own = self.interfaces.unwanted, self._own
        yield capture_filter(self._lengths, unwanted, own)
        for fewer in (own[-FEW_OWN:], ()):
            yield capture_filter(self._lengths, unwanted, fewer)
        yield capture_filter(self._lengths, (), ())

    def wait(self, seconds: float) -> bool:
        """Whether a block is ready, at the latest after ``seconds``; interfaces are listed again where some changed."""
        if not self.is_ready():
            self._poll.poll(seconds * 1000)
        heard = self._links.heard()
        if heard is not None:
            before = self.interfaces.unwanted
            self.interfaces.refresh(heard)
            if before != self.interfaces.unwanted:
                self._follow()
        return self.is_ready()

    def is_ready(self) -> bool:
        return bool(self._head()[0] & READY)

    def _head(self) -> tuple[int, int, int]:
        status, count, first = BLOCK_HEAD.unpack_from(self._memory, self._next * self._size.block)
        return status, count, first

    def blocks(self) -> Iterator[Block]:
        """The frames of the block that is ready, which then is the kernel's again."""
        start = self._next * self._size.block
        _, left, first = self._head()
        at = start + first
        while left:
            count, at, left = walk_ring(
                self._ring, at, left, self.interfaces.indexes, self.interfaces.ids, self._frames
            )
            if count:
                yield Block(self._ring, self._frames, count)
            if left and count < FRAMES:
                self.interfaces.learn(int.from_bytes(self._memory[at + INDEX : at + INDEX + 4], "little"))
        self._memory[start + STATUS : start + STATUS + 4] = GIVEN_BACK
        self._next = (self._next + 1) % self._size.blocks

    def losses(self) -> Losses:
        """Since they were last asked for."""
        _, drops, freezes = struct.unpack("3I", self._socket.getsockopt(SOL_PACKET, PACKET_STATISTICS, 12))
        return Losses(drops, freezes)
