"""Where policies are easily misread (docs/policy.md): one case each, named for it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from analysis.policy.dialects import read_policies
from analysis.policy.endpoints import PROTOCOLS, Endpoint
from analysis.policy.evaluate import Edges, columns_of, evaluate, up_to_plugin
from tests.naive import calico, cilium
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
    account = {"service_account": told.get("serviceAccount"), "service_account_labels": told.get("accountLabels", {})}
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
    return replace(found, **account)


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
    outside = {ip: endpoint("external", None, ip, ip) for ip in case.get("outside", [])}
    domains = case.get("domains", {})
    return {**pods, **nodes, **{ip: replace(one, domain=domains.get(ip)) for ip, one in outside.items()}}


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
    left_open = up_to_plugin(policies, columns_of(policies, list(known.values())), edges, verdicts)
    words = map(word, verdicts.allowed, verdicts.unknown, left_open)
    assert dict(zip(case["edges"], words, strict=True)) == case["edges"]


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_naive_evaluator_says_the_same(path: Path) -> None:
    case = loaded(path)
    known = endpoints(case)
    ends = list(known.values())
    for text, expected in case["edges"].items():
        src, dst, protocol, port = edge(text, list(known))
        assert said(case, ends, (ends[src], ends[dst], protocol, port)) == expected.partition(",")[0], text


def said(case: Case, ends: list[Endpoint], edge: calico.Edge) -> str:
    versions = " ".join(one["apiVersion"] for one in case["policies"])
    if "projectcalico.org" in versions:
        sides = calico.verdict(calico.World(case["policies"], ends), *edge)
        unknown = any(map(calico.is_unknown, sides))
        return "denied" if any(map(calico.is_denied, sides)) else "unknown" if unknown else "allowed"
    if "cilium.io" in versions:
        return word_of(cilium.verdict(case["policies"], ends, edge[0], edge[1], edge[2:]))
    return word_of(naive.verdict(case["policies"], *edge))


def word_of(sides: tuple[naive.Side, naive.Side]) -> str:
    if naive.DEFAULT_DENY in sides or cilium.DENIED in sides:
        return "denied"
    return "unknown" if naive.UNKNOWN in sides else "allowed"


def test_there_is_a_case() -> None:
    assert len(CASES) == len({path.stem for path in CASES}) > 20
