"""What a replay says of policies that do nothing, and of what it cannot judge."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from analysis.policy.dialects import read_policies
from analysis.policy.objects import InLake
from analysis.policy.recommend.cluster import read_cluster
from analysis.policy.replay import Asked, Replay, replay
from contract.errors import InputError
from tests.support.history import NOON, Row, flow, make_history
from tests.unit.analysis.policy.test_recommend_learning import API, DB, PODS, WEB, kubernetes

HARMLESS = "Nothing that works would be denied."
SERVICE = {"ip": "10.96.0.9", "kind": "service", "namespace": "shop"}
CLUSTER_IP = {"clusterIP": "10.96.0.9", "selector": {"app": "api"}, "ports": [{"port": 80, "targetPort": 8080}]}
DENY = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny, namespace: shop}
spec: {podSelector: {}, policyTypes: [Ingress]}
"""


def replayed(folder: Path, text: str, flows: list[Row], **services: dict[str, Any]) -> Replay:
    objects, policies = folder / "objects.json", folder / "policies.yaml"
    objects.write_text(json.dumps({"kind": "List", "items": kubernetes(*PODS, **services)}))
    policies.write_text(text)
    cluster = read_cluster(objects)
    return replay(make_history(folder / "lake", flows), read_policies([str(policies)]), cluster, Asked())


@pytest.mark.parametrize("text", ["", "# nothing", "---"])
def test_files_without_a_policy_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "policies.yaml").write_text(text)
    with pytest.raises(InputError, match="holds no policy about pods"):
        read_policies([str(tmp_path)])


def test_a_policy_without_a_namespace_is_said_to_be_of_default(tmp_path: Path) -> None:
    found = replayed(tmp_path, DENY.replace(", namespace: shop", ""), [flow(0, WEB, API)])
    assert (
        "1 document without metadata.namespace: read as of the namespace default (NetworkPolicy/deny)." in found.summary
    )
    assert "1 policy of 1 selects no pod that is known: NetworkPolicy/default/deny." in found.summary


def test_a_policy_about_pods_that_are_known_is_not_mentioned(tmp_path: Path) -> None:
    found = replayed(tmp_path, DENY, [flow(0, WEB, DB)])
    assert found.summary[-1] == HARMLESS
    assert not any("no pod that is known" in line or "metadata.namespace" in line for line in found.summary)


def test_what_the_objects_put_behind_a_service_is_judged(tmp_path: Path) -> None:
    found = replayed(tmp_path, DENY, [flow(number, WEB, SERVICE) for number in range(5)], api=CLUSTER_IP)
    (row,) = found.edges.to_pylist()
    told = tuple(row[name] for name in ("finding", "dst_namespace", "dst_name", "port", "connections"))
    assert told == ("denied", "shop", "api", 8080, 5)
    assert any(line.startswith("Of shop/api only the Service's address was seen") for line in found.summary)


def test_nothing_is_said_to_be_harmless_while_connections_are_not_judged(tmp_path: Path) -> None:
    found = replayed(tmp_path, DENY, [flow(number, WEB, SERVICE) for number in range(5)])
    assert HARMLESS not in found.summary
    assert "Nothing is known to work that would be denied; not judged: 1 edge (5 connections)." in found.summary


def test_a_reading_that_lacks_what_an_earlier_one_had_is_said(tmp_path: Path) -> None:
    def rows(objects: list[dict[str, Any]], seen: datetime) -> list[Row]:
        told = [(one["kind"], one["metadata"].get("namespace"), one["metadata"]["name"], one) for one in objects]
        names = ("kind", "namespace", "name")
        return [
            {"cluster": "test", "seen_time": seen, "document": json.dumps(one)} | dict(zip(names, key, strict=True))
            for *key, one in told
        ]

    later = NOON + timedelta(hours=1)
    objects = rows(kubernetes(*PODS), NOON) + rows(kubernetes(DB), later)
    lake = make_history(tmp_path / "lake", [flow(0, WEB, API)], objects=objects)
    first, second = read_cluster(InLake(lake)).reading
    assert first == "The cluster is taken as it was read at 2026-11-01 13:00:00 UTC."
    assert second.startswith("That reading lacks 1 namespace that an earlier one had: shop. ")
    whole = make_history(tmp_path / "whole", [], objects=objects + rows(kubernetes(*PODS), later + timedelta(hours=1)))
    assert len(read_cluster(InLake(whole)).reading) == 1
