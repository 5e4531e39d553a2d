"""What is drawn of a set of policies: each edge with what becomes of it, and why."""

from pathlib import Path
from typing import Any

import pytest

from analysis.policy.dialects import policies_of
from analysis.policy.documents import documents_of
from analysis.policy.endpoints import Endpoint
from analysis.policy.history import History, read_history, window_of
from analysis.policy.picture.edges import State
from analysis.policy.picture.ends import End, Scope, within
from analysis.policy.picture.never_used import MOST_PEERS
from analysis.policy.picture.picture import MOST_UNUSED, Picture, line_of, picture
from analysis.policy.rules import Action, Direction, Policies, PortRange, Rule, Section
from analysis.policy.selectors import Pods
from tests.support.history import Row, endpoint, flow, make_history, node, outside, pod
from tests.support.lake import HOSTILE

WEB, API, DB = pod("web", "10.0.0.1"), pod("api", "10.0.0.2"), pod("db", "10.0.0.3")
FAR = pod("far", "10.1.0.1", "other")
KNOWN = [endpoint(one) for one in (WEB, API, DB, FAR)]
SHOP = Scope("shop")
REFUSED = {"connection_state": "REJ", "dst_packets": 1, "dst_bytes": 40}

API_FROM_WEB = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: api, namespace: shop}
spec:
  podSelector: {matchLabels: {app: api}}
  policyTypes: [Ingress, Egress]
  ingress:
    - from: [{podSelector: {matchLabels: {app: web}}}]
      ports: [{port: 80}]
