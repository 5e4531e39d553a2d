from typing import Any

import pytest

from analysis.policy.recommend.dialects import Dialect
from analysis.policy.recommend.model import EveryPod, NodePeer, Peer, Port, WorldPeer
from analysis.policy.rules import NamedPort, PortRange
from analysis.policy.selectors import Operator, Requirement
from tests.support.recommendations import (
    DNS,
    HTTP,
    addresses,
    allow,
    documents,
    draft,
    pods,
    recommendation,
    spec,
    text,
)

NODE = addresses("172.18.0.11").networks
OWN, OTHER = NodePeer("n1", NODE, True), NodePeer("n1", NODE, False)
PORT_80 = [{"ports": [{"port": "80", "protocol": "TCP"}]}]
NOBODY = {"ingress": [{"fromEndpoints": []}], "egress": [{"toEndpoints": []}]}


def egress(*peers: Peer, ports: tuple[Port, ...] = (HTTP,), **more: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = spec(draft(egress=[allow(*peers, ports=ports)]), Dialect.CILIUM, **more)["egress"]
    return found


def test_default_deny_names_nobody() -> None:
    found = documents(recommendation(draft()), Dialect.CILIUM)
    assert found["tailrace-default-deny"]["spec"] == {"endpointSelector": {}, **NOBODY}
    assert found["tailrace-web"]["spec"] == {"endpointSelector": {"matchLabels": {"k8s:app": "web"}}, **NOBODY}


def test_pods_are_named_with_their_namespace_if_it_is_another() -> None:
    found = spec(draft(ingress=[allow(pods("api"), pods("db", "data"))]), Dialect.CILIUM)
    peers = [
        {"matchLabels": {"k8s:app": "api"}},
        {"matchLabels": {"k8s:io.kubernetes.pod.namespace": "data", "k8s:app": "db"}},
    ]
    assert found["ingress"] == [{"fromEndpoints": peers, "toPorts": PORT_80}]
    assert found["egress"] == NOBODY["egress"]


def test_every_pod_is_one_of_any_namespace() -> None:
    (rule,) = egress(EveryPod())
    assert rule["toEndpoints"] == [
        {"matchExpressions": [{"key": "k8s:io.kubernetes.pod.namespace", "operator": "Exists"}]}
    ]


@pytest.mark.parametrize(
    ("peer", "outgoing", "incoming"),
    [
        (OWN, {"toEntities": ["host"]}, None),
        (OTHER, {"toEntities": ["host", "remote-node"]}, {"fromEntities": ["remote-node"]}),
        (WorldPeer(4, NODE), {"toEntities": ["world"]}, {"fromEntities": ["world"]}),
        (
            addresses("198.51.100.7", "2001:db8::1"),
            {"toCIDR": ["198.51.100.7/32", "2001:db8::1/128"]},
            {"fromCIDR": ["198.51.100.7/32", "2001:db8::1/128"]},
        ),
        (
            addresses("198.51.100.7", domain="db.example"),
            {"toFQDNs": [{"matchName": "db.example"}]},
            {"fromCIDR": ["198.51.100.7/32"]},
        ),
        (addresses("198.51.100.7", domain="a b"), {"toCIDR": ["198.51.100.7/32"]}, {"fromCIDR": ["198.51.100.7/32"]}),
    ],
)
def test_who_is_no_pod(peer: Peer, outgoing: dict[str, Any], incoming: dict[str, Any] | None) -> None:
    assert egress(peer) == [{**outgoing, "toPorts": PORT_80}]
    found = spec(draft(ingress=[allow(peer)]), Dialect.CILIUM)["ingress"]
    assert found == ([{**incoming, "toPorts": PORT_80}] if incoming else NOBODY["ingress"])


def test_peers_of_several_kinds_are_rules_of_their_own() -> None:
    found = egress(pods("api"), OTHER, addresses("198.51.100.7"), addresses("198.51.100.8", domain="db.example"))
    assert [next(iter(rule)) for rule in found] == ["toEndpoints", "toEntities", "toFQDNs", "toCIDR"]


@pytest.mark.parametrize(
    ("peer", "port", "entities"),
    [
        (OTHER, HTTP, [{"toEntities": ["kube-apiserver"], "toPorts": PORT_80}]),
        (OTHER, PortRange(6, 80, 81), None),
        (
            addresses("172.18.0.11"),
            HTTP,
            [
                {"toEntities": ["kube-apiserver"], "toPorts": PORT_80},
                {"toCIDR": ["172.18.0.11/32"], "toPorts": PORT_80},
            ],
        ),
    ],
)
def test_the_api_server_has_a_name_of_its_own(
    peer: Peer, port: PortRange, entities: list[dict[str, Any]] | None
) -> None:
    found = egress(peer, ports=(port,), api_servers=frozenset({("172.18.0.11", 80)}))
    if entities is None:
        assert found[0]["toEntities"] == ["host", "remote-node"]
    else:
        assert found == entities


def test_names_are_allowed_with_the_rule_that_shows_them_to_cilium() -> None:
    named = recommendation(draft(egress=[allow(addresses("198.51.100.7", domain="db.example"))]))
    (rule,) = documents(named, Dialect.CILIUM)["tailrace-dns"]["spec"]["egress"]
    assert rule["toPorts"] == [
        {
            "ports": [{"port": "53", "protocol": "UDP"}, {"port": "53", "protocol": "TCP"}],
            "rules": {"dns": [{"matchPattern": "*"}]},
        }
    ]
    plain = documents(recommendation(draft(egress=[allow(pods("api"))])), Dialect.CILIUM)
    assert "rules" not in plain["tailrace-dns"]["spec"]["egress"][0]["toPorts"][0]


def test_another_resolver_shows_names_too() -> None:
    resolver = allow(addresses("198.51.100.53"), ports=(PortRange(17, 53, 53),))
    named = allow(addresses("198.51.100.7", domain="db.example"))
    asked, other = spec(draft(egress=[resolver, named]), Dialect.CILIUM)["egress"]
    assert asked["toPorts"][0]["rules"] == {"dns": [{"matchPattern": "*"}]}
    assert other == {"toFQDNs": [{"matchName": "db.example"}], "toPorts": PORT_80}
    assert "rules" not in spec(draft(egress=[resolver]), Dialect.CILIUM)["egress"][0]["toPorts"][0]


def test_a_cache_on_the_node_is_the_host_for_cilium() -> None:
    made = recommendation(draft(), dns=allow(addresses("169.254.20.10"), ports=DNS.ports))
    found = documents(made, Dialect.CILIUM)["tailrace-dns"]["spec"]["egress"]
    assert [next(iter(rule.items())) for rule in found] == [
        ("toEntities", ["host"]),
        ("toCIDR", ["169.254.20.10/32"]),
    ]


@pytest.mark.parametrize(
    ("ports", "rules"),
    [
        (
            (PortRange(17, 8000, 8010), PortRange(132, 9, 9), NamedPort(6, "http")),
            [
                {
                    "toPorts": [
                        {
                            "ports": [
                                {"port": "8000", "endPort": 8010, "protocol": "UDP"},
                                {"port": "9", "protocol": "SCTP"},
                                {"port": "http", "protocol": "TCP"},
                            ]
                        }
                    ]
                }
            ],
        ),
        (
            (HTTP, PortRange(1), PortRange(58)),
            [
                {"toPorts": PORT_80},
                {"icmps": [{"fields": [{"family": "IPv4", "type": 8}, {"family": "IPv6", "type": 128}]}]},
            ],
        ),
        ((HTTP, PortRange(47)), [{}]),
        ((PortRange(6, 0, 0), HTTP), [{"toPorts": PORT_80}]),
    ],
)
def test_ports(ports: tuple[Port, ...], rules: list[dict[str, Any]]) -> None:
    found = egress(addresses("198.51.100.7"), ports=ports)
    assert found == [{"toCIDR": ["198.51.100.7/32"], **rule} for rule in rules]


def test_an_entry_has_no_more_ports_than_cilium_takes() -> None:
    (rule,) = egress(pods("api"), ports=tuple(PortRange(6, one, one) for one in range(1, 101, 2)))
    assert [len(entry["ports"]) for entry in rule["toPorts"]] == [40, 10]


@pytest.mark.parametrize(
    ("peer", "port", "words"),
    [
        (OTHER, HTTP, "Cilium tells a pod's own node from the others, and no more: every node is allowed."),
        (addresses("198.51.100.7"), PortRange(1), "Of ICMP the type is not recorded: echo requests are allowed."),
        (addresses("198.51.100.7"), PortRange(47), "Warning: GRE cannot be named: every protocol and port is allowed."),
        (
            addresses("198.51.100.7", domain="a\nb"),
            HTTP,
            r"Warning: a\nb is no name that toFQDNs takes: these are the addresses that it had.",
        ),
    ],
)
def test_what_is_not_as_seen_is_said(peer: Peer, port: Port, words: str) -> None:
    assert f"    # {words}\n" in text(recommendation(draft(egress=[allow(peer, ports=(port,))])), Dialect.CILIUM)


def test_labels_that_make_no_identity_are_left_out_and_said() -> None:
    selector = (
        Requirement("app", Operator.IN, ("a", "b")),
        Requirement("statefulset.kubernetes.io/pod-name", Operator.IN, ("web-0",)),
        Requirement("no label", Operator.EXISTS),
        Requirement("tier", Operator.DOES_NOT_EXIST),
    )
    made = recommendation(draft(selector=selector))
    assert documents(made, Dialect.CILIUM)["tailrace-web"]["spec"]["endpointSelector"] == {
        "matchExpressions": [
            {"key": "k8s:app", "operator": "In", "values": ["a", "b"]},
            {"key": "k8s:tier", "operator": "DoesNotExist"},
        ]
    }
    found = text(made, Dialect.CILIUM)
    assert (
        "# Warning: the label statefulset.kubernetes.io/pod-name is left out, as Cilium makes no identity of it"
        in found
    )
    assert "# Warning: the label no label is left out, as it is no label of Kubernetes" in found
