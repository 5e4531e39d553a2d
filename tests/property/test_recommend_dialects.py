"""Calico and Cilium: whatever things are called the text reads back, and every dialect opens the same edges."""

from dataclasses import replace
from itertools import product
from random import Random

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.policy.calico.labels import PodLabels
from analysis.policy.calico.selector import parsed
from analysis.policy.dialects import policies_of
from analysis.policy.documents import documents_of
from analysis.policy.endpoints import Columns, Endpoint, Workload
from analysis.policy.evaluate import Edges, evaluate
from analysis.policy.recommend.calico_selector import KEY, selector_text
from analysis.policy.recommend.dialects import Dialect, writer
from analysis.policy.recommend.labels import Labelled, Population, matches
from analysis.policy.recommend.model import PodPeer, Recommendation, Style
from analysis.policy.rules import PortRange
from analysis.policy.selectors import LabelSelector, Operator, Requirement
from tests.support.policies import endpoint
from tests.support.recommendations import NASTY, addresses, allow, draft, pods, recommendation, text

# And what means something to the selectors of either.
HOSTILE = (
    *NASTY,
    "'\"",
    "a'b\"c'd\"",
    "' || all()",
    '" || all() || "',
    "all()",
    "has(app)",
    "in",
    "}",
    "k8s:app",
    "reserved:world",
)
STYLES = (
    (Dialect.CALICO, Style()),
    (Dialect.CALICO, Style(staged=True, domains=True)),
    (Dialect.CILIUM, Style()),
)
TEXTS = st.sampled_from(HOSTILE) | st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
REQUIREMENTS = st.builds(
    lambda key, operator, values: Requirement(
        key, operator, tuple(values) if operator in (Operator.IN, Operator.NOT_IN) else ()
    ),
    st.sampled_from(("app", "a.b/c-d_e", "in", "has")) | TEXTS,
    st.sampled_from(Operator),
    st.lists(TEXTS, min_size=1, max_size=3),
)
SELECTORS = st.lists(REQUIREMENTS, max_size=3).map(tuple)


def named(selector: LabelSelector, name: str, domain: str, namespace: str) -> Recommendation:
    workload = Workload("shop", name, "Deployment")
    outside, peer = addresses("198.51.100.7", domain=domain), PodPeer(namespace, selector, (workload,))
    one = draft(ingress=[allow(peer)], egress=[allow(peer), allow(outside)], workload=workload, selector=selector)
    found = recommendation(one)
    return replace(found, words=(name, domain))


@pytest.mark.parametrize(("dialect", "style"), STYLES)
@given(SELECTORS, TEXTS, TEXTS, TEXTS)
@settings(max_examples=50)
def test_any_text_reads_back_as_it_was(
    dialect: Dialect, style: Style, selector: LabelSelector, name: str, domain: str, namespace: str
) -> None:
    found = named(selector, name, domain, namespace)
    written = text(found, dialect, style)
    documents = list(yaml.safe_load_all(written))
    assert documents == [manifest.plain for manifest in writer(dialect, style)(found)]
    assert all(line.isprintable() for line in written.split("\n"))
    assert text(named(selector, name, domain, namespace), dialect, style) == written
    (of_one,) = (one for one in documents if "annotations" in one["metadata"])
    assert of_one["metadata"]["annotations"]["tailrace/workload"] == f"Deployment/{name}"


@pytest.mark.parametrize(("dialect", "style"), STYLES)
@given(SELECTORS, TEXTS, TEXTS)
@settings(max_examples=50)
def test_whatever_is_written_is_a_policy(
    dialect: Dialect, style: Style, selector: LabelSelector, name: str, domain: str
) -> None:
    """What no label or domain can be is left out or said in another way, so that the strict readers take the rest."""
    written = text(named(selector, name, domain, "data"), dialect, style)
    assert policies_of(documents_of(written, "the test")).sections