"""


def history(folder: Path, flows: list[Row], known: list[Endpoint] = KNOWN) -> History:
    lake = make_history(folder / "lake", flows)
    window = window_of(lake, None, None)
    assert window is not None
    return read_history(lake, known, window)


def drawn(folder: Path, policies: str, flows: list[Row], scope: Scope = SHOP, **more: Any) -> Picture:
    read = policies_of(documents_of(policies, "policies.yaml"))
    known = more.pop("known", KNOWN)
    return picture(read, history(folder, flows, known), known, scope, **more)


def edges(found: Picture) -> dict[tuple[str, str, str], Row]:
    """By the names of the ends, and the port or what is told of it."""
    return {
        (row["src_name"], row["dst_name"], row["ports"] or str(row["port"])): row for row in found.edges.to_pylist()
    }


def test_each_edge_has_what_becomes_of_it_and_the_rule_on_either_side(tmp_path: Path) -> None:
    flows = [flow(0, WEB, API), flow(1, API, DB, 5432), flow(2, DB, API, 80, **REFUSED), flow(3, WEB, DB, 5432)]
    found = edges(drawn(tmp_path, API_FROM_WEB, flows))
    told = {edge: (row["state"], row["leaving"], row["entering"], row["why"]) for edge, row in found.items()}
    assert told == {
        ("web", "api", "80"): (
            State.ALLOWED,
            "allowed: no policy isolates it",
            "allowed by NetworkPolicy/shop/api ingress[0]",
            "",
        ),
        ("api", "db", "5432"): (
            State.DENIED,
            "denied: isolated by NetworkPolicy/shop/api, and no rule of theirs names it",
            "allowed: no policy isolates it",
            "",
        ),
        ("db", "api", "80"): (
            State.LEFT_OUT,
            "allowed: no policy isolates it",
            "denied: isolated by NetworkPolicy/shop/api, and no rule of theirs names it",
            "never answered, or always refused",
        ),
        ("web", "db", "5432"): (
            State.ALLOWED,
            "allowed: no policy isolates it",
            "allowed: no policy isolates it",
            "",
        ),
    }


def test_rules_that_almost_allow_what_is_denied_are_told(tmp_path: Path) -> None:
    found = edges(drawn(tmp_path, API_FROM_WEB, [flow(0, WEB, API, 81), flow(1, WEB, API)]))
    assert found["web", "api", "81"]["near"] == ["NetworkPolicy/shop/api ingress[0] names the peer, but TCP 80 only"]
    assert found["web", "api", "80"]["near"] == []


def test_what_was_not_learned_says_why_even_if_it_was_answered(tmp_path: Path) -> None:
    ends = End("pod", "shop", "Deployment", "db"), End("pod", "shop", "Deployment", "api")
    found = edges(drawn(tmp_path, API_FROM_WEB, [flow(0, DB, API)], left_out={(*ends, 6, 80): "part of a scan"}))
    row = found["db", "api", "80"]
    assert (row["state"], row["why"]) == (State.LEFT_OUT, "part of a scan")


def test_an_edge_of_which_one_pod_is_denied_is_two(tmp_path: Path) -> None:
    other = pod("web", "10.0.0.9", number=1, labels=[("app", "old")])
    found = drawn(tmp_path, API_FROM_WEB, [flow(0, WEB, API), flow(1, other, API)], known=[*KNOWN, endpoint(other)])
    states = [row["state"] for row in found.edges.to_pylist() if row["connections"]]
    assert sorted(states) == [State.ALLOWED, State.DENIED]
    graph = found.graph()
    assert graph.number_of_edges("pod/shop/Deployment/web", "pod/shop/Deployment/api") == 2
    assert all(graph.has_edge(*line_of(row)) for row in found.edges.to_pylist())


def test_only_what_touches_the_scope_is_drawn(tmp_path: Path) -> None:
    flows = [flow(0, WEB, API), flow(1, FAR, API), flow(2, FAR, outside("203.0.113.1")), flow(3, node(), DB)]
    found = edges(drawn(tmp_path / "all", API_FROM_WEB, flows))
    assert set(found) == {("web", "api", "80"), ("far", "api", "80"), ("node-1", "db", "80")}
    found = edges(drawn(tmp_path / "one", API_FROM_WEB, flows, Scope("shop", "db")))
    assert set(found) == {("node-1", "db", "80")}
    whole = history(tmp_path / "within", flows)
    assert within(whole, KNOWN, Scope("other")).rows["connections"].to_pylist() == [1, 1]


def test_icmp_is_not_decided(tmp_path: Path) -> None:
    found = drawn(tmp_path, API_FROM_WEB, [flow(0, WEB, API, None, protocol=1, src_port=None)])
    (row,) = (row for row in found.edges.to_pylist() if row["connections"])
    assert row["state"] == State.UNDECIDED
    assert row["entering"].endswith("isolated by NetworkPolicy/shop/api, and no policy can name the protocol")


def test_a_service_that_hides_its_pod_is_not_decided(tmp_path: Path) -> None:
    service = {"kind": "service", "ip": "10.96.0.1", "namespace": "shop"}
    found = edges(drawn(tmp_path, API_FROM_WEB, [flow(0, WEB, service), flow(1, WEB, API)]))
    assert found["web", "10.96.0.1", "80"]["state"] == State.UNDECIDED


def test_what_a_rule_allows_and_nobody_used_is_drawn(tmp_path: Path) -> None:
    found = drawn(tmp_path, API_FROM_WEB, [flow(0, WEB, DB, 5432)])
    row = edges(found)["web", "api", "TCP 80"]
    assert (row["state"], row["connections"], row["entering"]) == (State.UNUSED, 0, "allowed, and nobody used it")
    assert found.counts()[State.UNUSED] == 1
    assert (found.decided_by(0).num_rows, found.rules["edges"].to_pylist()) == (1, [0])


def test_a_rule_that_the_other_side_does_not_allow_is_no_unused_edge(tmp_path: Path) -> None:
    closed = (
        API_FROM_WEB.replace("name: api", "name: closed").replace("app: api", "app: web").partition("  ingress:")[0]
    )
    found = drawn(tmp_path, f"{API_FROM_WEB}---{closed}", [flow(0, WEB, DB, 5432)])
    assert found.counts()[State.UNUSED] == 0


def test_ports_that_nobody_used_of_one_rule_are_one_edge(tmp_path: Path) -> None:
    several = API_FROM_WEB.replace("[{port: 80}]", "[{port: 80}, {port: 81}, {port: 90, endPort: 99}]")
    found = edges(drawn(tmp_path, several, [flow(0, WEB, API, 80)]))
    assert [edge for edge, row in found.items() if row["state"] == State.UNUSED] == [
        ("web", "api", "TCP 81, TCP 90-99")
    ]


def test_many_that_a_rule_names_are_one_node(tmp_path: Path) -> None:
    many = [pod(f"peer-{number}", f"10.2.0.{number}") for number in range(MOST_PEERS + 1)]
    wide = API_FROM_WEB.replace(
        "matchLabels: {app: web}", "matchExpressions: [{key: app, operator: NotIn, values: [web, api, db]}]"
    )
    known = [*KNOWN, *map(endpoint, many)]
    found = drawn(tmp_path, wide, [flow(0, WEB, DB, 5432)], known=known)
    (row,) = (row for row in found.edges.to_pylist() if row["state"] == State.UNUSED)
    assert (row["src_name"], row["src_kind"]) == (f"{MOST_PEERS + 1} workloads", "several")
    assert row["src_workload_kind"] == ", ".join(f"shop/peer-{number}" for number in range(MOST_PEERS + 1))


@pytest.mark.parametrize(("peer", "told"), [("ipBlock: {cidr: 192.0.2.0/24}", "192.0.2.0/24"), ("", "everybody")])
def test_addresses_that_nobody_used_are_told_by_the_rule(tmp_path: Path, peer: str, told: str) -> None:
    rule = f"    - ports: [{{port: 443}}]\n      to: [{{{peer}}}]\n" if peer else "    - ports: [{port: 443}]\n"
    found = drawn(tmp_path, f"{API_FROM_WEB}  egress:\n{rule}", [flow(0, WEB, API)])
    assert edges(found)["api", told, "TCP 443"]["state"] == State.UNUSED
    (egress,) = (row for row in found.rules.to_pylist() if row["direction"] == "egress")
    assert (egress["peers"], egress["ports"], egress["name"]) == (told, "TCP 443", "api egress[0]")


def test_a_block_is_told_with_the_domains_that_history_has_in_it(tmp_path: Path) -> None:
    rule = "  egress:\n    - to: [{ipBlock: {cidr: 192.0.2.0/24, except: [192.0.2.8/29]}}]\n"
    flows = [flow(0, API, outside("192.0.2.1"), 443, dst_domain="a.example"), flow(1, API, outside("192.0.2.2"), 443)]
    found = drawn(tmp_path, API_FROM_WEB + rule, flows)
    (egress,) = (row for row in found.rules.to_pylist() if row["direction"] == "egress")
    assert egress["peers"] == "192.0.2.0/24 but 192.0.2.8/29 (a.example)"
    assert egress["edges"] == 2


def test_too_many_unused_edges_are_counted(tmp_path: Path) -> None:
    pods = [pod(f"p{number}", f"10.2.1.{number}") for number in range(MOST_UNUSED + 5)]
    policies = "---".join(
        API_FROM_WEB.replace("name: api", f"name: p{number}").replace("app: api", f"app: p{number}")
        for number in range(len(pods))
    )
    found = drawn(tmp_path, policies, [flow(0, WEB, DB, 5432)], known=[*KNOWN, *map(endpoint, pods)])
    assert (found.counts()[State.UNUSED], found.unshown) == (MOST_UNUSED, 5)


def test_whom_nothing_isolates_is_told(tmp_path: Path) -> None:
    found = drawn(tmp_path, API_FROM_WEB, [flow(0, WEB, API)])
    assert found.open_sides == [
        "No policy isolates the ingress of shop/db, shop/web: they may be reached by everybody.",
        "No policy isolates the egress of shop/db, shop/web: they may talk to everybody.",
    ]


def test_dns_and_nodes_are_hidden_only_where_they_are_allowed(tmp_path: Path) -> None:
    found = drawn(tmp_path, API_FROM_WEB, [flow(0, WEB, DB, 53), flow(1, API, DB, 53), flow(2, node(), DB)])
    hidden = found.graph(frozenset({"dns", "nodes", "unused"}))
    assert [(source, target) for source, target in hidden.edges()] == [
        ("pod/shop/Deployment/api", "pod/shop/Deployment/db")
    ]


def test_rules_that_deny_or_that_no_record_can_tell(tmp_path: Path) -> None:
    every = [flow(0, WEB, API), flow(1, DB, API, 5432)]
    denied = Rule("Deny/one ingress[0]", ports=(PortRange(6, 80, 80),), action=Action.DENY)
    unsure = Rule("Odd/one ingress[1]", ports=(PortRange(6, 5432, 5432),), unsure="a source port")
    section = Section("Deny/one ingress", Direction.INGRESS, Pods("shop", ()), (denied, unsure))
    whole = history(tmp_path, every)
    found = edges(picture(Policies([section]), whole, KNOWN, SHOP))
    told = {edge: (row["state"], row["entering"], row["why"]) for edge, row in found.items()}
    assert told == {
        ("web", "api", "80"): (State.DENIED, "denied by Deny/one ingress[0]", ""),
        ("db", "api", "5432"): (
            State.UNDECIDED,
            "not decided: Odd/one ingress[1] hangs on a source port, which no flow record tells",
            "",
        ),
    }


def test_names_of_strangers_stay_what_they_are(tmp_path: Path) -> None:
    strange = [pod(name, f"10.3.0.{number}", name) for number, name in enumerate(HOSTILE)]
    known = [*KNOWN, *map(endpoint, strange)]
    found = drawn(tmp_path, API_FROM_WEB, [flow(number, one, API) for number, one in enumerate(strange)], known=known)
    assert {row["src_name"] for row in found.edges.to_pylist() if row["connections"]} == set(HOSTILE)
    assert found.counts()[State.DENIED] == len(HOSTILE)
