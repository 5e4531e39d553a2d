"""What history says of rules, of ends and of differences, on a history written by hand."""

from datetime import timedelta
from pathlib import Path

import pytest

from analysis.policy.dialects import read_policies
from analysis.policy.diff import diff
from analysis.policy.explain import explain
from analysis.policy.history import History
from analysis.policy.ports import Span
from analysis.policy.replay import Asked, asked_history, replay_on
from analysis.policy.rules import Policies
from analysis.policy.seen import seen
from contract.errors import QuestionError
from tests.support.history import NOON, endpoint, flow, make_history, node, outside, pod

WEB, API, DB = pod("web", "10.0.0.1"), pod("api", "10.0.0.2"), pod("db", "10.0.0.3", node="node-2")
GONE = pod("gone", "10.0.0.9")
KNOWN = [endpoint(one) for one in (WEB, API, DB, node("node-1"))]
PARTNER = outside("198.51.100.7")

POLICIES = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: broad, namespace: shop}
spec: {podSelector: {matchLabels: {app: db}}, ingress: [{from: [{podSelector: {}}]}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: narrow, namespace: shop}
spec:
  podSelector: {matchLabels: {app: db}}
  ingress:
    - {from: [{podSelector: {matchLabels: {app: api}}}], ports: [{port: 5432}]}
    - {from: [{podSelector: {matchLabels: {app: nobody}}}]}
"""


@pytest.fixture
def policies(tmp_path: Path) -> Policies:
    (tmp_path / "policies.yaml").write_text(POLICIES)
    return read_policies([str(tmp_path / "policies.yaml")])


@pytest.fixture
def history(tmp_path: Path) -> History:
    rows = [flow(number, API, DB, 5432) for number in range(3)]
    rows += [flow(3, WEB, DB, 5432), flow(4, GONE, DB, 80), flow(5, WEB, API, 8080), flow(6, API, PARTNER, 443)]
    rows += [flow(7, API, DB, 0), flow(8, node("node-1"), API, 8080)]
    return asked_history(make_history(tmp_path / "lake", rows), KNOWN, Asked())


def told(policies: Policies, history: History, text: str) -> list[tuple[object, ...]]:
    names = ("src_name", "dst_name", "port", "connections", "decided_by")
    return [tuple(row[name] for name in names) for row in explain(policies, history, text).rows.to_pylist()]


def test_a_rule_has_the_edges_that_it_decides_most_used_first(policies: Policies, history: History) -> None:
    assert told(policies, history, "broad") == [
        ("api", "db", 5432, 3, None),
        ("api", "db", 0, 1, None),
        ("gone", "db", 80, 1, None),
        ("web", "db", 5432, 1, None),
    ]


def test_what_another_rule_decides_is_told_with_that_rule(policies: Policies, history: History) -> None:
    ((*edge, decided_by),) = told(policies, history, "narrow ingress[0]")
    assert edge == ["api", "db", 5432, 3]
    assert str(decided_by).startswith("NetworkPolicy/shop/broad ingress[0] in ")


def test_rules_that_nothing_used_are_listed(policies: Policies, history: History) -> None:
    found = explain(policies, history)
    assert [one.rule.origin.partition(" in ")[0] for one in found.unused] == ["NetworkPolicy/shop/narrow ingress[1]"]
    assert found.summary == "2 of 3 rules used by anything that history has."


def test_times_and_failures_are_those_of_the_edge(tmp_path: Path, policies: Policies) -> None:
    rows = [flow(0, API, DB, 5432), flow(9, API, DB, 5432, connection_state="S0", dst_bytes=0)]
    found = explain(policies, asked_history(make_history(tmp_path / "lake", rows), KNOWN, Asked()), "broad").rows
    (row,) = found.to_pylist()
    assert (row["connections"], row["failed"]) == (2, 1)
    assert (row["first_seen"], row["last_seen"]) == (NOON, NOON + timedelta(seconds=10))


def test_no_rule_of_that_name_is_an_error_with_the_nearest(policies: Policies, history: History) -> None:
    with pytest.raises(QuestionError) as caught:
        explain(policies, history, "brood")
    assert "the nearest is NetworkPolicy/shop/broad ingress[0]" in str(caught.value)


def test_what_history_saw_between_two_ends(history: History) -> None:
    every = [Span(6, 0, 65535)]
    assert [(row["port"], row["connections"]) for row in seen(history, "shop/api", "shop/db", every).to_pylist()] == [
        (0, 1),
        (5432, 3),
    ]
    assert seen(history, "shop/api", "shop/db:5432", [Span(6, 5432, 5432)]).num_rows == 1
    assert seen(history, "shop/gone", "shop/db", every)["port"].to_pylist() == [80]
    assert seen(history, "shop/api", "198.51.100.7", every)["port"].to_pylist() == [443]
    assert seen(history, "node-1", "shop/api", every)["port"].to_pylist() == [8080]
    assert seen(history, "shop/db", "shop/api", every).num_rows == 0


def test_a_difference_has_the_connections_that_it_would_change(policies: Policies, history: History) -> None:
    found = diff(policies, Policies(policies.sections[1:]), KNOWN, history)
    changed = [(row["src"], row["dst"], row["on"], row["connections"]) for row in found.rows.to_pylist()]
    assert changed == [
        (["shop/db", "shop/web"], ["shop/db"], "TCP; UDP; SCTP", 2),
        (["shop/api"], ["shop/db"], "TCP 1-5431, 5433-65535; UDP; SCTP", 0),
    ]
    assert found.summary[:2] == [
        "2 kinds of connections would close; history has 2 connections of them.",
        "1 connection of history would change too that is in none of them: on port 0, or where a pod's node is not known.",
    ]


SPLIT = """
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: web, namespace: shop}
spec:
  endpointSelector: {matchLabels: {app: web}}
  egress:
    - toEndpoints: [{matchLabels: {app: api}}]
      toPorts: [{ports: [{port: "8080"}]}, {ports: [{port: "80"}]}, {ports: [{port: "81"}]}]
    - toEntities: [host, cluster]
"""


def test_a_rule_that_its_reader_splits_is_one(tmp_path: Path, history: History) -> None:
    (tmp_path / "split.yaml").write_text(SPLIT)
    policies = read_policies([str(tmp_path / "split.yaml")])
    assert len(policies.rules) > 2
    found = explain(policies, history)
    assert [one.rule.origin.partition(" in ")[0].rpartition(" ")[2] for one in found.rules] == [
        "egress[0]",
        "egress[1]",
    ]
    assert found.summary == "2 of 2 rules used by anything that history has."
    assert [row[:4] for row in told(policies, history, "egress[0]")] == [("web", "api", 8080, 1)]
    unused = replay_on(history, policies, KNOWN, []).unused.to_pylist()
    (first,) = (row for row in unused if "egress[0]" in row["rule"])
    assert (first["connections"], first["unused_peers"], first["unused_ports"].count("TCP")) == (1, None, 2)


def test_policies_without_a_rule_have_nothing_to_explain(history: History) -> None:
    with pytest.raises(QuestionError, match="none of these policies has a rule"):
        explain(Policies(()), history)
