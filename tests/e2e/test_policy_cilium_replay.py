"""Cilium's policies on the recording of the shop: domains, entities, and what hangs on a proxy."""

import json
from pathlib import Path
from typing import Any

from tests.support.sample import OBJECTS, tailrace

POLICIES = """
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: inside, namespace: shop}
spec:
  endpointSelector: {}
  egress:
  - toEntities: [cluster]
  - toCIDR: [10.0.0.0/8]
  - toPorts: [{ports: [{port: "53"}], rules: {dns: [{matchPattern: "*"}]}}]
---
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: outside, namespace: shop}
specs:
- endpointSelector: {matchLabels: {"k8s:app.kubernetes.io/name": recommender}}
  egress: [{toFQDNs: [{matchPattern: "*.cdn.example"}], toPorts: [{ports: [{port: "80", protocol: TCP}]}]}]
- endpointSelector: {matchLabels: {"k8s:app.kubernetes.io/name": catalog-sync}}
  egress: [{toFQDNs: [{matchName: partner-api.example}], toPorts: [{ports: [{port: "443", protocol: TCP}]}]}]
"""
GUARDED = """
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: api, namespace: shop}
spec:
  endpointSelector: {matchLabels: {"k8s:app.kubernetes.io/name": api}}
  ingress:
  - fromEndpoints: [{}]
    toPorts: [{ports: [{port: "8080", protocol: TCP}], rules: {http: [{method: GET}]}}]
  - fromEndpoints: [{matchLabels: {"k8s:io.kubernetes.pod.namespace": ops}}]
"""


def replay(lake: Path, policies: str, folder: Path) -> tuple[int, dict[str, Any]]:
    file = folder / "policies.yaml"
    file.write_text(policies)
    done = tailrace("policy", "replay", file, "--lake", lake, "--kube", OBJECTS, "-o", "json")
    assert done.stderr == "", done.stderr
    return done.returncode, json.loads(done.stdout)


def test_domains_and_entities_allow_what_they_name(sample_lake: Path, tmp_path: Path) -> None:
    status, found = replay(sample_lake, POLICIES, tmp_path)
    assert status == 0
    assert [(row["finding"], row["dst_name"]) for row in found["edges"]] == [
        ("denied, never answered", "169.254.169.254")
    ]
    # The addresses of pods are of no CIDR, though they lie in it.
    unused = {row["rule"].partition(" in ")[0]: row["connections"] for row in found["unused"]}
    assert unused["CiliumNetworkPolicy/shop/inside egress[1]"] == 0
    assert not any("outside" in rule for rule in unused)


def test_a_domain_that_is_not_named_is_denied(sample_lake: Path, tmp_path: Path) -> None:
    status, found = replay(sample_lake, POLICIES.replace('"*.cdn.example"', '"*.example"'), tmp_path)
    denied = [row for row in found["edges"] if row["finding"] == "denied"]
    assert (status, [row["dst_name"] for row in denied]) == (3, ["static.cdn.example"])
    assert denied[0]["reason"].startswith("default deny: CiliumNetworkPolicy/shop/inside")


def test_what_hangs_on_http_requests_is_told_apart(sample_lake: Path, tmp_path: Path) -> None:
    status, found = replay(sample_lake, GUARDED, tmp_path)
    (row,) = found["edges"]
    assert (status, row["finding"], row["src_name"]) == (0, "not told by flows", "frontend")
    origin, _, reason = row["reason"].partition(" hangs on ")
    assert origin == f"CiliumNetworkPolicy/shop/api ingress[0] in {tmp_path / 'policies.yaml'}"
    assert reason == "what the HTTP requests ask for, which no flow record tells"
