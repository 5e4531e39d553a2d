"""Where NetworkPolicy is easily misread (docs/policy.md): one case each, named for it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from analysis.policy.dialects import read_policies
from analysis.policy.endpoints import PROTOCOLS, Columns, Endpoint
from analysis.policy.evaluate import Edges, evaluate, seen_by, up_to_plugin
from tests.naive import policy as naive
from tests.support.policies import endpoint

CASES = sorted((Path(__file__).parent / "policy").glob("*.yaml"))
NUMBERS = {**PROTOCOLS, "ICMP": 1}

Case = dict[str, Any]


def loaded(path: Path) -> Case:
    case: Case = yaml.safe_load(path.read_text())
    return case


def pod(key: str, told: Case, namespaces: Case) -> Endpoint:
    """``shop/db#2`` is another address of the pod ``shop/db``."""
    namespace, _, name = key.partition("/")
    return endpoint(
        "pod",
        namespace,
        name.partition("#")[0],
        told.get("address"),
        labels=told["labels"],
        namespace_labels=namespaces.get(namespace, {}),
        ports={name: port(text) for name, text in told.get("ports", {}).items()},
        host_network=told.get("hostNetwork", False),
        node=told.get("node"),
    )


def port(text: str) -> tuple[str, int]:
    protocol, _, number = text.partition("/")
    return protocol, int(number)


def endpoints(case: Case) -> dict[str, Endpoint]:
    pods = {key: pod(key, told, case.get("namespaces", {})) for key, told in case["pods"].items()}
    nodes = {name: endpoint("node", None, name, ip, node=name) for name, ip in case.get("nodes", {}).items()}
    return {**pods, **nodes, **{ip: endpoint("external", None, ip, ip) for ip in case.get("outside", [])}}


def edge(text: str, order: list[str]) -> tuple[int, int, int, int]:
    src, _, dst, service = text.split(" ")
    protocol, _, port = service.partition("/")
    return order.index(src), order.index(dst), NUMBERS[protocol], int(port or -1)


def word(allowed: bool, unknown: bool, open_: bool) -> str:
    if unknown:
        return "unknown"
    return ("allowed" if allowed else "denied") + (", up to the plugin" if open_ else "")


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_case(path: Path, tmp_path: Path) -> None:
    case = loaded(path)
    (tmp_path / "policies.yaml").write_text(yaml.safe_dump_all(case["policies"]))
    policies = read_policies([str(tmp_path)])
    known = endpoints(case)
    edges = Edges(*np.array([edge(text, list(known)) for text in case["edges"]]).T)
    verdicts = evaluate(policies, list(known.values()), edges)
    left_open = up_to_plugin(policies, seen_by(policies, Columns(list(known.values()))), edges, verdicts)
    words = map(word, verdicts.allowed, verdicts.unknown, left_open)
    assert dict(zip(case["edges"], words, strict=True)) == case["edges"]


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_naive_evaluator_says_the_same(path: Path) -> None:
    case = loaded(path)
    known = endpoints(case)
    for text, expected in case["edges"].items():
        src, dst, protocol, port = edge(text, list(known))
        ends = list(known.values())
        sides = naive.verdict(case["policies"], ends[src], ends[dst], protocol, port)
        assert naive.is_allowed(sides) == expected.startswith("allowed"), text


def test_there_is_a_case() -> None:
    assert len(CASES) == len({path.stem for path in CASES}) > 20
