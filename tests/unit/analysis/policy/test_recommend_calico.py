from typing import Any

import pytest

from analysis.policy.endpoints import Workload
from analysis.policy.recommend.calico_selector import either, selector_text, warnings
from analysis.policy.recommend.dialects import Dialect
from analysis.policy.recommend.model import EveryPod, NodePeer, Peer, Port, Style, WorldPeer
from analysis.policy.rules import NamedPort, PortRange
from analysis.policy.selectors import LabelSelector, Operator, Requirement
from tests.support.recommendations import HTTP, addresses, allow, documents, draft, pods, recommendation, spec, text

TO_API = draft(egress=[allow(pods("api"))])
NODE = addresses("172.18.0.11").networks


def entity(*peers: Peer) -> list[dict[str, Any]]:
    """Where a rule leads to, without its ports."""
    found = spec(draft(egress=[allow(*peers)]), Dialect.CALICO)["egress"]
    return [{key: value for key, value in rule["destination"].items() if key != "ports"} for rule in found]


def test_default_deny_is_judged_last() -> None:
    found = documents(recommendation(TO_API), Dialect.CALICO)
    deny = found["tailrace-default-deny"]["spec"]
    assert deny == {"order": 9000, "selector": "all()", "types": ["Ingress", "Egress"]}
    assert all(one["spec"].get("order", 1000) == 1000 for name, one in found.items() if name != "tailrace-default-deny")


def test_every_pod_may_ask_the_dns() -> None:
    found = documents(recommendation(TO_API), Dialect.CALICO)["tailrace-dns"]["spec"]
    assert (found["selector"], found["types"]) == ("all()", ["Egress"])
    assert [(rule["protocol"], rule["destination"]["ports"]) for rule in found["egress"]] == [
        ("TCP", [53]),
        ("UDP", [53]),
    ]
    assert found["egress"][0]["destination"]["namespaceSelector"] == "kubernetes.io/metadata.name == 'kube-system'"


def test_a_rule_has_the_ports_of_the_destination_in_either_direction() -> None:
    found = spec(draft(ingress=[allow(pods("api"))], egress=[allow(pods("api"))]), Dialect.CALICO)
    assert found["selector"] == "app == 'web'"
    assert found["ingress"] == [
        {
            "action": "Allow",
            "protocol": "TCP",
            "source": {"selector": "app == 'api'"},
            "destination": {"ports": [80]},
        }
    ]
    assert found["egress"] == [
        {"action": "Allow", "protocol": "TCP", "destination": {"selector": "app == 'api'", "ports": [80]}}
    ]


@pytest.mark.parametrize(
    ("peers", "entities"),
    [
        ((pods("api"), pods("db")), [{"selector": "(app == 'api') || (app == 'db')"}]),
        (
            (pods("db", "data"), pods("api")),
            [
                {"namespaceSelector": "kubernetes.io/metadata.name == 'data'", "selector": "app == 'db'"},
                {"selector": "app == 'api'"},
            ],
        ),
        ((EveryPod(),), [{"namespaceSelector": "all()"}]),
        (
            (NodePeer("n2", addresses("172.18.0.12").networks, False), NodePeer("n1", NODE, True)),
            [{"nets": ["172.18.0.11/32", "172.18.0.12/32"]}],
        ),
        ((addresses("198.51.100.7", "2001:db8::1"),), [{"nets": ["198.51.100.7/32"]}, {"nets": ["2001:db8::1/128"]}]),
        (
            (WorldPeer(4, addresses("10.0.0.0/8").networks), WorldPeer(6, ())),
            [{"nets": ["0.0.0.0/0"], "notNets": ["10.0.0.0/8"]}, {"nets": ["::/0"]}],
        ),
    ],
)
def test_peers(peers: tuple[Peer, ...], entities: list[dict[str, Any]]) -> None:
    assert entity(*peers) == entities


