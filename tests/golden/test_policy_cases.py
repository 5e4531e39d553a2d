"""Where policies are easily misread (docs/policy.md): one case each, named for it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from analysis.policy.dialects import read_policies
from analysis.policy.endpoints import PROTOCOLS, Endpoint
from analysis.policy.evaluate import Edges, evaluate, up_to_plugin
from tests.naive import cilium
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
    found = endpoint(
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
    return replace(found, service_account=told.get("serviceAccount", "default"))


def node(name: str, told: Any) -> Endpoint:
    """An address, or that and labels."""
    known = told if isinstance(told, dict) else {"address": told}
    return endpoint("node", None, name, known["address"], labels=known.get("labels", {}), node=name)


def port(text: str) -> tuple[str, int]:
    protocol, _, number = text.partition("/")
    return protocol, int(number)


def endpoints(case: Case) -> dict[str, Endpoint]:
    pods = {key: pod(key, told, case.get("namespaces", {})) for key, told in case["pods"].items()}
    nodes = {name: node(name, told) for name, told in case.get("nodes", {}).items()}
    outside = case.get("outside", [])
    domains = outside if isinstance(outside, dict) else dict.fromkeys(outside)
    addresses = {ip: replace(endpoint("external", None, ip, ip), domain=domain) for ip, domain in domains.items()}
    return {**pods, **nodes, **addresses}


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
    left_open = up_to_plugin(policies, list(known.values()), edges, verdicts)
    words = map(word, verdicts.allowed, verdicts.unknown, left_open)
    assert dict(zip(case["edges"], words, strict=True)) == case["edges"]


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_naive_evaluator_says_the_same(path: Path) -> None:
    case = loaded(path)
    known = endpoints(case)
    ends = list(known.values())
    says = naively_of_cilium if path.stem.startswith("cilium-") else naively
    for text, expected in case["edges"].items():
        src, dst, protocol, port = edge(text, list(known))
        assert said(says(case["policies"], ends, (src, dst), (protocol, port))) == expected.partition(",")[0], text


def naively(policies: Any, ends: list[Endpoint], pair: tuple[int, int], service: tuple[int, int]) -> tuple[Any, Any]:
    return naive.verdict(policies, ends[pair[0]], ends[pair[1]], *service)


def naively_of_cilium(policies: Any, ends: list[Endpoint], pair: tuple[int, int], service: tuple[int, int]) -> Any:
    return cilium.verdict(policies, ends, ends[pair[0]], ends[pair[1]], service)


def said(sides: tuple[Any, Any]) -> str:
    if any(one in sides for one in (naive.DEFAULT_DENY, cilium.DENIED)):
        return "denied"
    return "unknown" if naive.UNKNOWN in sides else "allowed"


def test_there_is_a_case() -> None:
    assert len(CASES) == len({path.stem for path in CASES}) > 20
