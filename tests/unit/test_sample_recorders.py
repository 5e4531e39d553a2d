"""What the recorders of the samples decide before anything is recorded, and how they read the servers' logs."""

import argparse
from pathlib import Path

import pytest

from samples.cluster.topology import Losses, ruleset
from samples.cluster.workloads import pod_spec
from samples.resolvers import logs
from samples.resolvers.plan import NODES, PODS, RESOLVERS
from samples.shop.plan import SHOP
from samples.shop.record import ndots_of, with_ndots

UNBOUND = """\
[1795368156] unbound[1838:0] info: 10.244.1.10 api.Paygate.example. A IN
[1795368156] unbound[1838:0] info: 10.244.1.10 api.Paygate.example. A IN NOERROR 0.012000 0 69
[1795368157] unbound[1838:0] info: 10.244.1.10 api.paygate.example.cluster.local. A IN
[1795368157] unbound[1838:0] info: 10.244.1.10 api.paygate.example.cluster.local. A IN NXDOMAIN 0.000000 1 99
"""
DNSMASQ = """\
Nov 22 17:22:24 dnsmasq[18]: started, version 2.90 cachesize 150
Nov 22 17:22:36 dnsmasq[18]: 7 10.244.1.10/4895 query[A] gone.example from 10.244.1.10
Nov 22 17:22:36 dnsmasq[18]: 7 10.244.1.10/4895 forwarded gone.example to 203.0.113.53
Nov 22 17:22:36 dnsmasq[18]: 8 10.244.1.10/4895 query[AAAA] gone.example from 10.244.1.10
Nov 22 17:22:36 dnsmasq[18]: 8 10.244.1.10/4895 cached gone.example is NODATA-IPv6
Nov 22 17:22:36 dnsmasq[18]: 7 10.244.1.10/4895 reply gone.example is NXDOMAIN
Nov 22 17:22:37 dnsmasq[18]: 9 10.244.1.10/4896 query[A] lame.example from 10.244.1.10
Nov 22 17:22:37 dnsmasq[18]: 9 10.244.1.10/4896 reply error is SERVFAIL
"""


def test_ndots_of_one_workload_leaves_the_others_as_they_are() -> None:
    changed = with_ndots(SHOP, dict([ndots_of("payments/fx-rates=1")]))
    assert {key for key in SHOP.pods if changed.pods[key] != SHOP.pods[key]} == {"fx-rates"}
    options = [{"name": "ndots", "value": "1"}]
    assert pod_spec(changed, changed.pods["fx-rates"])["dnsConfig"] == {"options": options}
    assert "dnsConfig" not in pod_spec(changed, changed.pods["api-1"])


@pytest.mark.parametrize(
    "text", ["payments/nobody=1", "payments/payments=16", "payments/payments", "payments/payments=x"]
)
def test_ndots_of_nobody_or_of_no_number_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        ndots_of(text)


def test_a_service_without_a_ready_endpoint_is_rejected_and_others_skip_the_unready() -> None:
    text = ruleset(RESOLVERS, NODES["node-1"], Losses())
    assert "ip daddr 10.96.20.12 tcp dport 80 reject" in text
    assert f"dnat to {PODS['cart-1'].ip}:8080" in text
    assert PODS["cart-2"].ip not in text
    assert PODS["reports"].ip not in text


def test_logs_of_both_name_servers_are_read_alike(tmp_path: Path) -> None:
    for replica, text in {"coredns-1": UNBOUND, "coredns-2": DNSMASQ}.items():
        (tmp_path / replica).mkdir()
        (tmp_path / replica / "queries.log").write_text(text)
    asked = [(query.server, query.client, query.qname, query.qtype) for query in logs.queries(tmp_path)]
    assert asked == [
        ("coredns-1", "billing", "api.paygate.example", "A"),
        ("coredns-1", "billing", "api.paygate.example.cluster.local", "A"),
        ("coredns-2", "billing", "gone.example", "A"),
        ("coredns-2", "billing", "gone.example", "AAAA"),
        ("coredns-2", "billing", "lame.example", "A"),
    ]
    answered = [(reply.qname, reply.rcode, reply.missed) for reply in logs.replies(tmp_path)]
    assert answered == [
        ("api.paygate.example", "NOERROR", True),
        ("api.paygate.example.cluster.local", "NXDOMAIN", False),
        ("gone.example", "NXDOMAIN", True),
        ("gone.example", "NOERROR", False),
        ("lame.example", "SERVFAIL", False),
    ]
