"""Who reaches whom, and why not, in a small cluster."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from analysis.policy.dialects import read_policies
from analysis.policy.endpoints import Endpoint
from analysis.policy.grid import State
from analysis.policy.ports import told
from analysis.policy.reach import Reach, reach
from analysis.policy.rules import Policies
from contract.errors import QuestionError
from tests.support.policies import endpoint

POLICIES = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: api, namespace: shop}
spec:
  podSelector: {matchLabels: {app: api}}
  ingress:
    - {from: [{podSelector: {matchLabels: {app: web}}}], ports: [{port: http}]}
    - {from: [{ipBlock: {cidr: 10.0.1.0/24}}], ports: [{port: 9000}]}
"""


def pod(name: str, address: str | None, app: str, **more: Any) -> Endpoint:
    return endpoint("pod", "shop", name, address, labels={"app": app}, workload=("Deployment", app), **more)


CLUSTER = [
    pod("web-1", "10.0.0.1", "web"),
    pod("web-2", "10.0.0.2", "web"),
    pod("api-1", "10.0.0.3", "api", ports={"http": ("TCP", 8080)}, node="node-1"),
    pod("api-2", "10.0.0.4", "api", ports={"http": ("TCP", 8081)}, node="node-2"),
    pod("db-1", "10.0.1.5", "db"),
    endpoint("node", None, "node-1", "192.168.1.1", node="node-1"),
]


@pytest.fixture
def policies(tmp_path: Path) -> Policies:
    (tmp_path / "policies.yaml").write_text(POLICIES)
    return read_policies([str(tmp_path)])


def answers(found: Reach) -> list[tuple[str, str, int]]:
    return [(told(one.spans), one.state.name, len(one.pairs)) for one in found.answers]


def test_a_rule_that_names_both_peer_and_port_allows(policies: Policies) -> None:
    found = reach(policies, CLUSTER, "shop/web", "shop/api-1:8080")
    assert answers(found) == [("TCP 8080", "ALLOWED", 2)]
    assert found.reachable
    (answer,) = found.answers
    assert answer.egress == "allowed: no policy isolates it"
    assert answer.ingress.startswith("allowed by NetworkPolicy/shop/api ingress[0] in ")


def test_a_named_port_is_each_pods_own_number(policies: Policies) -> None:
    found = reach(policies, CLUSTER, "shop/web", "shop/api:http")
    assert answers(found) == [("TCP 8080", "ALLOWED", 2), ("TCP 8081", "ALLOWED", 2)]
    assert found.reachable


def test_pods_of_one_workload_may_differ(policies: Policies) -> None:
    found = reach(policies, CLUSTER, "shop/web", "shop/api:8080")
    assert answers(found) == [("TCP 8080", "ALLOWED", 2), ("TCP 8080", "DENIED", 2)]
    assert not found.reachable


def test_a_rule_that_has_the_port_or_the_peer_alone_is_near(policies: Policies) -> None:
    (answer,) = reach(policies, CLUSTER, "shop/web", "shop/api-1:9000").answers
    assert answer.ingress == "denied: isolated by NetworkPolicy/shop/api, and no rule of theirs names it"
    assert [line.partition(" in ")[0] for line in answer.near] == [
        "NetworkPolicy/shop/api ingress[0]",
        "NetworkPolicy/shop/api ingress[1]",
    ]
    assert answer.near[0].endswith("names the peer, but TCP http only")
    assert answer.near[1].endswith("opens the port, but not to this peer")


def test_without_a_port_every_port_is_told(policies: Policies) -> None:
    found = reach(policies, CLUSTER, "shop/web-1", "shop/api-2")
    assert answers(found) == [
        ("TCP 8081", "ALLOWED", 1),
        ("all other protocols", "UNDECIDED", 1),
        ("TCP 1-8080, 8082-65535; UDP; SCTP", "DENIED", 1),
    ]
    assert found.reachable


def test_an_address_of_a_pod_is_up_to_the_plugin(policies: Policies) -> None:
    (answer,) = reach(policies, CLUSTER, "10.0.1.5", "shop/api-1:9000").answers
    assert (answer.state, answer.by_address) == (State.ALLOWED, True)


def test_the_own_node_reaches_its_pod_and_no_other(policies: Policies) -> None:
    found = reach(policies, CLUSTER, "node-1", "shop/api:8080")
    assert answers(found) == [("TCP 8080", "ALLOWED", 1), ("TCP 8080", "DENIED", 1)]
    assert found.answers[0].ingress.startswith("always allowed")


def test_a_workload_and_itself_are_two_of_its_pods(policies: Policies) -> None:
    assert answers(reach(policies, CLUSTER, "shop/api", "shop/api:1")) == [("TCP 1", "DENIED", 2)]
    assert answers(reach(policies, CLUSTER, "shop/db", "shop/db:1")) == [("TCP 1", "ALLOWED", 1)]


@pytest.mark.parametrize(
    ("end", "kinds"),
    [
        ("198.51.100.7", ["198.51.100.7"]),
        ("2001:db8::1", ["2001:db8::1"]),
        ("Example.COM.", ["example.com"]),
        ("shop/Deployment/web", ["web-1", "web-2"]),
        ("shop/web-2", ["web-2"]),
        ("10.0.0.2", ["web-2"]),
    ],
)
def test_ends_as_a_user_names_them(policies: Policies, end: str, kinds: Sequence[str]) -> None:
    target = [pod("both", None, "both")]
    found = reach(policies, [*CLUSTER, *target], end, "shop/both:80")
    assert [one.name for one in found.src] == kinds


def test_an_end_with_a_port_may_be_an_ipv6_address(policies: Policies) -> None:
    (answer,) = reach(policies, [pod("six", "fd00::1", "six")], "shop/six", "[2001:db8::1]:443/udp").answers
    assert told(answer.spans) == "UDP 443"


@pytest.mark.parametrize(
    ("src", "dst", "words"),
    [
        ("shop/wbe", "shop/api:80", "nearest: shop/web"),
        ("web", "shop/api:80", "nearest: shop/web"),
        ("shop/web", "shop/api:htp", "named are: http (TCP 8080), http (TCP 8081)"),
        ("shop/web", "shop/api:0", "is no port"),
        ("shop/web", "shop/api:80/tpc", "is no protocol"),
        ("shop/web", "[2001:db8::1]:443", "IPv6"),
        ("\x1b]0;x\x07", "shop/api", "is nobody that is known"),
        ("shop/web", "", "is nobody that is known"),
    ],
)
def test_what_cannot_be_asked(policies: Policies, src: str, dst: str, words: str) -> None:
    with pytest.raises(QuestionError) as caught:
        reach(policies, CLUSTER, src, dst)
    assert words in str(caught.value)
