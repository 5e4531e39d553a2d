"""An assembler for the kernel's classic packet filters (https://docs.kernel.org/networking/filter.html)."""

import struct
from itertools import accumulate
from typing import NamedTuple

INSTRUCTION = struct.Struct("HBBI")
MOST_INSTRUCTIONS = 4096
FARTHEST = 255  # instructions that a conditional jump can pass over

LD, LDX, ST, ALU, JMP, RET, TAX, TXA = 0x00, 0x01, 0x02, 0x04, 0x05, 0x06, 0x07, 0x87
WORD, HALF, BYTE = 0x00, 0x08, 0x10
IMM, ABS, IND, MEM, LEN = 0x00, 0x20, 0x40, 0x60, 0x80
ADD, SUB, AND, LSH, RSH = 0x00, 0x10, 0x50, 0x60, 0x70
ALWAYS, EQUAL, GREATER, AT_LEAST, ANY_BIT = 0x00, 0x10, 0x20, 0x30, 0x40
OF_X = 0x08

# Loads from here on tell of the packet, not from it.
ANCILLARY = 0xFFFFF000
PROTOCOL, PACKET_TYPE, INTERFACE, HARDWARE = ANCILLARY, ANCILLARY + 4, ANCILLARY + 8, ANCILLARY + 28


class Jump(NamedTuple):
    test: int
    value: int
    true: str  # empty: the next instruction
    false: str


class Step(NamedTuple):
    code: int
    value: int


class Program:
    """Steps and jumps to labels. One that is farther than a conditional jump reaches goes by way of another."""

    def __init__(self) -> None:
        self._items: list[Step | Jump] = []
        self._conditional: dict[int, Jump] = {}
        self._labels: dict[str, int] = {}

    def label(self, name: str) -> None:
        self._labels[name] = len(self._items)

    def add(self, code: int, value: int = 0) -> None:
        self._items.append(Step(code, value))

    def jump(self, test: int, value: int, true: str = "", false: str = "") -> None:
        if test != ALWAYS:
            self._conditional[len(self._items)] = Jump(test, value, true, false)
        self._items.append(Jump(test, value, true, false))

    def go(self, label: str) -> None:
        self.jump(ALWAYS, 0, label)

    def assembled(self) -> bytes:
        far: set[int] = set()
        while True:
            places = self._places(far)
            added = {number for number in self._conditional if self._is_far(number, places)} - far
            if not added:
                return b"".join(self._code(number, far, places) for number in range(len(self._items)))
            far |= added

    def _places(self, far: set[int]) -> list[int]:
        return list(accumulate((3 if number in far else 1 for number in range(len(self._items))), initial=0))

    def _is_far(self, number: int, places: list[int]) -> bool:
        return max(self._ways(self._conditional[number], number, places)) > FARTHEST

    def _ways(self, item: Jump, number: int, places: list[int]) -> tuple[int, int]:
        """Instructions to pass over where it is true, and where not."""
        true, false = (places[self._labels[label] if label else number + 1] for label in (item.true, item.false))
        return true - places[number] - 1, false - places[number] - 1

    def _code(self, number: int, far: set[int], places: list[int]) -> bytes:
        item = self._items[number]
        if isinstance(item, Step):
            return INSTRUCTION.pack(item.code, 0, 0, item.value & 0xFFFFFFFF)
        true, false = self._ways(item, number, places)
        if item.test == ALWAYS:
            return INSTRUCTION.pack(JMP | ALWAYS, 0, 0, true)
        if number not in far:
            return INSTRUCTION.pack(JMP | item.test, true, false, item.value)
        around = INSTRUCTION.pack(JMP | item.test, 0, 1, item.value)
        return around + b"".join(INSTRUCTION.pack(JMP | ALWAYS, 0, 0, way) for way in (true - 1, false - 2))
