"""The evaluator against its naive twin, on any small cluster and policy set."""

import json
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.policy.evaluate import (
    ALWAYS,
    DEFAULT_DENY,
    NOT_ISOLATED,
    UNKNOWN,
    Edges,
    Verdicts,
    columns_of,
    evaluate,
    up_to_plugin,
)
from analysis.policy.rules import Policies
from tests.naive import policy as naive
from tests.support.policies import PORTS, cluster, policy_set, written

CASES = 2_000
EDGES = 60
WORDS = {
    NOT_ISOLATED: naive.NOT_ISOLATED,
    DEFAULT_DENY: naive.DEFAULT_DENY,
    ALWAYS: naive.ALWAYS,
    UNKNOWN: naive.UNKNOWN,
}

seeds = st.integers(0, 2**63)


def some_edges(random: Random, endpoints: int) -> list[tuple[int, int, int, int]]:
    return [
        (random.randrange(endpoints), random.randrange(endpoints), *random.choice(NAMEABLE + OTHERS))
        for _ in range(EDGES)
    ]


NAMEABLE = tuple((protocol, port) for protocol in (6, 17, 132) for port in (*PORTS, 79, 81, 107, 580, 581, 0, -1))
OTHERS = ((1, -1), (58, -1), (47, -1))


def columns(edges: Sequence[tuple[int, int, int, int]]) -> Edges:
    return Edges(*np.array(edges, np.int64).reshape(-1, 4).T)


def origin(rule: tuple[str, str, str, int]) -> str:
    namespace, name, direction, number = rule
    return f"NetworkPolicy/{namespace}/{name} {direction}[{number}]"


def explained(policies: Policies, verdict: int, naively: naive.Side) -> bool:
    """The rule that is named is one of those that allow, or the word is the same."""
    if isinstance(naively, list):
        return verdict >= 0 and policies.rules[verdict].origin.partition(" in ")[0] in map(origin, naively)
    return WORDS.get(verdict) == naively


def compared(policies: Policies, documents: Any, endpoints: Any, edges: Any, found: Verdicts) -> None:
    for row, (src, dst, protocol, port) in enumerate(edges):
        sides = naive.verdict(documents, endpoints[src], endpoints[dst], protocol, port)
        case = (documents, endpoints[src], endpoints[dst], protocol, port)
        assert bool(found.allowed[row]) == naive.is_allowed(sides), case
        assert explained(policies, int(found.egress[row]), sides[0]), case
        assert explained(policies, int(found.ingress[row]), sides[1]), case


@settings(max_examples=CASES)
@given(seeds)
def test_verdicts_are_the_naive_ones(folder: Path, seed: int) -> None:
    random = Random(seed)
    endpoints, documents = cluster(random), policy_set(random)
    edges = some_edges(random, len(endpoints))
    policies = written(folder, documents)
    compared(policies, documents, endpoints, edges, evaluate(policies, endpoints, columns(edges)))


@settings(max_examples=100)
@given(seeds)
def test_one_more_policy_that_only_allows_never_takes_away_from_whom_is_isolated(folder: Path, seed: int) -> None:
    random = Random(seed)
    endpoints, documents = cluster(random), policy_set(random)
    edges = columns(some_edges(random, len(endpoints)))
    fewer = evaluate(written(folder, documents[:-1]), endpoints, edges)
    more = evaluate(written(folder, documents), endpoints, edges)
    isolated = (fewer.egress != NOT_ISOLATED) & (fewer.ingress != NOT_ISOLATED)
    assert not (isolated & fewer.allowed & ~more.allowed).any()


@settings(max_examples=100)
@given(seeds)
def test_what_is_up_to_the_plugin_hangs_on_an_address_of_a_pod_or_has_no_port(folder: Path, seed: int) -> None:
    random = Random(seed)
    endpoints, documents = cluster(random), policy_set(random)
    edges = columns(some_edges(random, len(endpoints)))
    policies = written(folder, documents)
    verdicts = evaluate(policies, endpoints, edges)
    marked = up_to_plugin(policies, columns_of(policies, endpoints), edges, verdicts)
    assert marked[verdicts.unknown].all()
    assert not marked[verdicts.denied].any()
    assert not (verdicts.denied & verdicts.allowed).any()
    for row in np.flatnonzero(marked & ~verdicts.unknown):
        assert "pod" in (endpoints[edges.src[row]].kind, endpoints[edges.dst[row]].kind)
        assert "ipBlock" in json.dumps(documents)


def test_no_policies_allow_everything(folder: Path) -> None:
    endpoints = cluster(Random(1))
    edges = columns(some_edges(Random(2), len(endpoints)))
    verdicts = evaluate(Policies(()), endpoints, edges)
    assert verdicts.allowed.all()
    assert set(verdicts.egress) | set(verdicts.ingress) <= {NOT_ISOLATED, ALWAYS}


def test_no_edges_have_no_verdicts(folder: Path) -> None:
    random = Random(1)
    verdicts = evaluate(written(folder, policy_set(random)), cluster(random), columns([]))
    assert len(verdicts.allowed) == len(verdicts.egress) == len(verdicts.ingress) == 0
