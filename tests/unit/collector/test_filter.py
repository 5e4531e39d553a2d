"""How much of which packet the filter takes; the kernel itself is asked in ``test_live_capture``."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.sources.bpf import MOST_INSTRUCTIONS
from collector.sources.filter import (
    LEAST_SNAP,
    MAX_LEFT_OUT,
    MAX_OWN,
    SNAP,
    WHOLE,
    Connection,
    Lengths,
    capture_filter,
)
from collector.sources.opening import NOTHING
from tests.support.bpf import Seen, run
from tests.support.filtered import CASES, DNS, ENDS, ENDS6, LONG, Case, vxlan
from tests.support.frames import from_bytes, pcap
from tests.support.segments import segment, udp

LENGTHS = Lengths((53, 5353))
PROGRAM = capture_filter(LENGTHS, [], [])
OTHER, LOOPBACK, OUTGOING = 9, 772, 4
UNTAGGED = [name for name, case in CASES.items() if case.frame[12:14] == b"\x08\x00"]
TAG = b"\x81\x00\x00\x07"
OWN = Connection(*ENDS[0], *ENDS[1])
OWN6 = Connection(f"{ENDS6[0][0]}%3", ENDS6[0][1], *ENDS6[1])


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_is_taken(case: Case) -> None:
    assert run(PROGRAM, Seen(case.frame)) == case.taken


@pytest.mark.parametrize("hardware", [512, 519, 768, 769, 776, 778, 823, 0xFFFE])
@pytest.mark.parametrize(("ends", "protocol"), [(ENDS, 0x0800), (ENDS6, 0x86DD)], ids=["IPv4", "IPv6"])
def test_devices_without_a_link_header(hardware: int, ends: tuple[tuple[str, int], ...], protocol: int) -> None:
    to_dns = udp(ends[0], (ends[1][0], 53), LONG)[14:]
    assert run(PROGRAM, Seen(to_dns, hardware=hardware, protocol=protocol)) == WHOLE
    assert run(PROGRAM, Seen(udp(*ends, LONG)[14:], hardware=hardware, protocol=protocol)) == SNAP
    assert run(PROGRAM, Seen(LONG, hardware=hardware, protocol=0x0806)) == SNAP


def test_devices_that_nobody_knows() -> None:
    assert run(PROGRAM, Seen(DNS, hardware=824)) == SNAP


def test_what_leaves_by_loopback_comes_in_there() -> None:
    assert run(PROGRAM, Seen(DNS, hardware=LOOPBACK, kind=OUTGOING)) == 0
    assert run(PROGRAM, Seen(DNS, hardware=LOOPBACK)) == WHOLE
    assert run(PROGRAM, Seen(DNS, kind=OUTGOING)) == WHOLE


@pytest.mark.parametrize("count", [1, 4, 5, 31, MAX_LEFT_OUT])
def test_interfaces_that_are_not_wanted(count: int) -> None:
    unwanted = [3 * number + 10 for number in range(count)]
    program = capture_filter(LENGTHS, unwanted[::-1], [])
    for index in range(3 * count + 20):
        assert run(program, Seen(DNS, interface=index)) == (0 if index in unwanted else WHOLE)


def test_what_goes_beyond_the_bounds_is_taken() -> None:
    unwanted = list(range(1, MAX_LEFT_OUT + 2))
    own = [OWN._replace(port=1000 + number) for number in range(MAX_OWN)]
    program = capture_filter(LENGTHS, unwanted, [*own, OWN])
    assert len(program) // 8 < MOST_INSTRUCTIONS
    assert run(program, Seen(DNS, interface=unwanted[-2])) == 0
    assert run(program, Seen(DNS, interface=unwanted[-1])) == WHOLE
    assert run(program, Seen(segment(*ENDS, "A", 1), interface=500)) == SNAP


@pytest.mark.parametrize("ends", [ENDS, ENDS6], ids=["IPv4", "IPv6"])
def test_own_connections(ends: tuple[tuple[str, int], tuple[str, int]]) -> None:
    program = capture_filter(LENGTHS, [], [OWN, OWN6])
    for frame in (segment(*ends, "A", 1, LONG), segment(*ends[::-1], "A", 1, LONG)):
        assert run(program, Seen(frame)) == run(program, Seen(vxlan(frame))) == 0
    (address, port), peer = ends
    for other in [((address, port + 1), peer), ((address, port), (peer[0], peer[1] + 1))]:
        assert run(program, Seen(segment(*other, "A", 1, LONG))) == SNAP
    assert run(program, Seen(udp(*ends, LONG))) == SNAP


def test_an_own_connection_of_ipv4_over_a_socket_of_ipv6() -> None:
    mapped = Connection(f"::ffff:{OWN.address}", OWN.port, f"::ffff:{OWN.peer}", OWN.peer_port)
    assert run(capture_filter(LENGTHS, [], [mapped]), Seen(segment(*ENDS, "A", 1))) == 0


def test_headers_are_never_cut() -> None:
    program = capture_filter(Lengths((53,), snap=1), [], [])
    assert run(program, Seen(udp(*ENDS, LONG))) == LEAST_SNAP


def test_nothing() -> None:
    assert run(NOTHING, Seen(DNS)) == 0


@given(st.binary(max_size=400))
def test_no_packet_is_lost_by_being_strange(octets: bytes) -> None:
    for hardware in (1, LOOPBACK, 0xFFFE):
        assert run(PROGRAM, Seen(octets, hardware=hardware)) in (SNAP, WHOLE)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_no_packet_is_lost_by_being_short(case: Case) -> None:
    for size in range(300):
        assert run(PROGRAM, Seen(case.frame[:size])) in (SNAP, WHOLE)


@given(
    st.sampled_from(UNTAGGED),
    st.lists(st.tuples(st.integers(14, 80), st.integers(0, 255)), max_size=4),
    st.integers(0, 300),
)
def test_what_is_read_at_known_places_is_read_as_behind_a_tag(
    name: str, changes: list[tuple[int, int]], size: int
) -> None:
    """A VLAN tag leads the longer way."""
    changed = bytearray(CASES[name].frame)
    for place, value in changes:
        if place < len(changed):
            changed[place] = value
    frame = bytes(changed[:size] if size > 14 else changed)
    program = capture_filter(LENGTHS, [], [OWN])
    assert run(program, Seen(frame)) == run(program, Seen(frame[:12] + TAG + frame[12:]))


def test_the_longest_headers_need_less_than_the_snap() -> None:
    """Of TCP's header its first 16 octets are read."""
    frame = CASES["every header at its longest"].frame
    whole = from_bytes(pcap([(0, frame)])).flows
    needed = next(size for size in range(len(frame)) if from_bytes(cut_pcap(frame, size)).flows.equals(whole))
    assert needed == 148 < SNAP


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_is_cut_gives_the_same_flow(case: Case) -> None:
    """As far as a single packet tells: the snap is long enough for all headers."""
    short = case.frame[: case.taken] if case.taken == SNAP else case.frame
    whole, cut = from_bytes(pcap([(0, case.frame)])), from_bytes(cut_pcap(case.frame, len(short)))
    assert whole.flows.equals(cut.flows)
    assert whole.dns.equals(cut.dns)


def cut_pcap(frame: bytes, size: int) -> bytes:
    whole = pcap([(0, frame)])
    return whole[:32] + size.to_bytes(4, "little") + whole[36 : 40 + size]
