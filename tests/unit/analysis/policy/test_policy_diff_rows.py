"""Differences of small sets of policies, listed by hand."""

from pathlib import Path
from typing import Any

import pytest

from analysis.policy.blast import radius
from analysis.policy.dialects import read_policies
from analysis.policy.diff import Diff, diff
from analysis.policy.endpoints import Endpoint
from analysis.policy.rules import Policies
from contract.errors import QuestionError
from tests.support.policies import endpoint

NOTHING = Policies(())


def pod(name: str, address: str, namespace: str = "shop", **more: Any) -> Endpoint:
    labels = {"app": name.partition("-")[0]}
    return endpoint(
        "pod",
        namespace,
        name,
        address,
        labels=labels,
        namespace_labels={"kubernetes.io/metadata.name": namespace},
        **more,
    )


WEB = pod("web", "10.0.0.1", node="node-1")
API = pod("api", "10.0.0.2", ports={"http": ("TCP", 8080)}, node="node-2")
LOGS = pod("logs", "10.0.1.1", "ops")
NODES = [endpoint("node", None, f"node-{n}", f"192.168.1.{n}", node=f"node-{n}") for n in (1, 2)]
CLUSTER = [WEB, API, LOGS, *NODES]

OPEN_API = "{podSelector: {matchLabels: {app: api}}, ingress: [{from: [{podSelector: {matchLabels: {app: web}}}], ports: [PORT]}]}"


def policies(tmp_path: Path, *specs: str, namespace: str = "shop") -> Policies:
    file = tmp_path / "policies.yaml"
    head = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p%d, namespace: %s}\nspec: %s\n"
    file.write_text("---\n".join(head % (number, namespace, spec) for number, spec in enumerate(specs)))
    return read_policies([str(file)])


def rows(found: Diff) -> list[tuple[str, str, str, str]]:
    return [(row["change"], ", ".join(row["src"]), ", ".join(row["dst"]), row["on"]) for row in found.rows.to_pylist()]


@pytest.mark.parametrize(
    "bound, what",
    [
        ("space.MOST_SIGNS", "selections times ends"),
        ("grid.MOST_SELECTED", "selections times ends"),
        ("grid.MOST_JUDGED", "connections"),
        ("grid.MOST_CELLS", "pairs of ends times ports"),
        ("grid.MOST_TRIED", "rules times ports"),
    ],
)
def test_what_would_cost_too_much_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bound: str, what: str
) -> None:
    found = policies(tmp_path, OPEN_API.replace("PORT", "{port: 80}"))
    monkeypatch.setattr(f"analysis.policy.{bound}", 1)
    with pytest.raises(QuestionError, match=rf"every kind of connection: \d+ {what}, at most 1; give fewer of them"):
        diff(NOTHING, found, CLUSTER)
    (line,) = radius(found, CLUSTER)
    assert line.startswith("How far a compromised workload gets is left out: these policies are too many")


def test_a_port_more_is_one_row(tmp_path: Path) -> None:
    before = policies(tmp_path, OPEN_API.replace("PORT", "{port: 80}"))
    after = policies(tmp_path, OPEN_API.replace("PORT", "{port: 80, endPort: 82}"))
    assert rows(diff(before, after, CLUSTER)) == [("opens", "shop/web", "shop/api", "TCP 81-82")]
    assert rows(diff(after, before, CLUSTER)) == [("closes", "shop/web", "shop/api", "TCP 81-82")]


def test_a_named_port_is_the_number_behind_it(tmp_path: Path) -> None:
    before = policies(tmp_path, OPEN_API.replace("PORT", "{port: http}"))
    after = policies(tmp_path, OPEN_API.replace("PORT", "{port: 8080}"))
    assert diff(before, after, CLUSTER).same


def test_the_same_ports_in_other_words_are_the_same(tmp_path: Path) -> None:
    before = policies(tmp_path, OPEN_API.replace("PORT", "{port: 1, endPort: 80}, {port: 81, endPort: 65535}"))
    after = policies(tmp_path, OPEN_API.replace("PORT", "{protocol: TCP}"))
    assert diff(before, after, CLUSTER).same


