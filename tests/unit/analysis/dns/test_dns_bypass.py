"""Queries past the cluster's DNS, by plain DNS, TLS and HTTPS; name servers and the node's own cache are none."""

from pathlib import Path
from typing import Any

import pytest

from analysis.dns.doctor import examine
from analysis.dns.finding import Context, Finding, Severity
from analysis.questions import ask
from store.lake import Lake
from tests.support.history import flow
from tests.support.lake import HOSTILE
from tests.support.names import CLIENT, COREDNS, UPSTREAM, Row, make_names, outside, pod, transaction, unanswered

GOOGLE = outside("8.8.8.8")
SOMEWHERE = outside("203.0.113.80")


def findings(lake: Lake, **parameters: str) -> list[Finding]:
    return list(examine(lake, parameters, Context(), ["bypass"]).findings)


def of_rows(folder: Path, dns: list[Row], flows: list[Row], **parameters: str) -> list[Finding]:
    return findings(make_names(folder, dns=dns, flows=flows), **parameters)


def opened(number: int, dst: Row, port: int, client: Row = CLIENT, **more: Any) -> Row:
    return flow(number, client, dst, port, **{"tls_sni": None, "alpn": None} | more)


def test_plain_queries_to_an_outside_resolver(tmp_path: Path) -> None:
    dns = [transaction(number, f"{'ab'[number % 2]}.example", CLIENT, GOOGLE) for number in range(6)]
    dns += [unanswered(6, "c.example", client=CLIENT, server=GOOGLE)]
    (finding,) = of_rows(tmp_path, dns, [])
    assert (finding.severity, finding.subject) == (Severity.WARNING, "shop/api → 8.8.8.8 (dns)")
    assert finding.says == (
        "shop/api sent 8 queries for 3 names (such as a.example) to 8.8.8.8 (Google), not to the cluster's DNS."
        " 1 transaction had no answer."
    )
    assert (finding.queries, finding.waited_us) == (8, 6000)
    assert finding.look == {"from_namespace": "shop", "from_workload": "api", "to_ip": "8.8.8.8"}


def test_dns_over_tls_and_quic(tmp_path: Path) -> None:
    flows = [opened(number, SOMEWHERE, 853, protocol=protocol) for number, protocol in enumerate((6, 6, 17))]
    (finding,) = of_rows(tmp_path, [], flows)
    assert finding.subject == "shop/api → 203.0.113.80 (dns over tls)"
    assert finding.says.startswith("shop/api opened 3 connections for DNS over TLS or QUIC (port 853) to 203.0.113.80.")
    assert "deny 203.0.113.80 on port 853" in finding.fix


@pytest.mark.parametrize(
    "connections",
    [
        [opened(number, SOMEWHERE, 853) for number in range(3)],
        [opened(number, SOMEWHERE, 443, tls_sni="dns.google") for number in range(2)],
        [opened(0, outside("1.1.1.1"), 443)],
    ],
)
def test_secret_queries_are_shown_as_connections(tmp_path: Path, connections: list[Row]) -> None:
    others = [opened(90, SOMEWHERE, 80), opened(91, GOOGLE, 443), opened(92, SOMEWHERE, 8443, tls_sni="dns.google")]
    lake = make_names(tmp_path, flows=connections + others)
    (finding,) = [one for one in findings(lake) if "8.8.8.8" not in one.subject]
    shown = ask(lake, finding.question, finding.look).table
    assert set(shown["connection_id"].to_pylist()) == {row["connection_id"] for row in connections}


