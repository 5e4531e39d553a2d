"""Policies that were written by hand for the shop, replayed on its recording."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.sample import OBJECTS, tailrace, truth

Edge = tuple[Any, ...]

ALLOWED = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: default-deny, namespace: shop}
spec: {podSelector: {}, policyTypes: [Ingress, Egress]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: dns, namespace: shop}
spec:
  podSelector: {}
  policyTypes: [Egress]
  egress:
    - to:
        - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}
          podSelector: {matchLabels: {app.kubernetes.io/name: coredns}}
      ports: [{protocol: UDP, port: 53}, {protocol: TCP, port: 53}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: frontend, namespace: shop}
spec:
  podSelector: {matchLabels: {app.kubernetes.io/name: frontend}}
  policyTypes: [Ingress, Egress]
  ingress:
    - from:
        - podSelector: {matchExpressions: [{key: app.kubernetes.io/name, operator: In, values: [loader, campaign]}]}
        - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ops}}
          podSelector: {matchLabels: {app.kubernetes.io/name: prometheus}}
        - ipBlock: {cidr: 192.0.2.50/32}
      ports: [{port: 8080}]
  egress:
    - to: [{podSelector: {matchLabels: {app.kubernetes.io/name: api}}}]
      ports: [{port: 8080}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: api, namespace: shop}
spec:
  podSelector: {matchLabels: {app.kubernetes.io/name: api}}
  policyTypes: [Ingress, Egress]
  ingress:
    - from:
        - podSelector: {matchLabels: {app.kubernetes.io/name: frontend}}
        - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ops}}
          podSelector: {matchLabels: {app.kubernetes.io/name: prometheus}}
      ports: [{port: 8080}]
  egress:
    - to: [{podSelector: {matchLabels: {app.kubernetes.io/name: redis}}}]
      ports: [{port: 6379}]
    - to:
        - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: payments}}
          podSelector: {matchLabels: {app.kubernetes.io/name: payments}}
      ports: [{port: 9090}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: redis, namespace: shop}
spec:
  podSelector: {matchLabels: {app.kubernetes.io/name: redis}}
  ingress:
    - from:
        - podSelector: {matchExpressions: [{key: app.kubernetes.io/name, operator: In, values: [api, catalog-sync]}]}
      ports: [{port: 6379}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: visitors, namespace: shop}
spec:
  podSelector: {matchExpressions: [{key: app.kubernetes.io/name, operator: In, values: [loader, campaign]}]}
  policyTypes: [Egress]
  egress:
    - to: [{podSelector: {matchLabels: {app.kubernetes.io/name: frontend}}}]
      ports: [{port: 8080}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: recommender, namespace: shop}
spec:
  podSelector: {matchLabels: {app.kubernetes.io/name: recommender}}
  policyTypes: [Egress]
  egress: [{to: [{ipBlock: {cidr: 198.51.100.30/32}}], ports: [{port: 80}]}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: catalog-sync, namespace: shop}
spec:
  podSelector: {matchLabels: {app.kubernetes.io/name: catalog-sync}}
  policyTypes: [Egress]
  egress:
    - {to: [{ipBlock: {cidr: 198.51.100.20/32}}], ports: [{port: 443}]}
    - {to: [{podSelector: {matchLabels: {app.kubernetes.io/name: redis}}}], ports: [{port: 6379}]}
"""
DENIED = ALLOWED.partition("---")[0]
FORGOTTEN = "    - {to: [{podSelector: {matchLabels: {app.kubernetes.io/name: redis}}}], ports: [{port: 6379}]}\n"

PAYMENTS_CLOSED = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: closed, namespace: payments}
spec:
  podSelector: {}
  ingress:
    - from: [{namespaceSelector: {}}, {ipBlock: {cidr: 203.0.113.0/24}}]
      ports: [{port: 9090}, {port: 6379}, {protocol: UDP, port: 9090}]
    - from: [{namespaceSelector: {}, podSelector: {matchLabels: {app.kubernetes.io/name: logs}}}]
    - from: [{podSelector: {matchLabels: {app: nobody}}}]
"""

CALICO = """
apiVersion: projectcalico.org/v3
kind: Tier
metadata: {name: platform}
spec: {order: 10}
---
apiVersion: projectcalico.org/v3
kind: GlobalNetworkPolicy
metadata: {name: platform.no-metadata}
spec:
  tier: platform
  selector: projectcalico.org/namespace == 'shop'
  egress:
    - {action: Deny, destination: {nets: [169.254.169.254/32]}}
    - {action: Pass}
