import json
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest

from contract.objects import OBJECTS
from enricher.item import Item
from enricher.kinds import GROUPS
from enricher.objects import KEPT, object_rows

SEEN = datetime(2026, 11, 1, 12, tzinfo=UTC)
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {
        "name": "web-0",
        "namespace": "shop",
        "labels": {"app": "web"},
        "annotations": {"last-applied": "SECRET"},
        "managedFields": [{"manager": "SECRET"}],
        "ownerReferences": [
            {"kind": "StatefulSet", "name": "web", "controller": True, "uid": "u", "blockOwnerDeletion": True}
        ],
    },
    "spec": {
        "nodeName": "node-1",
        "containers": [
            {
                "name": "web",
                "image": "registry/SECRET",
                "command": ["SECRET"],
                "args": ["SECRET"],
                "env": [{"name": "PASSWORD", "value": "SECRET"}],
                "ports": [{"name": "http", "containerPort": 8080}],
            }
        ],
        "volumes": [{"secret": {"secretName": "SECRET"}}],
    },
    "status": {"phase": "Running", "podIP": "10.0.0.1", "podIPs": [{"ip": "10.0.0.1"}], "message": "SECRET"},
}
SECRET = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "SECRET"}, "data": {"key": "SECRET"}}


def kept(*objects: dict[str, Any]) -> list[dict[str, Any]]:
    items = [(raw["kind"], Item(raw, "dump.json", f"items[{number}]")) for number, raw in enumerate(objects)]
    rows = list(object_rows(items, "blue", SEEN))
    OBJECTS.validate(pa.Table.from_pylist(rows, schema=OBJECTS.schema))
    return rows


def test_no_more_is_kept_of_a_pod_than_is_asked_for() -> None:
    (row,) = kept(POD, SECRET)
    assert "SECRET" not in row["document"]
    assert [row[name] for name in ("cluster", "seen_time", "kind", "namespace", "name")] == [
        "blue",
        SEEN,
        "Pod",
        "shop",
        "web-0",
    ]
    assert json.loads(row["document"]) == {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "web-0",
            "namespace": "shop",
            "labels": {"app": "web"},
            "ownerReferences": [{"kind": "StatefulSet", "name": "web", "controller": True}],
        },
        "spec": {
            "nodeName": "node-1",
            "containers": [{"name": "web", "ports": [{"name": "http", "containerPort": 8080}]}],
        },
        "status": {"phase": "Running", "podIP": "10.0.0.1", "podIPs": [{"ip": "10.0.0.1"}]},
    }


def test_templates_are_kept_like_pods() -> None:
    template = {"metadata": POD["metadata"], "spec": POD["spec"]}
    metadata = {"name": "web", "namespace": "shop"}
    job = {"kind": "CronJob", "metadata": metadata, "spec": {"jobTemplate": {"spec": {"template": template}}}}
    rows = kept(POD, {"kind": "Deployment", "metadata": metadata, "spec": {"template": template}}, job)
    documents = {row["kind"]: json.loads(row["document"]) for row in rows}
    assert (
        documents["Deployment"]["spec"]["template"] == documents["CronJob"]["spec"]["jobTemplate"]["spec"]["template"]
    )
    assert documents["Deployment"]["spec"]["template"]["metadata"] == {"labels": {"app": "web"}}
    assert not any("SECRET" in row["document"] for row in rows)


@pytest.mark.parametrize("spec", [None, "text", 3, [], [1, None, {"containers": 7}], {"containers": [None, "SECRET"]}])
def test_what_has_another_form_leaks_nothing(spec: Any) -> None:
    service = {"kind": "Service", "metadata": {"name": "web"}, "spec": {}}
    rows = kept(service, {"kind": "StatefulSet", "metadata": {"name": "web"}, "spec": {"template": {"spec": spec}}})
    assert len(rows) == 2 and not any("SECRET" in row["document"] for row in rows)


def test_an_object_of_several_entries_is_kept_once() -> None:
    assert len(kept(POD, POD)) == 1


def test_of_the_same_kind_in_another_group_nothing_is_kept() -> None:
    metadata = {"name": "shop", "namespace": "shop"}
    container = {"env": [{"name": "PASSWORD", "value": "SECRET"}], "args": ["--token=SECRET"]}
    knative = {"apiVersion": "serving.knative.dev/v1", "kind": "Service", "metadata": metadata}
    knative["spec"] = {"template": {"spec": {"containers": [container]}}}
    service = {"apiVersion": "v1", "kind": "Service", "metadata": metadata}
    service["spec"] = {"clusterIP": "10.96.0.4", "ports": [{"port": 80}]}
    (row,) = kept(service, knative)
    assert json.loads(row["document"])["spec"] == service["spec"] and "SECRET" not in row["document"]


def test_of_a_service_only_what_is_named_is_kept() -> None:
    spec = {"type": "ClusterIP", "clusterIP": "10.96.0.4", "selector": {"app": "web"}, "ports": [{"port": 80}]}
    (row,) = kept({"kind": "Service", "metadata": {"name": "web"}, "spec": {**spec, "template": "SECRET"}})
    assert json.loads(row["document"])["spec"] == spec


def test_policies_of_two_groups_with_one_name_are_both_kept() -> None:
    metadata = {"name": "web", "namespace": "shop"}
    versions = ("networking.k8s.io/v1", "projectcalico.org/v3", "crd.projectcalico.org/v1", "example.com/v1")
    found = kept(*({"apiVersion": one, "kind": "NetworkPolicy", "metadata": metadata} for one in versions))
    assert len(found) == 2


def test_every_kind_that_is_known_says_what_is_kept_of_it() -> None:
    assert set(KEPT) == {(group, kind) for kind, groups in GROUPS.items() for group in groups}
