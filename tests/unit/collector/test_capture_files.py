"""Capture formats: the same frames come out of each, and broken ones say where they broke."""

import gzip
import io
import struct
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from scapy.layers.inet import IP, UDP

from collector.driver import Settings, collect
from collector.kernels.frames import LAST_SECOND
from collector.kernels.state import Bounds
from collector.sources import capture as source
from collector.sources.capture import open_capture
from contract.errors import InputError
from tests.support.frames import (
    NOBODY,
    SECOND,
    START,
    block,
    drain,
    enhanced,
    ether,
    from_bytes,
    from_path,
    interface,
    option,
    packets,
    pcap,
    pcapng,
    rows,
    section,
    simple,
    timed,
)


def frame(port: int = 1000, size: int = 0) -> bytes:
    return bytes(ether() / IP(src="10.0.0.1", dst="10.0.0.2") / UDP(sport=port, dport=9) / bytes(size))


FRAMES = timed([frame(port) for port in (1000, 1001, 1000)], 0.25)
PLAIN = pcap(FRAMES)
START_US = START * SECOND


def start_times(data: bytes) -> list[int]:
    return sorted(from_bytes(data).flows["start_time"].cast(pa.int64()).to_pylist())


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("nanoseconds", [False, True])
def test_pcap_of_either_order_and_unit(order: str, nanoseconds: bool) -> None:
    seen = from_bytes(pcap(FRAMES, order=order, nanoseconds=nanoseconds))
    assert rows(seen.flows) == rows(from_bytes(PLAIN).flows)
    assert start_times(pcap(FRAMES, order=order, nanoseconds=nanoseconds)) == [START_US, START_US + 250_000]
    assert seen.fault is None


@pytest.mark.parametrize("order", "<>")
def test_pcapng_of_either_order(order: str) -> None:
    assert rows(from_bytes(pcapng(FRAMES, order=order)).flows) == rows(from_bytes(PLAIN).flows)


def test_an_interface_name_has_a_bound() -> None:
    seen = from_bytes(
        section() + interface(options=option(2, b"\xff" * 60_000) + option(0, b"")) + enhanced(frame(), 1)
    )
    assert seen.flows["interface"].to_pylist() == ["\ufffd" * 255]


def test_interfaces_have_their_names_and_their_flows() -> None:
    data = (
        section()
        + interface(options=option(2, b"eth0") + option(0, b""))
        + interface(options=option(2, b"v\xc3\xa91\xff"))
    )
    data += interface() + b"".join(enhanced(frame(), START_US, number) for number in (0, 1, 2, 1))
    seen = from_bytes(data)
    sent = {row["interface"]: row["src_packets"] for row in seen.flows.to_pylist()}
    assert sent == {"eth0": 1, "vé1\ufffd": 2, None: 1}
    assert {row["interface"]: row["packets"] for row in seen.coverage.to_pylist()} == sent


@pytest.mark.parametrize(
    ("resolution", "ticks"),
    [(3, START * 1000 + 123), (6, START_US + 123_000), (9, START * 10**9 + 123_000_000), (0x83, START * 8 + 1)]
    + [(0xA0, (START << 32) + (1 << 29)), (0x80 | 20, (START << 20) + (1 << 17)), (0, START)],
)
def test_time_units_of_pcapng(resolution: int, ticks: int) -> None:
    data = section() + interface(options=option(9, bytes([resolution]))) + enhanced(frame(), ticks)
    fraction = {0: 0, 3: 123_000, 6: 123_000, 9: 123_000}.get(resolution, 125_000)
    assert start_times(data) == [START_US + fraction]


def test_fine_power_of_two_keeps_the_second() -> None:
    ticks = (3 << 50) + (1 << 49)
    data = section() + interface(options=option(9, bytes([0x80 | 50]))) + enhanced(frame(), ticks)
    assert start_times(data) == [3_500_000]


def test_time_offset_of_pcapng() -> None:
    data = section() + interface(options=option(14, struct.pack("<q", START))) + enhanced(frame(), 7)
    assert start_times(data) == [START_US + 7]


def test_times_beyond_any_calendar_are_the_epoch() -> None:
    data = section() + interface() + enhanced(frame(), (1 << 64) - 1) + enhanced(frame(7), 1 << 62)
    assert start_times(data) == [0, 0]


def test_the_last_second_that_is_a_time() -> None:
    last = LAST_SECOND * SECOND + 999_999
    data = section() + interface() + enhanced(frame(), last) + enhanced(frame(7), last + 1)
    assert start_times(data) == [0, last]


def test_the_last_time_of_classic_pcap_is_a_time() -> None:
    data = PLAIN[:24] + struct.pack("<IIII", 0xFFFFFFFF, 0xFFFFFFFF, len(frame()), len(frame())) + frame()
    assert start_times(data) == [0xFFFFFFFF * (SECOND + 1)]
    assert 0xFFFFFFFF * (SECOND + 1) < LAST_SECOND * SECOND