@pytest.mark.parametrize(
    ("ports", "rules"),
    [
        ((HTTP, PortRange(6, 8000, 8010), NamedPort(6, "metrics")), [("TCP", [80, "8000:8010", "metrics"])]),
        ((PortRange(132, 9, 9), PortRange(17, 53, 53)), [("UDP", [53]), ("SCTP", [9])]),
        ((PortRange(1), PortRange(47)), [("ICMP", None), (47, None)]),
        ((PortRange(58),), []),
        ((PortRange(6, 0, 0), PortRange(17, 0, 9)), [("UDP", ["1:9"])]),
        ((PortRange(0),), [(None, None)]),
        (
            [PortRange(6, one, one) for one in range(1, 121, 2)],
            [("TCP", list(range(1, 100, 2))), ("TCP", list(range(101, 121, 2)))],
        ),
    ],
)
def test_ports(ports: tuple[Port, ...], rules: list[tuple[Any, Any]]) -> None:
    """ICMPv6 says nothing of an IPv4 address."""
    found = spec(draft(egress=[allow(addresses("198.51.100.7"), ports=ports)]), Dialect.CALICO).get("egress", [])
    assert [(rule.get("protocol"), rule["destination"].get("ports")) for rule in found] == rules


def test_a_node_may_always_connect_to_its_pods() -> None:
    """Its pods to it only where a policy allows it."""
    own = allow(NodePeer("n1", NODE, True))
    assert spec(draft(ingress=[own]), Dialect.CALICO)["ingress"] == []
    for one in (draft(ingress=[own]), draft(ingress=[own, allow(pods("api"))])):
        found = text(recommendation(one), Dialect.CALICO)
        assert "# No rule: a node may always connect to the pods that run on it.\n" in found
    assert entity(NodePeer("n1", NODE, True)) == [{"nets": ["172.18.0.11/32"]}]


def test_a_domain_is_a_network_set_that_rules_select_by_its_label() -> None:
    one = addresses("198.51.100.7", domain="db.example")
    other = addresses("2001:db8::1", "198.51.100.7", domain="db.example")
    job = Workload("shop", "job", "Job")
    found = documents(
        recommendation(draft(egress=[allow(one)]), draft(egress=[allow(other)], workload=job)), Dialect.CALICO
    )
    (name,) = (name for name, document in found.items() if document["kind"] == "NetworkSet")
    assert name == "tailrace-db-example-b1bfbb98"
    assert found[name]["metadata"]["labels"]["tailrace/network-set"] == name
    assert found[name]["spec"] == {"nets": ["198.51.100.7/32", "2001:db8::1/128"]}
    for policy in ("tailrace-web", "tailrace-job"):
        (rule,) = found[policy]["spec"]["egress"]
        assert rule["destination"] == {"selector": f"tailrace/network-set == '{name}'", "ports": [80]}


def test_domains_of_enterprise_need_no_addresses() -> None:
    made = recommendation(draft(egress=[allow(addresses("198.51.100.7", domain="db.example"))]))
    found = documents(made, Dialect.CALICO, Style(domains=True))
    (one,) = (document for document in found.values() if document["kind"] == "NetworkSet")
    assert one["spec"] == {"allowedEgressDomains": ["db.example"]}
    warning = "# Warning: these are the addresses that db.example had; it may have others tomorrow.\n"
    assert warning in text(made, Dialect.CALICO) and warning not in text(made, Dialect.CALICO, Style(domains=True))


@pytest.mark.parametrize("domain", ["a b", "-x.example", "*.example", "ü.example", "a" * 300, "a..example"])
def test_what_is_no_domain_stays_addresses(domain: str) -> None:
    made = recommendation(draft(egress=[allow(addresses("198.51.100.7", domain=domain))]))
    (one,) = (
        document
        for document in documents(made, Dialect.CALICO, Style(domains=True)).values()
        if document["kind"] == "NetworkSet"
    )
    assert one["spec"] == {"nets": ["198.51.100.7/32"]}


