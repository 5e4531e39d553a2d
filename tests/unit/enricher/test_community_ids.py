"""Community IDs against the reference implementation."""

import communityid
import pytest

from enricher.directory import Directory
from enricher.enrich import enrich
from tests.unit.enricher.cluster import Object, dns, flow, flows

PAIRS = [
    ("10.0.0.1", "10.0.0.2"),
    ("10.0.0.2", "10.0.0.1"),
    ("10.0.0.1", "10.0.0.1"),
    ("9.9.9.9", "100.1.1.1"),
    ("2001:db8::1", "fe80::7"),
    ("fe80::7", "::1"),
]


def computed(rows: list[Object]) -> list[str | None]:
    found: list[str | None] = enrich(flows(*rows), dns(), Directory.empty()).flows["community_id"].to_pylist()
    return found


def test_protocols_with_ports() -> None:
    cases = [
        (protocol, src, dst, one, other)
        for protocol in (6, 17, 132)
        for src, dst in PAIRS
        for one, other in ((1, 65535), (65535, 1), (443, 443), (0, 80))
    ]
    rows = [flow(f"{src}:{one}", f"{dst}:{other}", protocol=protocol) for protocol, src, dst, one, other in cases]
    reference = communityid.CommunityID()
    assert computed(rows) == [reference.calc(communityid.FlowTuple(*case)) for case in cases]


@pytest.mark.parametrize(("protocol", "pairs"), [(1, PAIRS[:4]), (58, PAIRS[4:])])
def test_icmp(protocol: int, pairs: list[tuple[str, str]]) -> None:
    cases = [(src, dst, kind, code) for src, dst in pairs for kind in range(256) for code in (0, 3)]
    ports = {"src_port": None, "dst_port": None, "protocol": protocol}
    rows = [flow(f"{s}:0", f"{d}:0", icmp_type=kind, icmp_code=code, **ports) for s, d, kind, code in cases]
    reference = communityid.CommunityID()
    make = communityid.FlowTuple.make_icmp if protocol == 1 else communityid.FlowTuple.make_icmp6
    assert computed(rows) == [reference.calc(make(*case)) for case in cases]


def test_both_directions_have_one_id() -> None:
    one, other = computed([flow("10.0.0.1:1", "10.0.0.2:2"), flow("10.0.0.2:2", "10.0.0.1:1")])
    assert one == other


def test_what_has_none() -> None:
    assert computed(
        [
            flow("10.0.0.1:1", "10.0.0.2:2", protocol=47, src_port=None, dst_port=None),
            flow("10.0.0.1:1", "10.0.0.2:2", protocol=6, src_port=None, dst_port=None),
            flow("10.0.0.1:1", "no address:2"),
        ]
    ) == [None, None, None]
