"""The image and the manifests: valid, whole, with no more rights than they say, and with settings that can be."""

import os
import re
import tomllib
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from cli.config import CollectConfig, EnrichConfig, Running
from cli.configuring import configuration
from enricher.watch.resources import LISTED, WATCHED
from tests.support.kustomized import Manifest, containers, documents, kustomized

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
BASE = DEPLOY / "base"
FOLDERS = [BASE, *sorted((DEPLOY / "overlays").iterdir())]
VERSIONS = ("1.30", "1.34", "1.37")
SETTINGS = sorted(DEPLOY.rglob("tailrace.toml"))
WORKLOADS = [
    document
    for path in sorted(BASE.glob("*.yaml"))
    for document in documents(path.read_text())
    if document["kind"] in ("DaemonSet", "Deployment")
]


def name(value: Any) -> str:
    return value.name if isinstance(value, Path) else value["metadata"]["name"]


def component(manifest: Manifest) -> str:
    return str(manifest["metadata"]["labels"]["app.kubernetes.io/component"])


@pytest.mark.service
@pytest.mark.parametrize("folder", FOLDERS, ids=name)
def test_every_manifest_is_valid_for_every_version(folder: Path) -> None:
    manifests = kustomized(folder)
    assert {"DaemonSet", "Deployment", "NetworkPolicy"} <= {manifest["kind"] for manifest in manifests}
    for manifest in manifests:
        for version in VERSIONS:
            kubernetes_validate.validate(manifest, version, strict=True)


@pytest.mark.service
@pytest.mark.parametrize("folder", FOLDERS, ids=name)
def test_what_an_overlay_mounts_is_there(folder: Path) -> None:
    manifests = kustomized(folder)
    there = {(manifest["kind"], manifest["metadata"]["name"]) for manifest in manifests}
    for workload in [manifest for manifest in manifests if manifest["kind"] in ("DaemonSet", "Deployment")]:
        pod = workload["spec"]["template"]["spec"]
        assert ("ServiceAccount", pod["serviceAccountName"]) in there
        for volume in pod["volumes"]:
            if "configMap" in volume:
                assert ("ConfigMap", volume["configMap"]["name"]) in there
            if "persistentVolumeClaim" in volume:
                assert ("PersistentVolumeClaim", volume["persistentVolumeClaim"]["claimName"]) in there
        mounted = {mount["name"] for container in containers(workload) for mount in container["volumeMounts"]}
        assert mounted == {volume["name"] for volume in pod["volumes"]}


@pytest.mark.service
@pytest.mark.parametrize("folder", FOLDERS, ids=name)
def test_who_watches_the_api_may(folder: Path) -> None:
    manifests = kustomized(folder)
    settings = tomllib.loads(next(m for m in manifests if m["kind"] == "ConfigMap")["data"]["tailrace.toml"])
    watching = {verb for verb in ("collect", "enrich") if settings.get(verb, {}).get("kube_api") == "cluster"}
    accounts = {m["metadata"]["name"]: m for m in manifests if m["kind"] == "ServiceAccount"}
    bound = {s["name"] for m in manifests if m["kind"] == "ClusterRoleBinding" for s in m["subjects"]}
    tokens = {account for account, m in accounts.items() if m.get("automountServiceAccountToken", True)}
    assert bound == tokens == watching


@pytest.mark.parametrize("folder", FOLDERS, ids=name)
def test_a_kustomization_names_every_file_beside_it(folder: Path) -> None:
    text = (folder / "kustomization.yaml").read_text()
    stated = yaml.safe_load(text)
    named = [*stated.get("resources", []), *(patch["path"] for patch in stated.get("patches", []) if "path" in patch)]
    named += [file for generator in stated.get("configMapGenerator", []) for file in generator["files"]]
    there = {path.name for path in folder.iterdir()} - {"kustomization.yaml"}
    assert {file for file in named if not file.startswith("..")} == there
    assert len(named) == len(set(named))
    assert all((folder / file).exists() for file in named)


@pytest.mark.parametrize("workload", WORKLOADS, ids=name)
def test_no_workload_has_more_rights_than_it_says(workload: Manifest) -> None:
    pod = workload["spec"]["template"]["spec"]
    captures = component(workload) == "collect"
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["enableServiceLinks"] is False
    assert {"hostPID", "hostIPC"}.isdisjoint(pod)
    assert pod.get("hostNetwork", False) is captures
    assert pod["securityContext"].get("runAsNonRoot", False) is not captures
    for container in containers(workload):
        rights = container["securityContext"]
        assert (rights["allowPrivilegeEscalation"], rights["readOnlyRootFilesystem"]) == (False, True)
        assert rights["capabilities"] == ({"drop": ["ALL"]} | ({"add": ["NET_RAW"]} if captures else {}))
        assert not rights.get("privileged")
        assert {"cpu", "memory"} <= container["resources"]["requests"].keys()
        assert "memory" in container["resources"]["limits"]
        assert all(f"{kind}Probe" in container for kind in ("startup", "liveness", "readiness"))


def place(path: str) -> tuple[str, str]:
    """API group and resource of a path of the API."""
    parts = path.strip("/").split("/")
    return (parts[1], parts[3]) if parts[0] == "apis" else ("", parts[2])


def test_the_cluster_role_is_what_the_watcher_asks_for() -> None:
    (role,) = [d for d in documents((BASE / "accounts.yaml").read_text()) if d["kind"] == "ClusterRole"]
    allowed = {
        (group, resource, verb)
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    watched = {place(path) for resource in WATCHED for path in resource.paths}
    listed = {place(path) for resource in LISTED for path in resource.paths} | watched
    assert allowed == {(*one, "list") for one in listed} | {(*one, "watch") for one in watched}
    assert all(rule.keys() == {"apiGroups", "resources", "verbs"} for rule in role["rules"])


@pytest.mark.parametrize("path", SETTINGS, ids=lambda path: path.parent.name)
def test_settings_can_be(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in [variable for variable in os.environ if variable.startswith("TAILRACE_")]:
        monkeypatch.delenv(variable)
    text = path.read_text().replace("/etc/tailrace-kafka", str(tmp_path))
    for file in ("ca.crt", "password"):
        (tmp_path / file).write_text("x")
    settings = tmp_path / "tailrace.toml"
    settings.write_text(text)
    models: dict[str, type[Running]] = {"collect": CollectConfig, "enrich": EnrichConfig}
    verbs = tomllib.loads(text).keys() & models.keys()
    assert "collect" in verbs
    for verb in verbs:
        config = configuration(models[verb], {}, str(settings))
        assert config.health == ("", 9533)


def test_probes_and_scrapes_find_the_health_port() -> None:
    for workload in [workload for workload in WORKLOADS if component(workload) != "app"]:
        (container,) = containers(workload)
        assert container["ports"] == [{"name": "health", "containerPort": 9533}]
        assert workload["spec"]["template"]["metadata"]["annotations"]["prometheus.io/port"] == "9533"


def test_the_image_has_every_package() -> None:
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"][
        "packages"
    ]
    text = (DEPLOY / "Containerfile").read_text()
    copied = {word for line in re.findall(r"^COPY (?!--)(.*) \S+$", text, re.MULTILINE) for word in line.split()}
    assert set(packages) <= copied
    assert all((ROOT / word).exists() for word in copied)
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert copied == {line.removeprefix("!") for line in ignored if line.startswith("!")}
    settings = re.findall(r"NUMBA_CPU_NAME=\S+|TAILRACE_CACHE=\S+", text)
    assert settings[:2] == settings[2:] != []