def test_simple_packets_are_cut_at_the_snap_length() -> None:
    long = frame(size=400)
    data = section() + interface(snaplen=100) + block(3, struct.pack("<I", len(long)) + long[:100])
    seen = from_bytes(data + simple(frame()[:100]))
    assert seen.flows["src_bytes"].to_pylist() == [428 + 28]
    assert seen.coverage["cut_packets"].to_pylist() == [1]


def test_blocks_of_other_kinds_are_passed_over() -> None:
    large = block(0x0BAD, bytes(6 << 20))  # longer than any packet, longer than the buffer
    statistics = block(5, bytes(12))
    data = (
        section() + large + interface() + statistics + enhanced(frame(), START_US) + large + enhanced(frame(), START_US)
    )
    seen = from_bytes(data)
    assert seen.fault is None
    assert seen.flows["src_packets"].to_pylist() == [2]


@pytest.mark.parametrize("kind", [0, 4, 5, 7, 10, 0x0BAD, 0x80000001])
@pytest.mark.parametrize("size", [400_000, 8 << 20])
def test_a_long_block_of_any_kind_that_holds_no_packet(kind: int, size: int) -> None:
    data = section() + interface() + block(kind, bytes(size)) + enhanced(frame(), START_US)
    seen = from_bytes(data)
    assert seen.fault is None
    assert packets(seen) == (1, 1)


@pytest.mark.parametrize("kind", [2, 3, 6])
def test_a_block_with_a_packet_longer_than_any_is_broken_framing(kind: int) -> None:
    seen = from_bytes(section() + interface() + block(kind, bytes(400_000)))
    assert "contradicts itself" in str(seen.fault)


def test_a_second_section_of_another_order_has_interfaces_of_its_own() -> None:
    first = section() + interface(options=option(2, b"one")) + enhanced(frame(), START_US)
    second = section(">") + interface(options=option(2, b"two", ">"), order=">") + enhanced(frame(), START_US, 0, ">")
    seen = from_bytes(first + second)
    assert sorted(seen.flows["interface"].to_pylist()) == ["one", "two"]
    assert seen.fault is None


def test_an_interface_of_an_earlier_section_is_unknown_in_the_next() -> None:
    seen = from_bytes(section() + interface() + enhanced(frame(), START_US) + section() + enhanced(frame(), START_US))
    assert seen.flows["src_packets"].to_pylist() == [1]
    assert "contradicts itself" in str(seen.fault)


@pytest.mark.parametrize("data", [PLAIN, pcapng(FRAMES)], ids=["pcap", "pcapng"])
@pytest.mark.parametrize("codec", ["gzip", "zstd"])
def test_compressed_files(tmp_path: Path, data: bytes, codec: str) -> None:
    path = tmp_path / "capture"
    path.write_bytes(pa.Codec(codec).compress(data, asbytes=True))
    assert rows(from_path(path).flows) == rows(from_bytes(PLAIN).flows)


def test_gzip_of_several_members(tmp_path: Path) -> None:
    path = tmp_path / "capture.gz"
    path.write_bytes(gzip.compress(PLAIN[:100]) + gzip.compress(PLAIN[100:]))
    assert packets(from_path(path)) == (3, 3)


@pytest.mark.parametrize("packed", [PLAIN, gzip.compress(PLAIN)], ids=["plain", "gzip"])
def test_stdin(packed: bytes) -> None:
    with open_capture("-", io.BufferedReader(io.BytesIO(packed))) as capture:  # type: ignore[arg-type]
        assert rows(drain(capture).flows) == rows(from_bytes(PLAIN).flows)


@pytest.mark.parametrize("cut", [27, 24 + 16 + 10, len(PLAIN) - 1])
def test_pcap_cut_short_keeps_what_came_before(cut: int) -> None:
    seen = from_bytes(PLAIN[:cut])
    assert "the last packet is cut short" in str(seen.fault)
    given, counted = packets(seen)
    assert given == counted == {27: 0, 50: 0}.get(cut, 2)


def test_fault_tells_the_offset() -> None:
    assert str(from_bytes(PLAIN[:30]).fault).startswith("test at 24: ")


@pytest.mark.parametrize("cut", [5, 23])
def test_pcap_header_cut_short(cut: int) -> None:
    assert "the pcap header is cut short" in str(from_bytes(PLAIN[:cut]).fault)