def test_many_addresses_are_a_network_set() -> None:
    many = addresses(*(f"198.51.100.{number}" for number in range(17)))
    found = documents(recommendation(draft(egress=[allow(many)])), Dialect.CALICO)
    (one,) = (document for document in found.values() if document["kind"] == "NetworkSet")
    assert len(one["spec"]["nets"]) == 17
    assert entity(many) == [{"selector": f"tailrace/network-set == '{one['metadata']['name']}'"}]


def test_staged_policies_are_the_same_but_for_their_kind() -> None:
    made = recommendation(draft(egress=[allow(addresses("198.51.100.7", domain="db.example"))]))
    plain, staged = documents(made, Dialect.CALICO), documents(made, Dialect.CALICO, Style(staged=True))
    assert {one["kind"] for one in staged.values()} == {"StagedNetworkPolicy", "NetworkSet"}
    for name, one in staged.items():
        if one["kind"] != "NetworkSet":
            assert one["spec"].pop("stagedAction") == "Set"
            one["kind"] = one["kind"].removeprefix("Staged")
        assert one == plain[name]


def test_no_name_is_taken_twice() -> None:
    named = [Workload("shop", name, "Deployment") for name in ("dns", "default-deny", "web", "Web")]
    found = documents(
        recommendation(
            *(draft(egress=[allow(pods("api"))], workload=one) for one in named), taken={"shop": ("tailrace-web",)}
        ),
        Dialect.CALICO,
    )
    assert len(found) == 6
    assert "tailrace-web" not in found


def test_selectors_of_many_workloads_are_split_where_calico_ends() -> None:
    long = [pods("a" * 60 + str(number)) for number in range(20)]
    found = [one["selector"] for one in entity(*long)]
    assert [len(one) <= 1024 for one in found] == [True, True]
    assert " || ".join(found).count("app == ") == 20


IN, NOT_IN, EXISTS, ABSENT = Operator


@pytest.mark.parametrize(
    ("selector", "written"),
    [
        ((), "all()"),
        ((Requirement("app", IN, ("a",)), Requirement("x/y", IN, ("b", "c"))), "app == 'a' && x/y in {'b', 'c'}"),
        ((Requirement("app", NOT_IN, ("a", "b")),), "app not in {'a', 'b'}"),
        ((Requirement("app", EXISTS), Requirement("b", ABSENT)), "has(app) && !has(b)"),
        ((Requirement("app", IN, ("",)),), "app == ''"),
        ((Requirement("app", IN, ("it's",)),), 'app == "it\'s"'),
        ((Requirement("app", IN, ("a'b\"c",)),), "((app starts with \"a'b\" && app ends with '\"c'))"),
        (
            (Requirement("app", IN, ("x", "a'b\"c'd")),),
            "(app == 'x' || (app starts with \"a'b\" && app contains '\"c' && app ends with \"'d\"))",
        ),
        ((Requirement("app", NOT_IN, ("'\"",)),), "all()"),
        ((Requirement("a b", IN, ("x",)), Requirement("a", EXISTS)), "has(a)"),
    ],
)
def test_a_selector_in_the_language_of_calico(selector: LabelSelector, written: str) -> None:
    assert selector_text(selector) == written


def test_what_the_language_cannot_say_is_said() -> None:
    selector = (Requirement("a b", IN, ("x",)), Requirement("app", IN, ("'\"",)), Requirement("ok", IN, ("x",)))
    assert list(warnings(selector)) == [
        "Warning: Calico cannot name the label a b: whoever differs in it alone is selected too.",
        "Warning: Calico cannot quote what the label app is: all that has its pieces is selected.",
    ]
    assert "# Warning: Calico cannot name the label a b" in text(
        recommendation(draft(selector=selector)), Dialect.CALICO
    )
    assert either(["a == 'b'", "a == 'b'"]) == "a == 'b'"
