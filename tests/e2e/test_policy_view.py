"""What the page on policy shows of the shop's recording: recommended policies, and policies that somebody brings."""

import re
from pathlib import Path

import pytest

from analysis.policy.picture.edges import State
from analysis.policy.picture.ends import Scope
from analysis.policy.picture.view import View, recommended, replayed
from analysis.policy.recommend.cluster import Cluster, read_cluster
from analysis.policy.recommend.dialects import Dialect
from analysis.policy.replay import Asked
from store.lake import Lake
from tests.support.sample import OBJECTS, truth

NOTHING_ENTERS_PAYMENTS = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: closed, namespace: payments}
spec: {podSelector: {}, policyTypes: [Ingress]}
"""
# Edges that are there to be found: the probes of nodes need no rule.
ATTACKS = ("metadata", "scan")


@pytest.fixture(scope="module")
def cluster() -> Cluster:
    return read_cluster(OBJECTS)


def needed(namespace: str) -> set[tuple[str, str, int | None]]:
    def name(end: dict[str, str | None]) -> str:
        return end["workload"] or end["domain"] or end["ip"] or ""

    return {
        (name(edge["src"]), name(edge["dst"]), edge["port"])
        for edge in truth()["edges"]
        if namespace in (edge["src"]["namespace"], edge["dst"]["namespace"]) and edge["note"] not in ATTACKS
    }


def of(view: View, state: State) -> set[tuple[str, str, int | None]]:
    rows = view.picture.of(state).to_pylist()
    return {(row["src_name"], row["dst_name"], row["port"]) for row in rows}


@pytest.mark.parametrize("dialect", list(Dialect))
@pytest.mark.parametrize("namespace", ["shop", "payments"])
def test_what_is_recommended_allows_every_needed_edge_and_no_attack(
    sample_lake: Path, cluster: Cluster, namespace: str, dialect: Dialect
) -> None:
    view = recommended(Lake.open(str(sample_lake)), cluster, Asked(), Scope(namespace), dialect)
    assert of(view, State.ALLOWED) == needed(namespace)
    assert of(view, State.DENIED) == set()
    why = set(view.left_out["why"].to_pylist())
    assert why == {
        "the address of a cloud's metadata, which hands out credentials" if namespace == "shop" else "part of a scan"
    }
    assert f"namespace: {namespace}" in view.text
    assert any(line.startswith("Back-test") for line in view.words)
    (pairs,) = (line for line in view.words if line.startswith("Workload pairs"))
    before, _, after = (int(number) for number in re.findall(r"[0-9]+", pairs.partition(";")[0]))
    assert 0 < after < before
    assert all(rule["edges"] for rule in view.picture.rules.to_pylist() if "53" not in rule["ports"])


def test_what_is_brought_is_told_of_the_choice_and_beside_it(sample_lake: Path, cluster: Cluster) -> None:
    texts = (("closed.yaml", NOTHING_ENTERS_PAYMENTS),)
    lake = Lake.open(str(sample_lake))
    view = replayed(lake, cluster, Asked(), Scope("payments"), texts)
    assert ("api", "payments", 9090) in of(view, State.DENIED)
    assert ("payments", "ledger", 6379) in of(view, State.DENIED)
    assert not any(line.startswith("Beside") for line in view.words)
    view = replayed(lake, cluster, Asked(), Scope("shop", "frontend"), texts)
    assert of(view, State.DENIED) == set()
    (beside,) = (line for line in view.words if line.startswith("Beside"))
    assert beside.endswith("edges would be denied, too.")
    assert view.text == NOTHING_ENTERS_PAYMENTS
