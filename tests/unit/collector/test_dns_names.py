"""Names are read, compared and written eight octets at a time: every octet at every place, and every length, comes out right."""

import struct

import pytest
from scapy.layers.inet import IP, UDP

from tests.support.frames import ether, of

Labels = tuple[bytes, ...]
OCTETS = [(b"abcdefgh"[:place] + bytes([octet]) + b"xyz",) for octet in range(256) for place in range(9)]
LENGTHS = [(b"l" * length, b"m" * (length % 9 + 1), b"example") for length in range(1, 64)]
LONGEST = [(b"L" * 63, b"m" * 63, b"N" * 63, b"o" * 61), (b"x",) * 127]
PRINTABLE = range(33, 127)


def message(number: int, labels: Labels, response: bool) -> bytes:
    question = b"".join(bytes([len(label)]) + label for label in labels) + b"\0" + struct.pack(">HH", 1, 1)
    return struct.pack(">6H", number & 0xFFFF, 0x8000 if response else 0, 1, 0, 0, 0) + question


def frame(number: int, labels: Labels, response: bool) -> object:
    ends = ("10.0.0.1", "10.0.0.2", 40000, 53)
    src, dst, sport, dport = (ends[1], ends[0], ends[3], ends[2]) if response else ends
    return ether() / IP(src=src, dst=dst) / UDP(sport=sport, dport=dport) / message(number, labels, response)


def escaped(octet: int) -> str:
    """RFC 1035 §5.1."""
    if chr(octet) in ".\\":
        return "\\" + chr(octet)
    return chr(octet) if octet in PRINTABLE else f"\\{octet:03d}"


def text(labels: Labels) -> str:
    return ".".join("".join(map(escaped, label)) for label in labels)


@pytest.mark.parametrize("names", [OCTETS, LENGTHS, LONGEST], ids=["octets", "lengths", "longest"])
def test_a_name_is_written_as_it_was_sent_and_in_lower_case(names: list[Labels]) -> None:
    seen = of([frame(number, name, False) for number, name in enumerate(names)]).dns
    assert seen["qname"].to_pylist() == [text(tuple(map(bytes.lower, name))) for name in names]
    raw = [text(name) if name != tuple(map(bytes.lower, name)) else None for name in names]
    assert seen["qname_raw"].to_pylist() == raw


def outcomes(names: list[Labels], answers: list[Labels]) -> set[str]:
    pairs = enumerate(zip(names, answers, strict=True))
    frames = [frame(number, name, place == 1) for number, pair in pairs for place, name in enumerate(pair)]
    return set(of(frames).dns["outcome"].to_pylist())


@pytest.mark.parametrize("names", [OCTETS, LENGTHS, LONGEST], ids=["octets", "lengths", "longest"])
def test_the_case_of_letters_may_differ_in_the_response(names: list[Labels]) -> None:
    assert outcomes(names, [(*map(bytes.swapcase, name),) for name in names]) == {"answered"}


@pytest.mark.parametrize("bit", [1 << number for number in range(8)])
def test_no_other_octet_may_differ(bit: int) -> None:
    """Bit 5 is the case of a letter, and of nothing else."""
    places = [(name, place) for name in OCTETS for place in range(len(name[0])) if is_other(name[0][place], bit)]
    changed = [(name[0][:place] + bytes([name[0][place] ^ bit]) + name[0][place + 1 :],) for name, place in places]
    assert outcomes([name for name, _ in places], changed) == {"unanswered", "unsolicited"}


def is_other(octet: int, bit: int) -> bool:
    return bytes([octet]).lower() != bytes([octet ^ bit]).lower()
