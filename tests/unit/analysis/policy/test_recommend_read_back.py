"""What a dialect writes of nodes, addresses, domains and ICMP, read again and judged."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from analysis.policy.dialects import policies_of
from analysis.policy.documents import documents_of
from analysis.policy.evaluate import Edges, evaluate
from analysis.policy.recommend.dialects import Dialect
from analysis.policy.recommend.model import NodePeer, Peer, Style, WorldPeer
from analysis.policy.rules import NO_PORT, PortRange
from tests.support.policies import endpoint
from tests.support.recommendations import HTTP, addresses, allow, draft, recommendation, spec, text

CALICO, DOMAINS, CILIUM = (Dialect.CALICO, Style()), (Dialect.CALICO, Style(domains=True)), (Dialect.CILIUM, Style())
STYLES = (CALICO, DOMAINS, CILIUM)
CONTROL_PLANE = {"node-role.kubernetes.io/control-plane": ""}
WEB = endpoint("pod", "shop", "web", "10.0.0.1", labels={"app": "web"}, node="n1")
ENDPOINTS = (
    WEB,
    endpoint("node", None, "n1", "172.18.0.1", node="n1"),
    endpoint("node", None, "n2", "172.18.0.2", node="n2", labels=CONTROL_PLANE),
    endpoint("node", None, "n3", "172.18.0.3", node="n3"),
    endpoint("external", None, "198.51.100.7", "198.51.100.7"),
    replace(endpoint("external", None, "198.51.100.7", "198.51.100.7"), domain="db.example"),
    replace(endpoint("external", None, "198.51.100.8", "198.51.100.8"), domain="db.example"),
    endpoint("external", None, "203.0.113.9", "203.0.113.9"),
)
N1, N2 = (NodePeer(f"n{number}", addresses(f"172.18.0.{number}").networks, number == 1) for number in (1, 2))
DB = addresses("198.51.100.7", domain="db.example")


def verdicts(peer: Peer, dialect: Dialect, style: Style, port: PortRange = HTTP) -> tuple[set[int], set[int]]:
    """The endpoints that ``web`` may and may not connect to; of the others nobody knows."""
    found = recommendation(draft(egress=[allow(peer, ports=(port,))]), api_servers=frozenset({("172.18.0.2", 6443)}))
    policies = policies_of(documents_of(text(found, dialect, style), "the test"))
    others = np.arange(1, len(ENDPOINTS))
    number = port.first if port.first != NO_PORT else -1
    edges = Edges(np.zeros_like(others), others, np.full_like(others, port.protocol), np.full_like(others, number))
    judged = evaluate(policies, ENDPOINTS, edges)
    return set(others[judged.allowed].tolist()), set(others[judged.denied].tolist())


@pytest.mark.parametrize(
    ("peer", "style", "allowed"),
    [
        *((N1, style, {1}) for style in STYLES),
        (N2, CALICO, {2}),
        (N2, CILIUM, {1, 2, 3}),
        (DB, CALICO, {4, 5}),
        (DB, DOMAINS, {5, 6}),
        (DB, CILIUM, {5, 6}),
        *((addresses("198.51.100.8"), style, {6}) for style in STYLES),
        (WorldPeer(4, addresses("172.16.0.0/12").networks), CALICO, {4, 5, 6, 7}),
        (WorldPeer(4, addresses("172.16.0.0/12").networks), CILIUM, {4, 5, 6, 7}),
    ],
)
def test_who_is_named_is_allowed_and_nobody_else(peer: Peer, style: tuple[Dialect, Style], allowed: set[int]) -> None:
    assert verdicts(peer, *style) == (allowed, set(range(1, len(ENDPOINTS))) - allowed)


def test_a_domain_of_many_addresses_is_the_public_world_and_its_own_private_addresses() -> None:
    """Addresses without a name are never the world."""
    public, private = [f"203.0.{number}.7/32" for number in range(33)], ["10.200.0.1/32", "10.200.0.2/32"]

    def blocks(domain: str | None) -> list[dict[str, Any]]:
        one = draft(egress=[allow(addresses(*public, *private, domain=domain))])
        return [peer["ipBlock"] for peer in spec(one, Dialect.KUBERNETES)["egress"][0]["to"]]

    assert blocks(None) == [{"cidr": one} for one in (*public, *private)]
    world, *others = blocks("cdn.example")
    assert world["cidr"] == "0.0.0.0/0" and "10.0.0.0/8" in world["except"]
    assert others == [{"cidr": one} for one in private]


def test_the_api_server_is_the_node_that_runs_it() -> None:
    assert verdicts(N2, *CILIUM, PortRange(6, 6443, 6443))[0] == {2}


@pytest.mark.parametrize("protocol", [1, 47, 132])
def test_other_protocols_are_not_denied(protocol: int) -> None:
    """Which type of ICMP it was nobody knows, and Cilium wants one."""
    port = PortRange(132, 80, 80) if protocol == 132 else PortRange(protocol)
    peer = addresses("198.51.100.8")
    assert verdicts(peer, *CALICO, port) == ({6}, {1, 2, 3, 4, 5, 7})
    allowed, denied = verdicts(peer, *CILIUM, port)
    assert (allowed, denied) == (set() if protocol == 1 else {6}, {1, 2, 3, 4, 5, 7})
