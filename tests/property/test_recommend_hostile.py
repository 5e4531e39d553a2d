"""Whatever pods, labels and domains are called: the text reads back as the same strings, and says the same every time."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.policy.endpoints import Workload
from analysis.policy.history import Window
from analysis.policy.recommend import kubernetes
from analysis.policy.recommend.labels import Labelled, Population, matches
from analysis.policy.recommend.manifest import Commented, Manifest, text_of
from analysis.policy.recommend.model import (
    AddressPeer,
    Allowance,
    Draft,
    Evidence,
    NamespaceDraft,
    Outside,
    PodPeer,
    Recommendation,
    network_of,
)
from analysis.policy.rules import Direction, PortRange
from analysis.policy.selectors import Operator
from tests.support.history import NOON
from tests.support.recommendations import NASTY

TEXTS = st.sampled_from(NASTY) | st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
LABELS = st.dictionaries(TEXTS, TEXTS, max_size=4)


def recommendation(labels: dict[str, str], name: str, domain: str, namespace: str) -> Recommendation:
    workload = Workload(namespace, name, "Deployment")
    other = Workload(namespace, "other", "Deployment")
    pods = Population([Labelled(workload, labels, True), Labelled(other, {"app": "other"}, True)])
    end = Outside("198.51.100.7", domain)
    seen = Evidence(workload, end, 6, 443, 3, 0, 0, 100, NOON, NOON + timedelta(seconds=1))
    ports = (PortRange(6, 443, 443),)
    selector = pods.choose((workload,)).selector
    allowances = (
        Allowance((AddressPeer((network_of("198.51.100.7"),), domain),), ports, (seen,), (domain,)),
        Allowance((PodPeer("elsewhere", selector, (workload,)),), ports, (seen,)),
    )
    draft = Draft(workload, selector, {Direction.EGRESS: allowances}, (name,))
    window = Window(NOON, NOON + timedelta(days=1))
    return Recommendation(window, (NamespaceDraft(namespace, (), (draft,), (other,)),), (), (domain, name), {})


@given(LABELS, TEXTS, TEXTS, TEXTS)
@settings(max_examples=300)
def test_any_text_reads_back_as_it_was(labels: dict[str, str], name: str, domain: str, namespace: str) -> None:
    found = recommendation(labels, name, domain, namespace)
    manifests = kubernetes.manifests(found)
    text = text_of(found.words, manifests)
    documents = list(yaml.safe_load_all(text))
    assert documents == [manifest.plain for manifest in manifests]
    assert all(line.isprintable() for line in text.split("\n"))
    assert text_of(found.words, kubernetes.manifests(recommendation(labels, name, domain, namespace))) == text
    (of_one,) = (one for one in documents if "annotations" in one["metadata"])
    assert of_one["metadata"]["annotations"]["tailrace/workload"] == f"Deployment/{name}"
    assert of_one["metadata"]["namespace"] == namespace
    for key, value in of_one["spec"]["podSelector"].get("matchLabels", {}).items():
        assert labels[key] == value


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=12,
)


@given(st.lists(st.tuples(VALUES, st.lists(TEXTS, max_size=2)), max_size=4), st.lists(TEXTS, max_size=3))
@settings(max_examples=300)
def test_any_document_reads_back_with_comments_anywhere(entries: list[tuple[Any, list[str]]], head: list[str]) -> None:
    document = {"kind": "Any", "spec": {"rules": [Commented(value, tuple(lines)) for value, lines in entries]}}
    manifest = Manifest(document, tuple(head))
    assert list(yaml.safe_load_all(text_of(head, [manifest, manifest]))) == [manifest.plain, manifest.plain]


POPULATIONS = st.lists(
    st.dictionaries(st.sampled_from(("app", "tier", "version", "job-name", "x")), st.sampled_from("abc"), max_size=4),
    min_size=2,
    max_size=8,
)


def narrowest(labels: Mapping[str, str], pods: list[Labelled], targets: set[Workload]) -> bool:
    """Whether nothing that all targets have in common tells these labels from theirs."""
    own = [pod.labels for pod in pods if pod.workload in targets]

    def alike(key: str) -> bool:
        values = {one[key] for one in own if key in one}
        if not values:
            return key not in labels or key == "job-name"
        if not all(key in one for one in own):
            return True
        return key in labels and (labels[key] in values or key == "job-name")

    return all(map(alike, ("app", "tier", "version", "job-name", "x")))


@given(POPULATIONS, st.data())
@settings(max_examples=500)
def test_a_selector_selects_its_pods_and_those_it_says(labels: list[dict[str, str]], data: st.DataObject) -> None:
    """Of five workloads, with any labels: as few of the others as any selector could."""
    pods = [Labelled(Workload("shop", f"w{n % 5}", "Deployment"), one, True) for n, one in enumerate(labels)]
    targets = data.draw(st.sets(st.sampled_from([pod.workload for pod in pods]), min_size=1))
    choice = Population(pods).choose(targets)
    selected = {pod.workload for pod in pods if matches(choice.selector, pod.labels)}
    assert targets <= selected
    assert selected - targets == set(choice.others)
    assert selected == {pod.workload for pod in pods if narrowest(pod.labels, pods, targets)}
    assert not any(one.key == "job-name" and one.operator is Operator.IN for one in choice.selector)
