"""Ports, addresses outside and names, as rules have them."""

import ipaddress
from datetime import timedelta
from typing import Any

import pytest

from analysis.policy.endpoints import Workload
from analysis.policy.recommend.model import AddressPeer, Evidence, Outside, WorldPeer, network_of
from analysis.policy.recommend.names import LONGEST, policy_names
from analysis.policy.recommend.outside import destination_rules, source_rules
from analysis.policy.recommend.ports import differing, ports_of, widened
from analysis.policy.rules import NO_PORT, NamedPort, PortRange
from tests.support.history import NOON, endpoint, pod

WEB = Workload("shop", "web", "Deployment")
RANGES = (ipaddress.ip_network("10.244.0.0/16"), ipaddress.ip_network("fd00::/48"))


def tcp(first: int, last: int | None = None) -> PortRange:
    return PortRange(6, first, last or first)


def seen(src: Any, dst: Any, port: int = 443) -> Evidence:
    return Evidence(src, dst, 6, port, 1, 0, 0, 100, NOON, NOON + timedelta(seconds=1))


@pytest.mark.parametrize(
    "numbers, ports, wider",
    [
        ([80, 443], (tcp(80), tcp(443)), []),
        ([8080, 8081], (tcp(8080), tcp(8081)), []),
        ([8080, 8081, 8082, 9000], (tcp(8080, 8082), tcp(9000)), []),
        ([21, *range(40000, 40100, 2)], (tcp(21), tcp(40000, 40098)), [(tcp(40000, 40098), 49)]),
        ([NO_PORT], (PortRange(6),), []),
    ],
)
def test_ports_are_numbers_neighbours_ranges(
    numbers: list[int], ports: tuple[PortRange, ...], wider: list[tuple[PortRange, int]]
) -> None:
    numbered = [(6, number) for number in numbers]
    assert ports_of(numbered, {}) == ports
    assert widened(numbered, ports) == wider


def test_no_range_is_wider_over_what_is_shut() -> None:
    numbered = [(6, number) for number in range(2000, 4000, 100)]
    assert ports_of(numbered, {}, [(6, 2000), (6, 2550), (6, 2560), (17, 3000)]) == (
        tcp(2000),
        tcp(2100, 2500),
        tcp(2600, 3900),
    )


def named(**ports: int) -> Any:
    return endpoint(pod("api", "10.0.0.2"), ports={name: ("TCP", number) for name, number in ports.items()})


def test_a_name_where_the_pods_give_it_several_numbers() -> None:
    names = differing([named(http=8080, metrics=9100), named(http=9090, metrics=9100)], ())
    assert ports_of([(6, 8080), (6, 9090), (6, 9100)], names) == (tcp(9100), NamedPort(6, "http"))


def test_no_name_that_a_pod_which_is_gone_did_not_have() -> None:
    old = named()
    assert differing([named(http=8080), named(http=9090)], [(old, (6, 8080))]) == {}


def test_few_sources_are_listed_many_are_everybody() -> None:
    def peers(addresses: list[str]) -> tuple[Any, ...]:
        (found,) = source_rules([seen(Outside(one), WEB) for one in addresses], {}, RANGES)
        return (*found.peers, *found.notes)

    few = ["203.0.113.9", "2001:db8::1"]
    assert peers(few) == (AddressPeer((network_of("203.0.113.9"), network_of("2001:db8::1")), None),)
    office = [f"203.0.113.{number}" for number in range(20)]
    assert peers(office) == (
        AddressPeer((ipaddress.ip_network("203.0.113.0/24"),), None),
        "20 addresses of these networks connected",
    )
    public = [f"203.0.{number}.1" for number in range(20)]
    told = "20 addresses outside connected: everybody outside the cluster is allowed"
    assert peers(public) == (WorldPeer(4, RANGES[:1]), told)
    assert peers([*public, "2001:db8::1"])[:2] == (WorldPeer(4, RANGES[:1]), WorldPeer(6, RANGES[1:]))


def test_a_domain_is_a_rule_of_its_own() -> None:
    edges = [
        seen(WEB, Outside("198.51.100.2", "b.example")),
        seen(WEB, Outside("198.51.100.1", "b.example"), 80),
        seen(WEB, Outside("198.51.100.3", "a.example")),
        seen(WEB, Outside("198.51.100.4")),
        seen(WEB, Outside("198.51.100.5")),
        seen(WEB, Outside("198.51.100.6"), 8443),
    ]
    found = [
        (rule.peers, [port.first for port in rule.ports if isinstance(port, PortRange)])
        for rule in destination_rules(edges)
    ]
    assert found == [
        ((AddressPeer((network_of("198.51.100.3"),), "a.example"),), [443]),
        ((AddressPeer((network_of("198.51.100.1"), network_of("198.51.100.2")), "b.example"),), [80, 443]),
        ((AddressPeer((network_of("198.51.100.4"), network_of("198.51.100.5")), None),), [443]),
        ((AddressPeer((network_of("198.51.100.6"),), None),), [8443]),
    ]


def test_many_destinations_without_a_name_are_their_sites() -> None:
    def rule(addresses: list[str]) -> Any:
        (found,) = destination_rules([seen(WEB, Outside(one)) for one in addresses])
        (peer,) = found.peers
        assert isinstance(peer, AddressPeer)
        return [str(network) for network in peer.networks], found.notes

    sites = [f"203.0.{number}.1" for number in range(30)]
    office = [f"198.51.100.{number}" for number in range(3)]
    machines = [f"192.168.0.{number}" for number in range(3)]
    assert rule(sites) == ([f"{one}/32" for one in sites], ())
    assert rule([*sites, *office, *machines]) == (
        [*(f"{one}/32" for one in machines), "198.51.100.0/24", *(f"{one}/32" for one in sites)],
        ("36 addresses outside without a name are 34 addresses and networks (/24, /64), which are allowed whole",),
    )
    far = [f"10.200.{number}.7" for number in range(33)]
    told = "33 addresses outside without a name are listed one by one; tomorrow there may be others"
    assert rule(far) == ([f"{one}/32" for one in far], (told,))


def test_names_of_policies() -> None:
    workloads = [
        Workload("shop", "api", "Deployment"),
        Workload("shop", "web", "Deployment"),
        Workload("shop", "web", "StatefulSet"),
        Workload("shop", "x" * 300, "Deployment"),
        Workload("shop", "\u202eevil\n", "Pod"),
        Workload("shop", "taken", "Deployment"),
    ]
    names = policy_names(workloads, ["tailrace-taken"])
    assert names[workloads[0]] == "tailrace-api"
    assert len(set(names.values())) == len(workloads)
    assert all(len(name) <= LONGEST and name.startswith("tailrace-") for name in names.values())
    assert names[workloads[4]].startswith("tailrace-evil-")
    assert policy_names(list(reversed(workloads)), ["tailrace-taken"]) == names
