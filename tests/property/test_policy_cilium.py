"""Cilium's policies against their naive twin, on any small cluster and policy set."""

from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.policy.evaluate import ALWAYS, DEFAULT_DENY, NOT_ISOLATED, Edges, Verdicts, evaluate
from analysis.policy.rules import Action, Policies
from tests.naive import cilium as naive
from tests.support.cilium import cluster, policy_set
from tests.support.policies import PORTS, written

CASES = 1_000
EDGES = 40
# Nodes and addresses outside, of which the last of every cluster are made.
PODS_LAST = 6
TURNED = 0.5
SERVICES = tuple((protocol, port) for protocol in (6, 17, 132) for port in (*PORTS, 81, 580, -1))
OTHERS = ((1, -1), (58, -1), (47, -1))
WORDS = {NOT_ISOLATED: naive.NOT_ISOLATED, DEFAULT_DENY: naive.DEFAULT_DENY, ALWAYS: naive.ALWAYS}

Edge = tuple[int, int, int, int]


def some_edges(random: Random, endpoints: int) -> list[Edge]:
    return [
        (random.randrange(endpoints), random.randrange(endpoints), *random.choice(SERVICES + OTHERS))
        for _ in range(EDGES)
    ]


def judged(policies: Policies, endpoints: Any, edges: list[Edge]) -> Verdicts:
    return evaluate(policies, endpoints, Edges(*np.array(edges, np.int64).T))


def word(policies: Policies, side: int) -> str:
    if side < 0:
        return WORDS[side]
    rule = policies.rules[side]
    if rule.unsure:
        return naive.UNKNOWN
    return naive.ALLOWED if rule.action is Action.ALLOW else naive.DENIED


@settings(max_examples=CASES)
@given(st.integers(0, 2**63))
def test_verdicts_are_the_naive_ones(folder: Path, seed: int) -> None:
    random = Random(seed)
    endpoints, documents = cluster(random), policy_set(random)
    edges = some_edges(random, len(endpoints))
    policies = written(folder, documents)
    found = judged(policies, endpoints, edges)
    for row, (src, dst, protocol, port) in enumerate(edges):
        sides = naive.verdict(documents, endpoints, endpoints[src], endpoints[dst], (protocol, port))
        told = (word(policies, int(found.egress[row])), word(policies, int(found.ingress[row])))
        assert told == sides, (seed, documents, endpoints[src], endpoints[dst], protocol, port)
        assert bool(found.denied[row]) == bool({naive.DENIED, naive.DEFAULT_DENY} & set(sides))
        assert bool(found.unknown[row]) == (naive.UNKNOWN in sides and not found.denied[row])
