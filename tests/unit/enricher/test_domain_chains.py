"""Names that lead to an address over several answers, or over HTTPS and SVCB records."""

from pathlib import Path

import pytest

from enricher.directory import Directory
from enricher.domains import MAX_HOPS
from enricher.enrich import enrich
from tests.unit.enricher.cluster import Object, answer, directory, dns, flow, flows, pod, query

CLIENT, OTHER, SERVER, IP = "10.1.0.5:40000", "10.1.0.6:40000", "10.96.0.10:53", "93.184.216.34"
WWW, EDGE = "www.example.com", "edge.cdn.net"
NOTHING = (None, None)


@pytest.fixture
def shop(tmp_path: Path) -> Directory:
    return directory(tmp_path, pod("web", "10.1.0.5"), pod("db", "10.1.0.6"))


def named(read: Directory, *queries: Object, at: float = 0, ip: str = IP) -> tuple[str | None, str | None]:
    (found,) = enrich(flows(flow(CLIENT, f"{ip}:443", at)), dns(*queries), read).flows.to_pylist()
    return found["dst_domain"], found["domain_method"]


def cname(name: str, target: str, start: float, ttl: int = 300, client: str = CLIENT) -> Object:
    return query(client, SERVER, name, start, [answer(name, target, ttl, "CNAME")])


def address(name: str, start: float, ttl: int = 300) -> Object:
    return query(CLIENT, SERVER, name, start, [answer(name, IP, ttl)])


def https(name: str, data: str, start: float = -2, kind: str = "HTTPS", ttl: int = 300) -> Object:
    return query(CLIENT, SERVER, name, start, [answer(name, data, ttl, kind)], qtype=kind)


def test_target_asked_for_because_of_a_cname_is_the_name_first_asked_for(shop: Directory) -> None:
    asked = cname(WWW, "Edge.CDN.net.", -3), address(EDGE, -2, 20)
    assert named(shop, *asked) == (WWW, "dns")
    assert named(shop, *asked, at=19) == (WWW, "dns_expired"), "the shortest TTL of the way"
    assert named(shop, cname(WWW, EDGE, -3, ttl=1), address(EDGE, -2, 20), at=0) == (EDGE, "dns"), (
        "the CNAME had expired"
    )


def test_target_known_before_the_cname_is_told(shop: Directory) -> None:
    asked = address(EDGE, -9, 300), cname(WWW, EDGE, -3, ttl=30)
    assert named(shop, *asked, at=-5) == (EDGE, "dns")
    assert named(shop, *asked) == (WWW, "dns")
    assert named(shop, *asked, at=40) == (EDGE, "dns"), "the CNAME has expired, the address has not"


def test_chain_of_several_answers(shop: Directory) -> None:
    asked = cname(WWW, "b.example", -5), cname("b.example", "c.example", -4), cname("c.example", EDGE, -3)
    assert named(shop, *asked, address(EDGE, -2)) == (WWW, "dns")


def test_chain_is_followed_so_far_and_no_further(shop: Directory) -> None:
    names = [f"n{number}.example" for number in range(MAX_HOPS + 4)]
    links = [cname(names[n], names[n + 1], n - 60) for n in range(len(names) - 1)]
    assert named(shop, *links, address(names[-1], -2)) == (names[-1 - 1 - MAX_HOPS], "dns")


def test_chain_that_leads_to_itself_ends(shop: Directory) -> None:
    asked = (
        cname("a.example", "b.example", -5),
        cname("b.example", "a.example", -4),
        cname("c.example", "c.example", -4),
    )
    assert named(shop, *asked, address("b.example", -2))[1] == "dns"


def test_name_that_has_addresses_itself_leads_nowhere(shop: Directory) -> None:
    """Its AAAA answer is a CNAME alone, and its A answer is whole: who asks for the target means the target."""
    whole = query(CLIENT, SERVER, WWW, -5, [answer(WWW, EDGE, 300, "CNAME"), answer(EDGE, "93.184.216.99")])
    assert named(shop, whole, cname(WWW, EDGE, -5), address(EDGE, -2)) == (EDGE, "dns")


def test_what_another_client_was_told_leads_this_one_nowhere(shop: Directory) -> None:
    assert named(shop, cname(WWW, EDGE, -3, client=OTHER), address(EDGE, -2)) == (EDGE, "dns")


@pytest.mark.parametrize(
    ("data", "ip"),
    [
        (f"1 . alpn=h2 ipv4hint={IP},192.0.2.1 ipv6hint=2001:db8::1", IP),
        ('1 . alpn="h3,h2" port=8443 ipv4hint=192.0.2.1 ipv6hint=2001:db8::1,2001:db8::2', "2001:db8::2"),
        (f"1 svc.example.net ipv4hint={IP}", IP),
    ],
)
@pytest.mark.parametrize("kind", ["HTTPS", "SVCB"])
def test_hints_are_addresses_of_the_name(shop: Directory, data: str, ip: str, kind: str) -> None:
    assert named(shop, https(WWW, data, kind=kind), ip=ip) == (WWW, "dns")
    assert named(shop, https(WWW, data, kind=kind, ttl=1), ip=ip) == (WWW, "dns_expired")


def test_hints_behind_a_cname(shop: Directory) -> None:
    chain = [answer(WWW, EDGE, 30, "CNAME"), answer(EDGE, f"1 . ipv4hint={IP}", 300, "HTTPS")]
    assert named(shop, query(CLIENT, SERVER, WWW, -2, chain, qtype="HTTPS")) == (WWW, "dns")
    stray = [answer("bank.example", f"1 . ipv4hint={IP}", 300, "HTTPS")]
    assert named(shop, query(CLIENT, SERVER, WWW, -2, stray, qtype="HTTPS")) == NOTHING


@pytest.mark.parametrize("data", [f"0 {EDGE}", f"1 {EDGE} alpn=h2", f"1 {EDGE} ipv4hint=192.0.2.9"])
def test_target_of_a_service_record_leads_to_it(shop: Directory, data: str) -> None:
    """Also where the name has addresses of its own, as it is asked for A, AAAA and HTTPS at once."""
    own = query(CLIENT, SERVER, WWW, -3, [answer(WWW, "93.184.216.99")])
    assert named(shop, own, https(WWW, data, -3), address(EDGE, -2)) == (WWW, "dns")


@pytest.mark.parametrize(
    "data",
    [
        f'1 . alpn="x ipv4hint={IP}"',
        f'1 . key65280="\\" ipv4hint={IP}"',
        "1 .",
        "1",
        "",
        "\\# 3 000100",
        f". ipv4hint={IP}",
    ],
)
def test_text_of_a_stranger_is_no_hint(shop: Directory, data: str) -> None:
    assert named(shop, https(WWW, data)) == NOTHING
