"""Frames of a block of the ring, with what the kernel says of each."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.kernels.layout import NO_TAG
from collector.kernels.link import ETHERNET, RADIOTAP, RAW, WIFI
from collector.kernels.ring import UNTOLD
from collector.sources.interfaces import LiveInterfaces, Wanted
from tests.support.filtered import CASES
from tests.support.ring import InRing, laid_down, walked

UDP = CASES["udp"].frame


def interfaces(**named: int) -> LiveInterfaces:
    return LiveInterfaces(Wanted(["!lo"]), lambda: 0, 1, lambda: [(index, name) for name, index in named.items()])


SOME = interfaces(lo=1, eth0=2, eth1=16386)  # the last two begin to be looked for at the same place


def test_a_frame_lies_where_the_kernel_put_it() -> None:
    packet = InRing(UDP, wire=5000)
    frames, _, left = walked([packet, packet._replace(octets=UDP[:61])], SOME)
    octets = laid_down([packet, packet._replace(octets=UDP[:61])])
    assert left == 0
    for frame, whole in zip(frames, (UDP, UDP[:61]), strict=True):
        assert octets[frame.offset : frame.offset + frame.captured].tobytes() == whole
        assert frame.wire == 5000
        assert frame.time == 1_700_000_000_000_001
        assert (frame.link, frame.tag) == (ETHERNET, NO_TAG)


@pytest.mark.parametrize("tag", [None, 0, 7, 0xE007, 0xFFFF])
def test_a_tag_that_the_kernel_took_out(tag: int | None) -> None:
    frames, _, _ = walked([InRing(UDP, tag=tag)], SOME)
    assert frames.tag.tolist() == [NO_TAG if tag is None else tag]


@pytest.mark.parametrize(
    ("hardware", "protocol", "link", "skipped"),
    [
        (1, 0x0800, ETHERNET, 0),
        (772, 0x86DD, ETHERNET, 0),
        (1, 0x0806, ETHERNET, 0),
        (801, 0x0004, WIFI, 0),
        (803, 0x0004, RADIOTAP, 0),
        (0xFFFE, 0x0800, RAW, 14),
        (778, 0x86DD, RAW, 14),
        (32, 0x0800, RAW, 14),
        (824, 0x0000, UNTOLD, 0),
        (0xFFFE, 0x0806, UNTOLD, 0),
    ],
)
def test_what_kind_of_device_it_came_by(hardware: int, protocol: int, link: int, skipped: int) -> None:
    (frame,) = walked([InRing(UDP, hardware=hardware, protocol=protocol)], SOME)[0]
    assert frame.link == link
    assert (frame.captured, frame.wire) == (len(UDP) - skipped, len(UDP) - skipped)


def test_a_header_that_is_longer_than_what_was_captured() -> None:
    (frame,) = walked([InRing(UDP[:10], hardware=0xFFFE)], SOME)[0]
    assert frame.captured == frame.wire == 0


@given(st.lists(st.sampled_from([1, 2, 16386, 3]), max_size=40), st.integers(1, 9))
def test_every_frame_that_is_wanted_once(indexes: list[int], room: int) -> None:
    """However few fit, and however often an interface must be asked for."""
    packets = [InRing(UDP, index, seconds=number) for number, index in enumerate(indexes)]
    known = interfaces(lo=1, eth0=2, eth1=16386)
    seen, at = [], 0
    while at < len(packets):
        frames, _, left = walked(packets[at:], known, room)
        seen += [(frame.time // 1_000_000, known.names[frame.interface]) for frame in frames]
        at = len(packets) - left
        if left and frames.size < room:
            assert indexes[at] == 3
            known.learn(3)
    names = {2: "eth0", 16386: "eth1", 3: None}
    assert seen == [(number, names[index]) for number, index in enumerate(indexes) if index != 1]
