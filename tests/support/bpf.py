"""The kernel's classic packet filters, run the obvious way (net/core/filter.c): a load beyond the end returns 0."""

import struct
from typing import NamedTuple

ANCILLARY = 0xFFFFF000
BEYOND = -1


class Seen(NamedTuple):
    """A packet as a filter sees it."""

    octets: bytes
    interface: int = 2
    hardware: int = 1
    protocol: int = 0x0800
    kind: int = 0

    def told(self, offset: int) -> int:
        return {0: self.protocol, 4: self.kind, 8: self.interface, 28: self.hardware}[offset - ANCILLARY]


def run(code: bytes, packet: Seen) -> int:
    """How many octets the program takes."""
    program = list(struct.iter_unpack("HBBI", code))
    a = x = at = 0
    memory = [0] * 16
    while True:
        operation, true, false, k = program[at]
        at += 1
        kind = operation & 7
        if kind in (0, 4):
            a = computed(program[at - 1], a, x, memory, packet)
        elif kind == 1:
            x = k
        elif kind == 2:
            memory[k] = a
        elif kind == 5:
            at += k if operation & 0xF0 == 0 else true if holds(operation & 0xF0, a, k) else false
        elif kind == 7:
            a, x = (x, x) if operation & 0x80 else (a, a)
        else:
            return int(k)
        if a == BEYOND:
            return 0


def computed(step: tuple[int, ...], a: int, x: int, memory: list[int], packet: Seen) -> int:
    operation, _, _, k = step
    if operation & 7 == 0:
        return load(operation, k, x, memory, packet)
    return arithmetic(operation & 0xF0, a, x if operation & 8 else k)


def load(operation: int, k: int, x: int, memory: list[int], packet: Seen) -> int:
    mode, size = operation & 0xE0, {0x00: 4, 0x08: 2, 0x10: 1}[operation & 0x18]
    if mode == 0x60:
        return memory[k]
    if mode == 0x80:
        return len(packet.octets)
    if mode == 0x20 and k >= ANCILLARY:
        return packet.told(k)
    at = k + (x if mode == 0x40 else 0)
    return int.from_bytes(packet.octets[at : at + size], "big") if at + size <= len(packet.octets) else BEYOND


def arithmetic(operation: int, a: int, b: int) -> int:
    done = {0x00: a + b, 0x10: a - b, 0x50: a & b, 0x60: a << b, 0x70: a >> b}
    return done[operation] & 0xFFFFFFFF


def holds(test: int, a: int, k: int) -> bool:
    return {0x10: a == k, 0x20: a > k, 0x30: a >= k, 0x40: a & k != 0}[test]
