"""The difference of two random sets of policies against their verdicts, edge by edge."""

import ipaddress
import json
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.policy.changes import Changes
from analysis.policy.diff import diff
from analysis.policy.endpoints import ABSENT, Endpoint
from analysis.policy.evaluate import ALWAYS, Edges, evaluate
from analysis.policy.grid import Grid, states_of
from analysis.policy.space import Space, space_of
from tests.support.policies import cluster, endpoint, policy_set, written

CASES = 300
seeds = st.integers(0, 2**63)


def two_sets(random: Random) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Mostly alike, so that single rules make the difference."""
    first = policy_set(random)
    second = [one for one in first if random.random() < 0.7] + policy_set(random)[: random.randint(0, 2)]
    return first, [one | {"metadata": {**one["metadata"], "name": f"p{number}"}} for number, one in enumerate(second)]


def ends(random: Random) -> tuple[list[Endpoint], list[Endpoint]]:
    """The cluster, and addresses outside: some beside the borders of blocks, some anywhere."""
    known = [one for one in cluster(random) if one.kind != "external"]
    found = ["198.51.100.127", "198.51.100.128", "198.51.100.200", "198.51.100.199", "10.0.255.255", "10.1.0.0"]
    found += [str(ipaddress.IPv4Address(random.getrandbits(32))) for _ in range(4)]
    found += ["fd00::", "fd00::ffff", "2001:db8::1", str(ipaddress.IPv6Address(random.getrandbits(128)))]
    return known, [endpoint("external", None, one, one) for one in found]


def sampled(random: Random, space: Space, count: int) -> Edges:
    """Every class of ports, on its borders and inside, between any ends."""
    services = []
    for one in space.ports.classes:
        for span in one.spans:
            services += [(span.protocol, port) for port in {span.first, span.last, random.randint(*span[1:])}]
    real = [*range(space.known), *range(space.recorded, len(space.endpoints))]
    edges = [(random.choice(real), random.choice(real), *service) for service in services for _ in range(count)]
    return Edges(*np.array(edges, np.int64).T)


@settings(max_examples=CASES)
@given(seeds)
def test_what_it_says_of_the_first_set_gives_the_second(folder: Path, seed: int) -> None:
    random = Random(seed)
    known, outside = ends(random)
    first, second = (written(folder, documents) for documents in two_sets(random))
    space = space_of((first, second), known, outside)
    changes = Changes(Grid(space, 0), Grid(space, 1), len(space.ports.classes))
    edges = sampled(random, space, 1)
    verdicts = [evaluate(policies, space.endpoints, edges) for policies in (first, second)]
    always = np.zeros(len(edges.src), np.bool_)
    for one in verdicts:
        always |= (one.egress == ALWAYS) & (one.ingress == ALWAYS)
    before, after = (states_of(one) for one in verdicts)
    of_class = space.ports.numbers(edges.protocol, edges.port)
    assert (of_class != ABSENT).all()
    places = space.places(edges.src, edges.dst), space.places(edges.dst, edges.src)
    numbers = changes.numbers(*places, of_class)
    applied = before.copy()
    for number in np.unique(numbers[numbers != ABSENT]).tolist():
        at = (numbers == number) & ~always
        for step in changes.found[number].steps:
            here = at & (of_class == step.number)
            assert (before[here] == step.before).all()
            applied[here] = step.after
    assert (applied[~always] == after[~always]).all()


@settings(max_examples=100)
@given(seeds)
def test_the_same_policies_in_another_order_and_other_words_are_the_same(folder: Path, seed: int) -> None:
    random = Random(seed)
    known, outside = ends(random)
    documents = policy_set(random)
    other = json.loads(json.dumps(documents))
    random.shuffle(other)
    for number, document in enumerate(other):
        document["metadata"]["name"] = f"other-{number}"
        for direction in ("ingress", "egress"):
            random.shuffle(document["spec"].get(direction, []))
    found = diff(written(folder, documents), written(folder, other), known)
    assert found.rows.to_pylist() == []
    assert found.same
    assert found.before.pairs == found.after.pairs


@settings(max_examples=100)
@given(seeds)
def test_the_other_way_round_what_closes_opens(folder: Path, seed: int) -> None:
    random = Random(seed)
    known, _ = ends(random)
    first, second = (written(folder, documents) for documents in two_sets(random))
    there, back = diff(first, second, known), diff(second, first, known)
    turned = {"opens": "closes", "closes": "opens"}
    assert sorted(repr(row) for row in there.rows.to_pylist()) == sorted(
        repr(row | {"change": turned[row["change"]]}) for row in back.rows.to_pylist()
    )