---
apiVersion: projectcalico.org/v3
kind: StagedNetworkPolicy
metadata: {name: redis, namespace: shop}
spec:
  selector: app.kubernetes.io/name == 'redis'
  ingress:
    - {action: Deny, source: {selector: app.kubernetes.io/name == 'catalog-sync'}}
    - {action: Allow, protocol: TCP, source: {ports: ["32768:60999"]}, destination: {ports: [6379]}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: closed, namespace: shop}
spec: {podSelector: {matchLabels: {app.kubernetes.io/name: frontend}}, policyTypes: [Egress]}
"""

METADATA = ("shop", "recommender", None, "169.254.169.254", 6, 80)


def replay(lake: Path, policies: str, folder: Path, *options: str) -> tuple[int, dict[str, Any]]:
    file = folder / "policies.yaml"
    file.write_text(policies)
    done = tailrace("policy", "replay", file, "--lake", lake, "--kube", OBJECTS, "-o", "json", *options)
    assert done.stderr == "", done.stderr
    return done.returncode, json.loads(done.stdout)


def of(found: dict[str, Any], finding: str) -> dict[Edge, dict[str, Any]]:
    names = ("src_namespace", "src_name", "dst_namespace", "dst_name", "protocol", "port")
    rows = [row for row in found["edges"] if row["finding"] == finding]
    return {tuple(row[name] for name in names): row for row in rows}


def true_edges() -> dict[Edge, int | None]:
    """Edges of the shop that work, without what no policy can forbid: probes of a pod's own node."""

    def end(told: dict[str, Any]) -> tuple[str | None, str | None]:
        return told["namespace"], told["workload"] or told["domain"] or told["ip"]

    return {
        (*end(edge["src"]), *end(edge["dst"]), edge["protocol"], edge["port"]): edge["connections"]
        for edge in truth()["edges"]
        if "shop" in (edge["src"]["namespace"], edge["dst"]["namespace"])
        and edge["note"] not in ("probe", "metadata", "scan")
    }


def test_a_default_deny_denies_every_edge_of_the_namespace(sample_lake: Path, tmp_path: Path) -> None:
    status, found = replay(sample_lake, DENIED, tmp_path)
    denied, true = of(found, "denied"), true_edges()
    assert sorted(map(repr, denied.keys() ^ true.keys())) == []
    assert {edge: denied[edge]["connections"] for edge, count in true.items() if count is not None} == {
        edge: count for edge, count in true.items() if count is not None
    }
    assert {row["reason"] for row in denied.values()} == {"default deny: NetworkPolicy/shop/default-deny"}
    directions = {(edge[0] == "shop", edge[2] == "shop"): row["direction"] for edge, row in denied.items()}
    assert directions == {(True, True): "egress and ingress", (True, False): "egress", (False, True): "ingress"}
    assert list(of(found, "denied, never answered")) == [METADATA]
    assert status == 3


def test_what_allows_exactly_the_edges_denies_nothing(sample_lake: Path, tmp_path: Path) -> None:
    status, found = replay(sample_lake, ALLOWED, tmp_path)
    assert (status, list(of(found, "denied")), found["unused"]) == (0, [], [])
    assert list(of(found, "denied, never answered")) == [METADATA]
    assert "Nothing that works would be denied." in found["summary"]


def test_a_forgotten_edge_is_the_one_that_is_denied(sample_lake: Path, tmp_path: Path) -> None:
    assert FORGOTTEN in ALLOWED
    status, found = replay(sample_lake, ALLOWED.replace(FORGOTTEN, ""), tmp_path)
    ((edge, row),) = of(found, "denied").items()
    assert edge == ("shop", "catalog-sync", "shop", "redis", 6, 6379)
    assert (row["direction"], row["connections"], row["failed"], row["periodic"]) == ("egress", 2, 0, "CronJob")
    policies = "NetworkPolicy/shop/catalog-sync, NetworkPolicy/shop/default-deny, NetworkPolicy/shop/dns"
    assert row["reason"] == f"default deny: {policies}"
    assert row["first_seen"] < row["last_seen"]
    assert (status, found["unused"]) == (3, [])


def test_what_nobody_used_is_told(sample_lake: Path, tmp_path: Path) -> None:
    _, found = replay(sample_lake, PAYMENTS_CLOSED, tmp_path)
    first, second, third = found["unused"]
    assert (first["unused_ports"], first["connections"] > 0) == ("UDP 9090", True)
    assert "kube-system/coredns" in first["unused_peers"]
    assert (second["unused_peers"], second["connections"], second["unused_ports"]) == ("ops/logs", 0, None)
    assert (third["unused_peers"], third["direction"]) == ("nobody that is known", "ingress")


