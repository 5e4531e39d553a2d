"""By which name a client knew an address outside."""

from pathlib import Path

import pytest

from enricher.directory import Directory
from enricher.enrich import enrich
from tests.unit.enricher.cluster import Object, answer, directory, dns, flow, flows, pod, query

CLIENT, SERVER, WEB = "10.1.0.5:40000", "10.96.0.10:53", "93.184.216.34:443"
IP = "93.184.216.34"
NOTHING = (None, None)


@pytest.fixture
def shop(tmp_path: Path) -> Directory:
    return directory(tmp_path, pod("web", "10.1.0.5"), pod("db", "10.1.0.6"))


def named(read: Directory, row: Object, *queries: Object) -> tuple[str | None, str | None]:
    (found,) = enrich(flows(row), dns(*queries), read).flows.to_pylist()
    return found["dst_domain"], found["domain_method"]


def resolved(name: str, start: float = -1, *answers: Object, **more: Object) -> Object:
    return query(CLIENT, SERVER, name, start, list(answers) or [answer(name, IP)], **more)


def test_name_the_client_resolved(shop: Directory) -> None:
    assert named(shop, flow(CLIENT, WEB), resolved("example.com")) == ("example.com", "dns")


def test_name_at_the_end_of_a_cname_chain_is_the_one_asked_for(shop: Directory) -> None:
    chain = [
        answer("www.example.com", "Edge.CDN.net.", 300, "CNAME"),
        answer("edge.cdn.net", "e7.cdn.net", 20, "CNAME"),
        answer("E7.cdn.net.", IP, 300),
    ]
    assert named(shop, flow(CLIENT, WEB), resolved("www.example.com", -1, *chain)) == ("www.example.com", "dns")
    assert named(shop, flow(CLIENT, WEB, 30), resolved("www.example.com", -1, *chain))[1] == "dns_expired"


def test_record_that_does_not_belong_to_the_question_names_nothing(shop: Directory) -> None:
    stray = resolved("evil.example", -1, answer("bank.example", IP))
    assert named(shop, flow(CLIENT, WEB), stray) == NOTHING


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        (-0.5, ("example.com", "dns")),
        (58.9, ("example.com", "dns")),
        (59.1, ("example.com", "dns_expired")),
        (3658, ("example.com", "dns_expired")),
        (3660, ("sni.example", "sni")),
        (-1.5, ("sni.example", "sni")),
    ],
)
def test_time_of_the_answer(shop: Directory, start: float, expected: tuple[str, str]) -> None:
    row = flow(CLIENT, WEB, start, tls_sni="sni.example")
    assert named(shop, row, resolved("example.com")) == expected


def test_latest_name_wins(shop: Directory) -> None:
    assert named(shop, flow(CLIENT, WEB), resolved("old.example", -9), resolved("new.example", -2)) == (
        "new.example",
        "dns",
    )


def test_sightings_of_one_answer_are_all_the_same(shop: Directory) -> None:
    assert (
        named(shop, flow(CLIENT, WEB), *(resolved("example.com", at) for at in (-1, -1, -0.9998)))[0] == "example.com"
    )


def test_name_another_cluster_resolved_is_not_known(shop: Directory) -> None:
    assert named(shop, flow(CLIENT, WEB), resolved("example.com", cluster="elsewhere")) == NOTHING


def test_only_what_is_outside_has_a_domain(shop: Directory) -> None:
    inside = flow(CLIENT, "10.1.0.6:443", tls_sni="db.shop")
    assert named(shop, inside, resolved("db.shop", -1, answer("db.shop", "10.1.0.6"))) == NOTHING


def test_without_objects_every_destination_may_have_one() -> None:
    assert named(Directory.empty(), flow(CLIENT, WEB), resolved("example.com")) == ("example.com", "dns")


def test_version_6(shop: Directory) -> None:
    told = resolved("example.com", -1, answer("example.com", "2001:db8::1", 60, "AAAA"), qtype="AAAA")
    assert named(shop, flow(CLIENT, "2001:db8::1:443"), told) == ("example.com", "dns")


def test_records_of_one_connection_keep_its_name(shop: Directory) -> None:
    rows = flows(flow(CLIENT, WEB, 0, 60), flow(CLIENT, WEB, 61, 120, started=False))
    found = enrich(rows, dns(resolved("example.com")), shop).flows
    assert found["domain_method"].to_pylist() == ["dns", "dns"]


def ambiguous(read: Directory, start: float, *queries: Object) -> tuple[str | None, str | None, bool]:
    (found,) = enrich(flows(flow(CLIENT, WEB, start)), dns(*queries), read).flows.to_pylist()
    return found["dst_domain"], found["domain_method"], found["ambiguous"]


def test_valid_name_comes_before_a_later_expired_one_and_several_valid_ones_are_ambiguous(shop: Directory) -> None:
    told = [
        resolved(name, start, answer(name, IP, ttl))
        for name, start, ttl in (("a.example", 0, 600), ("b.example", 10, 300), ("c.example", 20, 5))
    ]
    found = [ambiguous(shop, start, *told) for start in (5, 22, 100, 400, 700)]
    assert found == [
        ("a.example", "dns", False),
        ("c.example", "dns", True),
        ("b.example", "dns", True),
        ("a.example", "dns", False),
        ("c.example", "dns_expired", False),
    ]


def test_one_name_resolved_again_is_not_ambiguous(shop: Directory) -> None:
    told = [resolved("example.com", start) for start in (0, 0.0002, 30, 60, 200)]
    assert ambiguous(shop, 61, *told) == ("example.com", "dns", False)
    assert ambiguous(shop, 210, *told) == ("example.com", "dns", False)