def test_the_same_block_in_two_halves_is_the_same(tmp_path: Path) -> None:
    block = "{podSelector: {}, policyTypes: [Egress], egress: [{to: [%s]}]}"
    before = policies(tmp_path, block % "{ipBlock: {cidr: 198.51.100.0/24}}")
    after = policies(tmp_path, block % "{ipBlock: {cidr: 198.51.100.0/25}}, {ipBlock: {cidr: 198.51.100.128/25}}")
    assert diff(before, after, CLUSTER).same


def test_what_is_left_of_a_block_is_named(tmp_path: Path) -> None:
    block = (
        "{podSelector: {matchLabels: {app: web}}, policyTypes: [Egress], egress: [{to: [%s], ports: [{port: 443}]}]}"
    )
    before = policies(tmp_path, block % "{ipBlock: {cidr: 0.0.0.0/0}}")
    after = policies(tmp_path, block % "{ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.0/8, 198.51.100.7/32]}}")
    assert rows(diff(before, after, CLUSTER)) == [
        (
            "closes",
            "shop/web",
            "every pod, 10.0.0.0/8, 198.51.100.7/32",
            "TCP 443",
        )
    ]


def test_a_default_deny_closes_everything_but_the_own_node(tmp_path: Path) -> None:
    found = diff(NOTHING, policies(tmp_path, "{podSelector: {}, policyTypes: [Ingress, Egress]}"), CLUSTER)
    assert rows(found) == [
        ("closes", "ops/logs, every node, 0.0.0.0/0", "shop/*", "anything"),
        ("closes", "shop/*", "every pod, every node, 0.0.0.0/0", "anything"),
    ]
    assert set(found.rows["undecided"].to_pylist()) == {"all other protocols"}
    assert (found.before.pairs, found.after.pairs, found.before.all_pairs) == (6, 0, 6)


def test_a_policy_that_selects_nobody_changes_nothing(tmp_path: Path) -> None:
    assert diff(NOTHING, policies(tmp_path, "{podSelector: {}}", namespace="nowhere"), CLUSTER).same


def test_pods_of_one_workload_that_fare_differently_are_named(tmp_path: Path) -> None:
    twins = [pod(f"web-{n}", f"10.0.0.{n}", workload=("Deployment", "web")) for n in (1, 9)]
    block = "{podSelector: {matchLabels: {app: api}}, ingress: [{from: [{ipBlock: {cidr: %s}}]}]}"
    before, after = (policies(tmp_path, block % cidr) for cidr in ("10.0.0.0/28", "10.0.0.0/29"))
    assert rows(diff(before, after, [*twins, API])) == [
        ("closes", "shop/web of which web-9 10.0.0.9, 10.0.0.8/29", "shop/api", "TCP; UDP; SCTP")
    ]


@pytest.mark.parametrize("known", [[], NODES])
def test_without_pods_there_is_nothing_to_compare(tmp_path: Path, known: list[Endpoint]) -> None:
    found = diff(NOTHING, policies(tmp_path, "{podSelector: {}}"), known)
    assert (found.same, found.before.all_pairs) == (True, 0)


def test_steps_lead_further_than_one(tmp_path: Path) -> None:
    to = "egress: [{to: [{podSelector: {matchLabels: {app: %s}}}]}]"
    only = "{podSelector: {matchLabels: {app: %s}}, policyTypes: [Egress], " + to + "}"
    three = [pod(name, f"10.0.0.{n}") for n, name in enumerate("abc", 1)]
    found = diff(NOTHING, policies(tmp_path, only % ("a", "b"), only % ("b", "c"), only % ("c", "none")), three).after
    assert found.reached.tolist() == [1, 1, 0]
    assert found.reached_in_steps.tolist() == [2, 1, 0]
    assert (found.inward.all(), found.outward.any()) == (True, False)
