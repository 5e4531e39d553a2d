"""Whatever a file holds is a set of policies, or an error of one line."""

import json
from copy import deepcopy
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.policy.dialects import read_policies
from analysis.policy.topology import read_endpoints
from contract.errors import InputError
from tests.support.policies import policy_set

KEYS = ("podSelector", "matchLabels", "matchExpressions", "ports", "port", "ipBlock", "cidr", "kind", "items", "spec")
leaves = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), st.sampled_from(KEYS))
values = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.one_of(st.sampled_from(KEYS), st.text(max_size=5)), inner, max_size=3),
    ),
    max_leaves=10,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("documents")


def replaced(random: Random, document: Any, value: Any) -> Any:
    """The document with ``value`` somewhere in it."""
    places = list(document.items() if isinstance(document, dict) else enumerate(document)) if document else []
    if not places or random.random() < 0.1:
        return value
    key, inner = random.choice(places)
    changed = deepcopy(document)
    changed[key] = replaced(random, inner, value) if isinstance(inner, dict | list) else value
    return changed


def taken(read: Any, path: Path) -> None:
    try:
        read(path)
    except InputError as error:
        assert str(error).isprintable(), repr(str(error))
        assert str(path) in str(error)


def read_set(path: Path) -> None:
    read_policies([str(path)])


@settings(max_examples=200)
@given(st.integers(0, 2**63), values)
def test_a_changed_policy(folder: Path, seed: int, value: Any) -> None:
    random = Random(seed)
    changed = [replaced(random, document, value) for document in policy_set(random)]
    (folder / "list.json").write_text(json.dumps({"kind": "List", "apiVersion": "v1", "items": changed}))
    (folder / "all.yaml").write_text(yaml.safe_dump_all(changed, allow_unicode=True))
    for name in ("list.json", "all.yaml"):
        taken(read_set, folder / name)
        taken(read_endpoints, folder / name)


@settings(max_examples=200)
@given(st.integers(0, 2**63), st.lists(st.tuples(st.integers(0, 2_000), st.binary(max_size=3)), min_size=1, max_size=4))
def test_changed_bytes(folder: Path, seed: int, changes: list[tuple[int, bytes]]) -> None:
    raw = bytearray(yaml.safe_dump_all(policy_set(Random(seed))).encode())
    for place, change in changes:
        raw[place : place + 1] = change
    for name in ("bytes.yaml", "bytes.json"):
        (folder / name).write_bytes(raw)
        taken(read_set, folder / name)
