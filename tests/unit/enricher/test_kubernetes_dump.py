"""Reading dumps: what is not one is refused with one clear line."""

import json
from pathlib import Path

import pytest

from contract.assignments import ASSIGNMENTS
from contract.errors import InputError
from enricher.kubernetes import read_dump
from tests.unit.enricher.cluster import directory, dump, node, pod, service

NOT_A_LIST = "is not a List"


def written(folder: Path, text: str) -> Path:
    path = folder / "objects.json"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"kind": "List", "items": [}', "objects.json: is not JSON at character 27"),
        ("", "objects.json: is not JSON at character 0"),
        ("[" * 100_000, "nested too deeply"),
        ("[]", NOT_A_LIST),
        ('"List"', NOT_A_LIST),
        ('{"kind": "Pod", "metadata": {"name": "a"}}', NOT_A_LIST),
        ('{"kind": "List", "items": {}}', NOT_A_LIST),
        ('{"kind": "List", "items": []}', "holds no Pod, no Node and no Service"),
        ('{"kind": "List", "items": [{"kind": "Secret"}]}', "holds no Pod, no Node and no Service"),
        ('{"kind": "List", "items": [7]}', "objects.json: items[0]: is not an object"),
        ('{"kind": "List", "items": [{"metadata": {"name": "a"}}]}', "items[0].kind: is absent"),
        ('{"kind": "List", "items": [{"kind": "Pod"}]}', "objects.json: items[0].metadata.name: is absent"),
        (
            '{"kind": "List", "items": [{"kind": "Pod", "metadata": []}]}',
            "items[0].metadata.namespace: is not an object",
        ),
        ('{"kind": "PodList", "items": [{"metadata": {"name": 1}}]}', "items[0].metadata.name: is not text"),
    ],
)
def test_wrong_dump_is_refused(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(InputError) as caught:
        read_dump(written(tmp_path, text))
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_not_utf8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "objects.json"
    path.write_bytes(b'{"kind": "\xff"}')
    with pytest.raises(InputError, match="is not JSON at byte 10"):
        read_dump(path)


def test_absent_file_and_empty_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read: No such file"):
        read_dump(tmp_path / "absent.json")
    with pytest.raises(InputError, match=r"without a \.json file"):
        read_dump(tmp_path)


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("status.startTime", "yesterday", "items[0].status.startTime: 'yesterday' is no time"),
        ("status.podIPs", [{"ip": "10.1.0.999"}], "items[0].status.podIPs[0].ip: '10.1.0.999' is no address"),
        ("status.podIPs", "10.1.0.1", "items[0].status.podIPs: is not a list"),
        ("spec.hostNetwork", "yes", "items[0].spec.hostNetwork: is not true or false"),
        ("metadata.labels", {"app": 1}, "items[0].metadata.labels: has a value that is not text"),
        ("metadata.uid", None, "items[0].metadata.uid: is absent"),
        ("metadata.ownerReferences", [{"kind": "Job"}], "items[0].metadata.ownerReferences[0].name: is absent"),
    ],
)
def test_wrong_value_says_its_key_path(tmp_path: Path, path: str, value: object, says: str) -> None:
    wrong = pod("a", "10.1.0.1")
    part, key = path.split(".")
    wrong[part][key] = value
    with pytest.raises(InputError) as caught:
        directory(tmp_path, wrong)
    assert says in str(caught.value)


def test_wrong_port_and_wrong_network_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"spec\.ports\[0\]\.port: 70000 is no port"):
        directory(tmp_path, service("a", "10.96.0.1", {"port": 70000}))
    with pytest.raises(InputError, match=r"spec\.ports\[0\]\.port: is absent"):
        directory(tmp_path, service("a", "10.96.0.1", {"name": "http"}))
    with pytest.raises(InputError, match="'10.1.0.0/99' is no network"):
        directory(tmp_path, node("n1", "192.168.0.1", "10.1.0.0/99"))


def test_folder_is_read_as_one_and_an_object_counts_once(tmp_path: Path) -> None:
    one, two = pod("a", "10.1.0.1"), pod("b", "10.1.0.2")
    dump(tmp_path, one, two)
    (tmp_path / "pods.json").write_text(json.dumps({"kind": "PodList", "items": [one]}))
    assert read_dump(tmp_path).assignments["name"].to_pylist() == ["a", "b"]


def test_assignments_keep_the_contract_and_name_the_cluster(tmp_path: Path) -> None:
    read = directory(
        tmp_path, pod("a", "10.1.0.1"), node("n1", "192.168.0.1"), service("s", "10.96.0.1"), cluster="east"
    )
    ASSIGNMENTS.validate(read.assignments)
    assert set(read.assignments["cluster"].to_pylist()) == {"east"}


def test_the_same_kind_of_another_group_is_not_what_is_meant(tmp_path: Path) -> None:
    own = service("web", "10.96.0.4")
    foreign = own | {"apiVersion": "serving.knative.dev/v1", "spec": {"clusterIP": "10.96.0.5"}}
    found = directory(tmp_path, own | {"apiVersion": "v1"}, foreign)
    assert found.assignments["ip"].to_pylist() == ["10.96.0.4"]


def test_the_version_of_a_list_is_that_of_its_items(tmp_path: Path) -> None:
    raw = {key: value for key, value in service("web", "10.96.0.4").items() if key != "kind"}
    listed = {"apiVersion": "serving.knative.dev/v1", "kind": "ServiceList", "items": [raw]}
    with pytest.raises(InputError, match="holds no Pod, no Node and no Service"):
        read_dump(written(tmp_path, json.dumps(listed)))
    found = read_dump(written(tmp_path, json.dumps(listed | {"apiVersion": "v1"})))
    assert found.assignments["ip"].to_pylist() == ["10.96.0.4"]