def test_pcapng_cut_anywhere_never_raises() -> None:
    data = pcapng(FRAMES)
    whole = len(section() + interface())
    size = (len(data) - whole) // 3
    for cut in range(4, len(data)):
        seen = from_bytes(data[:cut])
        complete = max(cut - whole, 0) // size
        assert packets(seen) == (complete, complete)
        assert (seen.fault is None) == (cut == 28 or cut >= whole and (cut - whole) % size == 0), cut


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (section() + interface() + block(6, bytes(8)), "contradicts itself"),
        (section() + interface() + enhanced(frame(), 0, number=1), "contradicts itself"),
        (section() + interface() + enhanced(frame(), 0)[:-4] + b"\x01\0\0\0", "contradicts itself"),
        (section() + interface()[:-4] + bytes(4), "contradicts itself"),
        (section()[:8] + b"what" + section()[12:], "contradicts itself"),
        (section() + struct.pack("<II", 1, 16) + bytes(20), "wrong length"),
        (PLAIN[:24] + struct.pack("<IIII", 0, 0, 1 << 20, 1 << 20) + bytes(1 << 20), "longer than any"),
    ],
)
def test_broken_framing_ends_the_capture(data: bytes, what: str) -> None:
    assert what in str(from_bytes(data).fault)


@pytest.mark.parametrize("data", [b"", gzip.compress(b"")], ids=["empty", "empty gzip"])
def test_an_empty_file_is_refused(data: bytes) -> None:
    with pytest.raises(InputError, match="is empty"):
        from_bytes(data)


@pytest.mark.parametrize("data", [b"hello, world\n", b"\0", b"PAR1" + bytes(100)])
def test_no_capture_is_refused(data: bytes) -> None:
    with pytest.raises(InputError, match="no capture starts with"):
        from_bytes(data)


@pytest.mark.parametrize("codec", ["gzip", "zstd"])
def test_compressed_file_cut_short(tmp_path: Path, codec: str) -> None:
    whole = pa.Codec(codec).compress(pcap(timed([frame(port, port % 700) for port in range(3000)])), asbytes=True)
    path = tmp_path / "capture"
    path.write_bytes(whole[: len(whole) // 2])
    seen = from_path(path)
    assert seen.fault is not None
    given, counted = packets(seen)
    assert given == counted


def test_damaged_gzip_says_so(tmp_path: Path) -> None:
    whole = bytearray(gzip.compress(pcap(timed([frame(port) for port in range(3000)]))))
    whole[200:240] = bytes(40)
    path = tmp_path / "capture.gz"
    path.write_bytes(whole)
    assert "cannot be read further" in str(from_path(path).fault)


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(InputError, match="No such file"):
        open_capture("/nowhere/at.pcap", NOBODY)


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="directory"):
        open_capture(str(tmp_path), NOBODY)


@pytest.mark.parametrize("size", [300, 4096, 5000])
@pytest.mark.parametrize("data", [pcap, pcapng], ids=["pcap", "pcapng"])
def test_frames_across_a_read_boundary(monkeypatch: pytest.MonkeyPatch, data: type, size: int) -> None:
    made = data(timed([frame(port, port % 1400) for port in range(300)]))
    whole = from_bytes(made)
    monkeypatch.setattr(source, "BLOCK", size)
    monkeypatch.setattr(source, "FRAMES", 7)
    assert rows(from_bytes(made).flows) == rows(whole.flows)
    assert from_bytes(made).coverage == whole.coverage


def test_the_largest_frame_in_small_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "BLOCK", 1000)
    seen = from_bytes(pcap(timed([frame() + bytes((1 << 18) - len(frame())), frame()])))
    assert packets(seen) == (2, 2)
    assert seen.fault is None


def test_a_frame_check_sequence_is_no_part_of_the_frame() -> None:
    data = pcap([(0, frame() + b"fcs!")], link=1 | 1 << 26 | 2 << 28)
    assert from_bytes(data).coverage["bytes"].to_pylist() == [len(frame())]


def test_too_many_interfaces_end_the_capture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "MAX_INTERFACES", 3)
    seen = from_bytes(section() + interface() * 4)
    assert "more than 3 interfaces" in str(seen.fault)


def test_progress_counts_packets() -> None:
    told: list[int] = []
    capture = source.CaptureFile("test", pa.BufferReader(PLAIN), PLAIN[:4])
    list(collect(capture, Settings(seed=1, bounds=Bounds(64, 64)), told.append))
    assert sum(told) == 3


def test_coverage_of_a_capture() -> None:
    seen = from_bytes(PLAIN).coverage.to_pylist()[0]
    assert (seen["source"], seen["packets"], seen["bytes"]) == ("test", 3, 3 * len(frame()))
    assert (seen["until_time"] - seen["from_time"]).total_seconds() == 0.5
    assert seen["kernel_drops"] is None


def test_no_packets_no_rows() -> None:
    seen = from_bytes(PLAIN[:24])
    assert (seen.flows.num_rows, seen.dns.num_rows, seen.coverage.num_rows, seen.fault) == (0, 0, 0, None)


def test_this_python_is_little_endian() -> None:
    assert sys.byteorder == "little"  # the kernels shift octets and do not care; numpy views of records would