@given(
    SELECTORS, st.lists(st.dictionaries(st.sampled_from(("app", "in", "has")), TEXTS), min_size=1, max_size=4), TEXTS
)
@settings(max_examples=500)
def test_a_selector_of_calico_selects_the_same(selector: LabelSelector, pods: list[dict[str, str]], value: str) -> None:
    """More where the language cannot say it, and never less."""
    pods = [*pods, *({one.key: (*one.values, value)[0]} for one in selector)]
    rows = Columns([endpoint("pod", "shop", str(number), None, labels=labels) for number, labels in enumerate(pods)])
    found = parsed(selector_text(selector)).mask(PodLabels(rows))
    wanted = np.array([matches(selector, labels) for labels in pods])
    assert (found | ~wanted).all()
    if all(KEY.fullmatch(one.key) and not any({*"'\""} <= {*value} for value in one.values) for one in selector):
        assert found.tolist() == wanted.tolist()


APPS = ("web", "api", "db", "job")
NAMESPACES = ("shop", "data")
PORTS = ((6, 80), (6, 443), (17, 53), (132, 9))
ADDRESSES = ("198.51.100.7", "203.0.113.9", "192.0.2.1")


def cluster() -> list[Endpoint]:
    homes = [*product(NAMESPACES, APPS)]
    found = [
        endpoint("pod", namespace, app, f"10.0.0.{number}", labels={"app": app, "tier": "x"}, node="n1")
        for number, (namespace, app) in enumerate(homes, 1)
    ]
    return [*found, *(endpoint("external", None, one, one) for one in ADDRESSES)]


def of_edges(edges: set[tuple[int, int, int]], endpoints: list[Endpoint]) -> Recommendation:
    """A draft for each pod, with a rule for each edge: (src, dst, which port)."""
    workloads = [Workload(one.namespace or "", one.name, "Deployment") for one in endpoints]
    people = {
        namespace: Population(
            [
                Labelled(workload, one.labels, True)
                for workload, one in zip(workloads, endpoints, strict=True)
                if one.namespace == namespace
            ]
        )
        for namespace in NAMESPACES
    }

    def peer(number: int) -> PodPeer:
        one = workloads[number]
        return PodPeer(one.namespace, people[one.namespace].choose((one,)).selector, (one,))

    drafts = []
    for number, one in enumerate(endpoints):
        if one.kind != "pod":
            continue
        rules = {}
        for side, other in ((1, 0), (0, 1)):
            rules[side] = [
                allow(
                    peer(edge[other])
                    if endpoints[edge[other]].kind == "pod"
                    else addresses(endpoints[edge[other]].name),
                    ports=(PortRange(PORTS[edge[2]][0], PORTS[edge[2]][1], PORTS[edge[2]][1]),),
                )
                for edge in sorted(edges)
                if edge[side] == number
            ]
        drafts.append(
            draft(ingress=rules[1], egress=rules[0], workload=workloads[number], selector=peer(number).selector)
        )
    return recommendation(*drafts, dns=allow(pods("dns", "kube-system"), ports=(PortRange(17, 53, 53),)))


@pytest.mark.parametrize("dialect", list(Dialect))
@given(st.integers(0, 2**32))
@settings(max_examples=40)
def test_every_dialect_opens_what_was_meant_and_no_more(dialect: Dialect, seed: int) -> None:
    random, endpoints = Random(seed), cluster()
    asked = [
        (src, dst, port)
        for src, dst, port in product(range(len(endpoints)), range(len(endpoints)), range(len(PORTS)))
        if src != dst and "pod" in (endpoints[src].kind, endpoints[dst].kind)
    ]
    edges = set(random.sample(asked, random.randint(1, 20)))
    written = text(of_edges(edges, endpoints), dialect)
    src, dst, port = np.array(asked).T
    protocols, numbers = np.array(PORTS).T
    verdicts = evaluate(
        policies_of(documents_of(written, "the test")), endpoints, Edges(src, dst, protocols[port], numbers[port])
    )
    assert not verdicts.unknown.any()
    assert {edge for edge, allowed in zip(asked, verdicts.allowed, strict=True) if allowed} == edges
