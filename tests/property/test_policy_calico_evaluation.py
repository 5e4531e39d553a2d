"""Calico's policies against their naive twin, on any small cluster and set of tiers, policies and network sets."""

from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.policy.evaluate import ALWAYS, DEFAULT_DENY, NOT_ISOLATED, Edges, evaluate
from analysis.policy.rules import Policies
from tests.naive import calico as naive
from tests.support.calico import cluster, policy_set
from tests.support.policies import written

CASES = 1_000
EDGES = 60
WORDS = {NOT_ISOLATED: naive.NOT_ISOLATED, DEFAULT_DENY: naive.DEFAULT_DENY, ALWAYS: naive.ALWAYS}
SERVICES = (
    *((protocol, port) for protocol in (6, 17, 132) for port in (53, 80, 90, 91, 443, 8080, 0, -1)),
    *((protocol, -1) for protocol in (1, 58, 47, 136)),
)


def some_edges(random: Random, endpoints: int) -> list[tuple[int, int, int, int]]:
    pairs = ((int(endpoints * random.random() ** 1.5), int(endpoints * random.random() ** 1.5)) for _ in range(EDGES))
    return [(src, dst, *random.choice(SERVICES)) for src, dst in pairs]


def told(policies: Policies, verdict: int) -> str:
    if verdict < 0:
        return WORDS[verdict]
    rule = policies.rules[verdict]
    action = naive.UNKNOWN if rule.unsure else rule.action.value.capitalize()
    return f"{action} {rule.origin.partition(' in ')[0]}"


@settings(max_examples=CASES)
@given(st.integers(0, 2**63))
def test_verdicts_are_the_naive_ones(folder: Path, seed: int) -> None:
    random = Random(seed)
    endpoints, documents = cluster(random), policy_set(random)
    edges = some_edges(random, len(endpoints))
    policies = written(folder, _distinct(documents))
    world = naive.World(_distinct(documents), endpoints)
    found = evaluate(policies, endpoints, Edges(*np.array(edges, np.int64).T))
    for row, (src, dst, protocol, port) in enumerate(edges):
        sides = naive.verdict(world, endpoints[src], endpoints[dst], protocol, port)
        case = (documents, endpoints[src], endpoints[dst], protocol, port)
        assert (told(policies, found.egress[row]), told(policies, found.ingress[row])) == sides, case
        assert bool(found.denied[row]) == any(map(naive.is_denied, sides)), case
        open_to_all = not any(naive.is_denied(one) or naive.is_unknown(one) for one in sides)
        assert bool(found.allowed[row]) == open_to_all, case


def _distinct(documents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One name can be in a set but once."""
    found = {}
    for one in documents:
        metadata = one["metadata"]
        found[one["apiVersion"], one["kind"], metadata.get("namespace"), metadata["name"]] = one
    return list(found.values())