@pytest.mark.parametrize(
    ("connection", "server"),
    [
        (opened(0, SOMEWHERE, 443, tls_sni="dns.google"), "dns.google (203.0.113.80, Google)"),
        (opened(0, SOMEWHERE, 443, dst_domain="dns.quad9.net"), "dns.quad9.net (203.0.113.80, Quad9)"),
        (opened(0, SOMEWHERE, 443, tls_sni="abc123.dns.nextdns.io"), "abc123.dns.nextdns.io (203.0.113.80, NextDNS)"),
        (opened(0, outside("1.1.1.1"), 443), "1.1.1.1 (Cloudflare)"),
        (opened(0, SOMEWHERE, 443, tls_sni="mozilla.cloudflare-dns.com", protocol=17), "mozilla.cloudflare-dns.com"),
    ],
)
def test_dns_over_https_to_a_known_resolver(tmp_path: Path, connection: Row, server: str) -> None:
    (finding,) = of_rows(tmp_path, [], [connection, connection | {"interface": "eth0", "counted": "not"}])
    assert finding.says.startswith(f"shop/api opened 1 connection for DNS over HTTPS to {server}")


NODE = {"ip": "172.18.0.11", "kind": "node", "workload_kind": "Node", "workload": "node-1", "node": "node-1"}


@pytest.mark.parametrize(
    ("dns", "flows"),
    [
        pytest.param([transaction(0, "a.example")], [], id="the cluster's own"),
        pytest.param([transaction(0, "a.example", COREDNS, UPSTREAM)], [], id="forwarded"),
        pytest.param([transaction(0, "a.example", NODE, GOOGLE)], [], id="a node"),
        pytest.param([transaction(0, "a.example", CLIENT, outside("169.254.20.10"))], [], id="the cache of the node"),
        pytest.param([transaction(0, "a.local", CLIENT, outside("224.0.0.251"))], [], id="multicast"),
        pytest.param([transaction(0, "a.example", CLIENT, {"ip": "10.244.9.9"})], [], id="a server that nobody knows"),
        pytest.param([transaction(0, "a.example", CLIENT, GOOGLE, outcome="unsolicited")], [], id="never asked"),
        pytest.param([], [opened(0, SOMEWHERE, 443, tls_sni="www.google.com")], id="https elsewhere"),
        pytest.param([], [opened(0, SOMEWHERE, 443, tls_sni="notdns.google")], id="a name that ends alike"),
        pytest.param([], [opened(0, outside("1.1.1.1"), 443, tls_sni="www.partner.example")], id="another name there"),
        pytest.param([], [opened(0, COREDNS, 853)], id="tls inside the cluster"),
        pytest.param([transaction(0, "a.example")], [opened(0, GOOGLE, 853, COREDNS)], id="a name server by tls"),
        pytest.param([], [], id="nothing"),
    ],
)
def test_silent(tmp_path: Path, dns: list[Row], flows: list[Row]) -> None:
    assert of_rows(tmp_path, dns, flows) == []


def test_the_resolver_of_a_cloud_is_past_the_clusters(tmp_path: Path) -> None:
    assert len(of_rows(tmp_path, [transaction(0, "a.example", CLIENT, outside("169.254.169.253"))], [])) == 1


def test_by_client(tmp_path: Path) -> None:
    other = pod("worker", "10.244.1.12", "batch")
    dns = [transaction(number, "a.example", client, GOOGLE) for number, client in enumerate((CLIENT, other))]
    lake = make_names(tmp_path, dns=dns, flows=[opened(0, GOOGLE, 853, other)])
    assert [one.subject for one in findings(lake, namespace="shop")] == ["shop/api → 8.8.8.8 (dns)"]
    assert len(findings(lake, workload="worker")) == 2


def test_no_resolver_is_listed_twice(tmp_path: Path) -> None:
    with make_names(tmp_path).connect() as connection:
        names = [name for (name,) in connection.sql("select name from public_resolvers").fetchall()]
    assert len(names) == len(set(names)) > 40


def test_hostile_names_are_data(tmp_path: Path) -> None:
    dns = [transaction(number, name, CLIENT, outside("9.9.9.9")) for number, name in enumerate(HOSTILE)]
    (finding,) = of_rows(tmp_path, dns, [opened(0, SOMEWHERE, 443, tls_sni=HOSTILE[0])])
    assert finding.evidence["example"] == min(HOSTILE)
