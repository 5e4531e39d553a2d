"""How sure a destination's name is, which others it may have, and what other clients were told."""

from pathlib import Path
from typing import Any

import pytest

from enricher.directory import Directory
from enricher.domains import MAX_ALTERNATIVES, RECENT_ANSWERS
from enricher.enrich import enrich
from tests.unit.enricher.cluster import Object, answer, directory, dns, flow, flows, pod, query

CLIENT, SIBLING, STRANGER, SERVER = "10.1.0.5:40000", "10.1.0.6:40000", "10.1.0.7:40000", "10.96.0.10:53"
IP = "93.184.216.34"
WEB = f"{IP}:443"
A, B, C = "a.cdn.example", "b.cdn.example", "www.shop.example"
NOTHING = {"dst_domain": None, "domain_method": None, "domain_confidence": None, "domain_alternatives": None}


@pytest.fixture
def shop(tmp_path: Path) -> Directory:
    web = ("StatefulSet", "web")
    pods = pod("web-0", "10.1.0.5", owner=web), pod("web-1", "10.1.0.6", owner=web), pod("db", "10.1.0.7")
    return directory(tmp_path, *pods)


def told(name: str, start: float = -1, ttl: int = 60, client: str = CLIENT) -> Object:
    return query(client, SERVER, name, start, [answer(name, IP, ttl)])


def known(read: Directory, *queries: Object, start: float = 0, **more: Any) -> Object:
    (found,) = enrich(flows(flow(CLIENT, WEB, start, **more)), dns(*queries), read).flows.to_pylist()
    return {name: found[name] for name in NOTHING} | ({"ambiguous": True} if found["ambiguous"] else {})


def domain(name: str, method: str, sure: str, *others: str) -> Object:
    return {
        "dst_domain": name,
        "domain_method": method,
        "domain_confidence": sure,
        "domain_alternatives": list(others) or None,
    }


AMBIGUOUS = {"ambiguous": True}


def test_only_name(shop: Directory) -> None:
    assert known(shop, told(A)) == domain(A, "dns", "high")
    assert known(shop, told(A), start=100) == domain(A, "dns_expired", "medium")


def test_newest_of_several_names_and_the_others_newest_first(shop: Directory) -> None:
    asked = told(A, -9), told(B, -8), told(C, -7), told(A, -6), told("gone.example", -5, ttl=1)
    assert known(shop, *asked) == domain(A, "dns", "medium", C, B) | AMBIGUOUS


def test_others_are_bounded(shop: Directory) -> None:
    names = [f"n{number}.example" for number in range(MAX_ALTERNATIVES + 5)]
    found = known(shop, *(told(name, number - 50, 300) for number, name in enumerate(names)))
    newest = names[::-1]
    assert found == domain(newest[0], "dns", "medium", *newest[1 : 1 + MAX_ALTERNATIVES]) | AMBIGUOUS
    renewed = [told(A, number - 50, 300) for number in range(RECENT_ANSWERS)]
    assert known(shop, told(B, -60, 300), *renewed) == domain(A, "dns", "medium") | AMBIGUOUS


def test_sni_that_is_one_of_the_names_decides(shop: Directory) -> None:
    asked = told(A, -9), told(B, -8)
    assert known(shop, *asked, tls_sni="A.cdn.example.") == domain(A, "dns", "high", B)
    assert known(shop, told(A), tls_sni=A) == domain(A, "dns", "high")
    assert known(shop, told(A, -9, ttl=1), told(B, -8), tls_sni=A) == domain(A, "dns_expired", "high", B)
    assert known(shop, told(A, -9, ttl=1), tls_sni=A) == domain(A, "dns_expired", "high")


def test_sni_that_is_none_of_the_names_does_not_win(shop: Directory) -> None:
    assert known(shop, told(A), tls_sni=C) == domain(A, "dns", "low")
    assert known(shop, told(A), tls_sni=C, start=100) == domain(A, "dns_expired", "low")
    assert known(shop, told(A), tls_sni=C, start=4000) == domain(C, "sni", "low")


def test_encrypted_hello_contradicts_nothing(shop: Directory) -> None:
    assert known(shop, told(A), tls_sni="public.example", tls_ech=True) == domain(A, "dns", "medium")
    assert known(shop, told(A), tls_sni=A, tls_ech=True) == domain(A, "dns", "high")


def test_sni_alone_is_surer_if_others_were_told_that_name(shop: Directory) -> None:
    assert known(shop, tls_sni="Www.Shop.example") == domain(C, "sni", "low")
    asked = told(A, client=STRANGER), told(C, client=STRANGER)
    assert known(shop, *asked, tls_sni=C) == domain(C, "sni", "medium")


def test_name_that_the_workload_was_told(shop: Directory) -> None:
    assert known(shop, told(A, client=SIBLING)) == domain(A, "dns_workload", "medium")
    several = told(A, -9, client=SIBLING), told(B, -8, client=SIBLING), told(C, client=STRANGER)
    assert known(shop, *several)["domain_method"] == "dns_workload"
    assert known(shop, *several)["domain_confidence"] == "low"
    parties = told(A, -9, client=SIBLING), told(C, -8, client=SIBLING), told(A, -7, client=STRANGER)
    assert known(shop, *parties) == NOTHING, "names of two parties tell nothing, whatever the cluster was told"


def test_name_that_only_others_were_told(shop: Directory) -> None:
    assert known(shop, told(A, client=STRANGER)) == domain(A, "dns_cluster", "low")
    assert known(shop, told(A, client=STRANGER), told(C, client="10.1.0.9:5")) == NOTHING


@pytest.mark.parametrize(("start", "method"), [(-3602, None), (-3600, "dns"), (3658, "dns"), (3662, None)])
def test_what_others_were_told_counts_for_an_hour_before_and_after(
    shop: Directory, start: float, method: str | None
) -> None:
    found = known(shop, told(A, client=STRANGER), start=start)
    assert found["domain_method"] == (None if method is None else "dns_cluster")


def test_own_answer_of_the_hour_after_is_the_workloads(shop: Directory) -> None:
    assert known(shop, told(A, 30)) == domain(A, "dns_workload", "medium")


def test_registered_domain_of_the_name(shop: Directory) -> None:
    rows = flows(
        flow(CLIENT, WEB), flow(CLIENT, "192.0.2.1:443"), flow(CLIENT, "192.0.2.2:443", tls_sni="db.svc.cluster.local")
    )
    found = enrich(rows, dns(told("x.alice.github.io")), shop).flows
    assert found["dst_registered_domain"].to_pylist() == ["alice.github.io", None, None]
    assert found["dst_domain"].to_pylist() == ["x.alice.github.io", None, "db.svc.cluster.local"]
