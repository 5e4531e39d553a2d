"""Which labels a selector is made of."""

from time import process_time

import pytest

from analysis.policy.endpoints import Workload
from analysis.policy.recommend.labels import Choice, Labelled, Population, doubts
from analysis.policy.selectors import LabelSelector, Operator, Requirement

Pods = dict[str, dict[str, str]]


def workload(name: str, kind: str = "Deployment") -> Workload:
    return Workload("shop", name, kind)


def choose(pods: Pods, *targets: str) -> Choice:
    """Each workload has one pod."""
    return population(pods).choose([workload(name) for name in targets])


def population(pods: Pods) -> Population:
    return Population(Labelled(workload(name), labels, True) for name, labels in pods.items())


def equal(**labels: str) -> LabelSelector:
    return tuple(Requirement(key, Operator.IN, (value,)) for key, value in labels.items())


BOOKS = {
    "page": {"app": "page", "version": "v1"},
    "reviews-v1": {"app": "reviews", "version": "v1"},
    "reviews-v2": {"app": "reviews", "version": "v2"},
    "reviews-v3": {"app": "reviews", "version": "v3"},
}
RELEASE = {"app.kubernetes.io/instance": "cart", "app.kubernetes.io/name": "redis"}


@pytest.mark.parametrize(
    "pods, target, selector",
    [
        ({"a": {"app": "a", "tier": "x"}, "b": {"app": "b", "tier": "y"}}, "a", equal(app="a")),
        # One label that is exact by chance does not stand without the application's.
        (BOOKS, "reviews-v3", equal(app="reviews", version="v3")),
        # Of two that are exact the one that people use.
        (
            {"a": {"app.kubernetes.io/name": "a", "owner": "me"}, "b": {"app.kubernetes.io/name": "b"}},
            "a",
            (Requirement("app.kubernetes.io/name", Operator.IN, ("a",)),),
        ),
        # Never the hash of a rollout, nor the pod's own name.
        (
            {
                "a": {"app": "a", "pod-template-hash": "1", "statefulset.kubernetes.io/pod-name": "a-0"},
                "b": {"app": "b"},
            },
            "a",
            equal(app="a"),
        ),
        # A Helm chart with two parts.
        (
            {
                "master": {**RELEASE, "app.kubernetes.io/component": "master"},
                "replica": {**RELEASE, "app.kubernetes.io/component": "replica"},
            },
            "master",
            (
                Requirement("app.kubernetes.io/name", Operator.IN, ("redis",)),
                Requirement("app.kubernetes.io/component", Operator.IN, ("master",)),
            ),
        ),
        # What only the others have.
        (
            {"a": {"app": "a"}, "b": {"app": "a", "canary": "yes"}},
            "a",
            (Requirement("app", Operator.IN, ("a",)), Requirement("canary", Operator.DOES_NOT_EXIST)),
        ),
    ],
)
def test_the_fewest_lasting_labels_that_are_exact(pods: Pods, target: str, selector: LabelSelector) -> None:
    assert choose(pods, target) == Choice(selector, ())


def test_pods_of_a_cronjob_without_labels_are_those_of_some_job() -> None:
    pods = {"nightly": {"job-name": "nightly-29922023"}, "web": {"app": "web"}}
    assert choose(pods, "nightly").selector == (Requirement("job-name", Operator.EXISTS),)


def test_a_job_that_nobody_repeats_keeps_its_name() -> None:
    once, again = workload("once", "Job"), workload("again", "Job")
    pods = [Labelled(one, {"job-name": one.name}, True) for one in (once, again)]
    assert Population(pods).choose([once]).selector == (Requirement("job-name", Operator.IN, ("once",)),)


def test_one_label_for_all_of_an_application() -> None:
    (together,) = population(BOOKS).families([workload(name) for name in BOOKS if name != "page"])
    assert [one.name for one in together] == ["reviews-v1", "reviews-v2", "reviews-v3"]
    assert choose(BOOKS, "reviews-v1", "reviews-v2", "reviews-v3") == Choice(equal(app="reviews"), ())


def test_several_values_where_one_of_the_application_must_not() -> None:
    found = choose(BOOKS, "reviews-v2", "reviews-v3")
    versions = Requirement("version", Operator.IN, ("v2", "v3"))
    assert found == Choice((*equal(app="reviews"), versions), ())
    assert list(doubts(found)) == ["the label version may change with the next release"]


def test_different_applications_stay_peers_of_their_own() -> None:
    pods = {"a": {"app": "a"}, "b": {"app": "b"}, "c": {"app": "c"}}
    assert population(pods).families([workload("b"), workload("a")]) == [(workload("a"),), (workload("b"),)]


def test_who_cannot_be_told_apart_is_named() -> None:
    found = choose({"a": {"app": "same"}, "b": {"app": "same"}}, "a")
    assert found == Choice(equal(app="same"), (workload("b"),))
    assert list(doubts(found)) == ["shop/b selected as well: no label tells them apart"]


def test_a_pod_without_labels_is_those_who_have_none() -> None:
    found = choose({"bare": {}, "web": {"app": "web"}}, "bare")
    assert found == Choice((Requirement("app", Operator.DOES_NOT_EXIST),), ())
    assert list(doubts(found)) == ["whoever has no label app is selected, whatever comes later too"]
    assert list(doubts(choose({"bare": {}}, "bare"))) == [
        "every pod of the namespace is selected: these have no label of their own"
    ]


def test_labels_that_changed_are_those_of_now() -> None:
    gone = Labelled(workload("a"), {"run": "a"}, False)
    pods = [gone, Labelled(workload("a"), {"app": "a"}, True), Labelled(workload("b"), {"app": "b"}, True)]
    found = Population(pods).choose([workload("a")])
    assert found == Choice(equal(app="a"), (), (workload("a"),))
    assert list(doubts(found)) == ["pods of shop/a that are gone had other labels: those of now were taken"]


def test_a_label_that_the_api_server_refuses_is_the_last_resort() -> None:
    odd = {"app": "a b", "team": "x"}
    assert choose({"a": odd, "b": {"app": "b", "team": "y"}}, "a").selector == equal(team="x")
    found = choose({"a": odd, "b": {"app": "b", "team": "x"}}, "a")
    assert list(doubts(found)) == ["the API server refuses the label app"]


def test_a_pod_with_many_labels_does_not_slow_every_choice() -> None:
    """16,000 of one pod took 16 s for 200 workloads."""
    pods = {f"w{number}": {"app": f"w{number}"} for number in range(200)}
    everybody = population(pods | {"evil": {f"k{number}": "x" for number in range(16_000)}})
    begin = process_time()
    assert all(everybody.choose([workload(name)]).selector == equal(app=name) for name in pods)
    assert process_time() - begin < 5
