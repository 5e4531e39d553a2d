from ipaddress import ip_network

import pytest

from analysis.policy.endpoints import ABSENT, NAMESPACE_NAME, Columns
from analysis.policy.selectors import Block, Operator, Pods, Requirement
from tests.support.policies import endpoint

WEB = {"app": "web"}
ROWS = (
    endpoint("pod", "shop", "web", "10.0.0.1", labels=WEB, namespace_labels={"team": "a"}, ports={"http": ("TCP", 80)}),
    endpoint("pod", "shop", "agent", "192.168.1.1", labels=WEB, ports={"http": ("TCP", 81)}, host_network=True),
    endpoint("pod", "lab", "web", None, labels={"app": ""}, namespace_labels={NAMESPACE_NAME: "forged"}),
    endpoint("node", None, "n1", "fd00::1", labels=WEB),
    endpoint("external", None, "10.0.0.2", "10.0.0.2"),
)


@pytest.fixture
def columns() -> Columns:
    return Columns(ROWS)


@pytest.mark.parametrize(
    ("selection", "rows"),
    [
        (Pods("shop", ()), [0]),
        (Pods("nobody", ()), []),
        (Pods((), ()), [0, 2]),
        (Pods((), (Requirement("app", Operator.IN, ("",)),)), [2]),
        (Pods((), (Requirement("app", Operator.NOT_IN, ("web", "never-seen")),)), [2]),
        (Pods((), (Requirement("tier", Operator.DOES_NOT_EXIST), Requirement("app", Operator.EXISTS))), [0, 2]),
        (Pods((Requirement("team", Operator.DOES_NOT_EXIST),), ()), [2]),
        (Pods((Requirement(NAMESPACE_NAME, Operator.IN, ("lab",)),), ()), [2]),
        (Block(ip_network("0.0.0.0/0")), [0, 1, 4]),
        (Block(ip_network("::/0")), [3]),
        (Block(ip_network("10.0.0.0/31")), [0]),
        (Block(ip_network("10.0.0.0/24"), (ip_network("10.0.0.1/32"), ip_network("10.0.0.2/32"))), []),
        (Block(ip_network("fd00::1/128")), [3]),
    ],
)
def test_whom_a_selector_matches(columns: Columns, selection: Pods | Block, rows: list[int]) -> None:
    assert columns.of(selection).nonzero()[0].tolist() == rows


def test_a_named_port_is_that_of_pods_with_an_address_of_their_own(columns: Columns) -> None:
    assert columns.port("http", 6).tolist() == [80, ABSENT, ABSENT, ABSENT, ABSENT]
    assert columns.port("http", 17).tolist() == [ABSENT] * 5


def test_no_endpoints_have_no_columns() -> None:
    assert Columns(()).of(Block(ip_network("10.0.0.0/8"))).tolist() == []
    assert Columns(()).of(Pods("shop", ())).tolist() == []


def test_many_networks_at_a_time_are_as_each_by_itself(columns: Columns) -> None:
    texts = ("10.0.0.0/31", "192.168.0.0/16", "10.0.0.2/32", "0.0.0.0/32", "fd00::/64", "fd00::100/128", "::/0")
    networks = [ip_network(text) for text in texts]
    for several in ([], networks, networks[:2], networks[2:], networks[3:6]):
        each = [columns.inside(network) for network in several]
        assert columns.inside_any(several).tolist() == [any(row) for row in zip(*each, strict=True)] or not several
    assert not columns.inside_any([]).any()


def test_the_ip_version_of_whom_nobody_knows_an_address_is_absent(columns: Columns) -> None:
    assert columns.versions.tolist() == [4, 4, ABSENT, 6, 4]
