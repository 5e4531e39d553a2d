"""The difference of two random sets of Calico's or Cilium's policies against their verdicts, edge by edge."""

from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.policy.changes import Changes
from analysis.policy.endpoints import ABSENT, Columns, Mask
from analysis.policy.evaluate import ALWAYS, Edges, evaluate
from analysis.policy.grid import Grid, states_of
from analysis.policy.space import Space, space_of
from tests.property.test_policy_diff import sampled, written
from tests.support import calico, cilium

CASES = 150
Document = dict[str, Any]


def two_sets(random: Random, dialect: Any) -> tuple[list[Document], list[Document]]:
    """Mostly alike, so that single rules make the difference."""
    first = dialect.policy_set(random)
    second = [one for one in first if one["kind"] == "Tier" or random.random() < 0.7] + dialect.policy_set(random)
    return distinct(first), distinct(second)


def distinct(documents: list[Document]) -> list[Document]:
    found = {}
    for one in documents:
        metadata = one["metadata"]
        found.setdefault((one["kind"], metadata.get("namespace", "default"), metadata["name"]), one)
    return list(found.values())


def untold(space: Space, edges: Edges) -> Mask:
    """A pod and a node, of which one says nothing of where it is: nobody knows whether it is the pod's own."""
    columns = Columns(space.endpoints)
    src, dst = edges.src, edges.dst
    nowhere = columns.node_numbers == ABSENT
    mixed = (columns.pods[src] & columns.nodes[dst]) | (columns.nodes[src] & columns.pods[dst])
    return np.asarray(mixed & (nowhere[src] | nowhere[dst]))


@pytest.mark.parametrize("dialect", [calico, cilium], ids=["calico", "cilium"])
@settings(max_examples=CASES)
@given(seed=st.integers(0, 2**63))
def test_what_it_says_of_the_first_set_gives_the_second(folder: Path, dialect: Any, seed: int) -> None:
    random = Random(seed)
    endpoints = dialect.cluster(random)
    known = [one for one in endpoints if one.kind != "external"]
    first, second = (written(folder, documents) for documents in two_sets(random, dialect))
    space = space_of((first, second), known, [one for one in endpoints if one.kind == "external"])
    changes = Changes(Grid(space, 0), Grid(space, 1), len(space.ports.classes))
    edges = sampled(random, space, 1)
    verdicts = [evaluate(policies, space.endpoints, edges) for policies in (first, second)]
    before, after = (states_of(one) for one in verdicts)
    judged = ~untold(space, edges)
    for one in verdicts:
        judged &= (one.egress != ALWAYS) | (one.ingress != ALWAYS)
    of_class = space.ports.numbers(edges.protocol, edges.port)
    places = space.places(edges.src, edges.dst), space.places(edges.dst, edges.src)
    numbers = changes.numbers(*places, of_class)
    applied = before.copy()
    for number in np.unique(numbers[numbers != ABSENT]).tolist():
        for step in changes.found[number].steps:
            here = judged & (numbers == number) & (of_class == step.number)
            assert (before[here] == step.before).all()
            applied[here] = step.after
    assert (applied[judged] == after[judged]).all()