def test_what_no_policy_can_name_is_told_apart(sample_lake: Path, tmp_path: Path) -> None:
    _, found = replay(sample_lake, PAYMENTS_CLOSED, tmp_path)
    ((edge, row),) = of(found, "up to the plugin").items()
    assert edge == ("ops", "netdebug", "payments", "payments", 1, None)
    assert row["reason"] == "no policy can name ICMP"
    assert of(found, "denied") == {}


def test_calicos_policies_say_which_rule_denies_and_what_flows_do_not_tell(sample_lake: Path, tmp_path: Path) -> None:
    status, found = replay(sample_lake, CALICO, tmp_path)
    here = tmp_path / "policies.yaml"
    denied = {edge: row["reason"] for edge, row in of(found, "denied").items()}
    by_rule = f"denied by StagedNetworkPolicy/shop/redis ingress[0] in {here}"
    assert denied.pop(("shop", "catalog-sync", "shop", "redis", 6, 6379)) == by_rule
    assert {edge[1] for edge in denied} == {"frontend"}
    # The tier platform passed them on: its policy, which isolates them too, is not to blame.
    assert set(denied.values()) == {"default deny: NetworkPolicy/shop/closed"}
    ((edge, row),) = of(found, "denied, never answered").items()
    assert edge == METADATA
    assert row["reason"] == f"denied by GlobalNetworkPolicy/platform.no-metadata egress[0] in {here}"
    ((edge, row),) = of(found, "not told by flows").items()
    assert edge == ("shop", "api", "shop", "redis", 6, 6379)
    rule = f"StagedNetworkPolicy/shop/redis ingress[1] in {here}"
    assert row["reason"] == f"{rule} hangs on the source port, which no flow record tells"
    assert (status, found["unused"], of(found, "up to the plugin")) == (3, [], {})


def test_a_window_without_the_edge_denies_nothing(sample_lake: Path, tmp_path: Path) -> None:
    forgetful = ALLOWED.replace(FORGOTTEN, "")
    _, whole = replay(sample_lake, forgetful, tmp_path)
    (row,) = of(whole, "denied").values()
    status, found = replay(sample_lake, forgetful, tmp_path, "--until", row["first_seen"])
    assert (status, of(found, "denied")) == (0, {})
    assert found["until"] == row["first_seen"]


def test_the_lake_keeps_the_objects_that_it_was_ingested_with(sample_lake: Path, tmp_path: Path) -> None:
    (tmp_path / "closed.yaml").write_text(PAYMENTS_CLOSED)
    given, kept = (
        tailrace("policy", "replay", tmp_path, "--lake", sample_lake, "-o", "json", *options)
        for options in (("--kube", OBJECTS), ())
    )
    assert (kept.returncode, kept.stderr) == (0, "")
    found, expected = json.loads(kept.stdout), json.loads(given.stdout)
    assert found["summary"].pop(1).startswith("The cluster is taken as it was read at 20")
    assert found == expected


def test_the_report_says_at_its_top_what_was_judged(sample_lake: Path, tmp_path: Path) -> None:
    (tmp_path / "deny.yaml").write_text(DENIED)
    done = tailrace("policy", "replay", tmp_path, "--lake", sample_lake, "--kube", OBJECTS)
    top, *rest = done.stdout.splitlines()
    assert top.startswith("From 2026-") and top.endswith("edges (1,559 connections) judged.")
    assert "denied:" in rest
    assert any(line.startswith("shop/catalog-sync") and "tcp 6379" in line for line in rest)
    assert (done.returncode, done.stderr) == (3, "")


def test_csv_is_one_table_and_its_words_go_to_stderr(sample_lake: Path, tmp_path: Path) -> None:
    (tmp_path / "closed.yaml").write_text(PAYMENTS_CLOSED)
    done = tailrace("policy", "replay", tmp_path, "--lake", sample_lake, "--kube", OBJECTS, "-o", "csv")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert {row["finding"] for row in rows} == {"denied, never answered", "up to the plugin", "unused"}
    assert "judged." in done.stderr
    assert done.returncode == 0


@pytest.mark.parametrize(
    "text, words",
    [
        ("kind: NetworkPolicy", "apiVersion"),
        (DENIED.replace("podSelector", "podSelctor"), "podSelctor"),
        ("a: [", "policies.yaml"),
    ],
)
def test_what_is_wrong_with_a_policy_is_one_line(sample_lake: Path, tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "policies.yaml").write_text(text)
    done = tailrace("policy", "replay", tmp_path, "--lake", sample_lake, "--kube", OBJECTS)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert words in done.stderr
