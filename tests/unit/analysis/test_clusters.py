"""Several clusters in one lake: every question can be narrowed to one, and the doctor examines each by itself."""

from datetime import timedelta
from pathlib import Path

import pytest

from analysis.clusters import clusters, span_of
from analysis.detect.detections import detect
from analysis.dns.doctor import examine_each
from analysis.dns.examination import NO_SERVICES, NOTHING_ASKED, Report
from analysis.dns.explain.asked import Asked, Client
from analysis.dns.explain.instead import Instead
from analysis.dns.explain.story import Story, explain
from analysis.questions import ask
from store.lake import Lake
from store.views import RECORDS, UNTOLD
from tests.support.kubernetes_objects import service
from tests.support.lake import HOSTILE
from tests.support.names import NOON, capture, make_names, pod, resolution, transaction
from tests.support.two_clusters import EAST, LEGACY, MISSPELT, WEST, two_clusters

API = Client("shop", "api")


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    return two_clusters(tmp_path_factory.mktemp("both") / "lake")


def told(report: Report) -> set[tuple[str, str]]:
    return {(one.diagnosis, one.subject) for one in report.findings}


@pytest.mark.parametrize("name", [EAST, None, *HOSTILE, "it's", "' or true --"])
def test_only_the_records_of_the_cluster_are_read(tmp_path: Path, name: str | None) -> None:
    lake = two_clusters(tmp_path / "lake", east=name)
    with lake.connect(cluster=UNTOLD if name is None else name) as narrowed, lake.connect() as whole:
        for table in ("coverage", "objects", RECORDS["dns"], RECORDS["resolutions"], "dns", "resolutions"):
            wanted = whole.sql(f"select count(*) from {table} where cluster is not distinct from $1", params=[name])
            query = f"select count(*), count(*) filter (where cluster is distinct from $1) from {table}"
            assert narrowed.sql(query, params=[name]).fetchall() == [(wanted.fetchall()[0][0], 0)]
            assert wanted.fetchall()[0][0] > 0


def test_records_that_tell_no_cluster_are_of_none_that_is_named(tmp_path: Path) -> None:
    lake = make_names(tmp_path, dns=[transaction(1, "a.example", cluster=None)])
    assert [ask(lake, "dns/search", {"cluster": name}).table.num_rows for name in (None, UNTOLD, EAST)] == [1, 1, 0]


def test_the_clusters_of_a_lake(both: Lake, tmp_path: Path) -> None:
    assert clusters(both) == [EAST, WEST]
    unnamed = make_names(tmp_path, coverage=[capture(None), capture(EAST)])
    assert clusters(unnamed) == [EAST, UNTOLD]
    assert span_of(both, EAST) == (capture(EAST)["from_time"], capture(EAST)["until_time"])
    assert span_of(both, None) == both.span() != span_of(both, EAST)


def test_each_cluster_is_examined_by_itself(both: Lake) -> None:
    report = examine_each(both, {}, ["misspelt", "servfail"])
    assert told(report) == {
        ("misspelt", f"cluster {EAST}: shop/api → {MISSPELT}"),
        ("servfail", f"cluster {WEST}: {LEGACY}"),
    }
    assert (report.silent, report.unjudged) == ([], [])
    for finding in report.findings:
        cluster = finding.look["cluster"]
        assert finding.evidence["cluster"] == cluster
        assert finding.subject.startswith(f"cluster {cluster}: ")


def test_a_cluster_that_is_named_is_examined_alone(both: Lake) -> None:
    names = ["misspelt", "servfail"]
    reports = {cluster: examine_each(both, {"cluster": cluster}, names) for cluster in (EAST, WEST)}
    assert told(reports[EAST]) == {("misspelt", f"shop/api → {MISSPELT}")}
    assert told(reports[WEST]) == {("servfail", LEGACY)}
    assert all("cluster" not in finding.look for report in reports.values() for finding in report.findings)


def test_what_is_said_of_one_cluster_names_it(tmp_path: Path) -> None:
    asked = [transaction(number, "a.example", cluster=cluster) for number, cluster in enumerate((EAST, WEST))]
    objects = [service("shop", "cart", "10.96.0.1", cluster=EAST)]
    lake = make_names(tmp_path, dns=asked, coverage=[capture(EAST), capture(WEST)], objects=objects)
    report = examine_each(lake, {}, ["misspelt"])
    assert [one.name for one in report.silent] == ["misspelt"]
    assert [one.why for one in report.unjudged] == [f"cluster {WEST}: {NO_SERVICES}"]


def test_a_cluster_in_which_nothing_was_asked_is_left_out(tmp_path: Path) -> None:
    """Neither a client of west alone, nor a time in which west alone was recorded, says anything of east."""
    early = transaction(0, "a.example", cluster=EAST)
    late = transaction(900, "a.example", cluster=WEST, client=pod("exporter", "10.244.1.12", "ops"))
    lake = make_names(tmp_path, dns=[early, late], coverage=[capture(EAST), capture(WEST)])
    for chosen in ({"workload": "exporter"}, {"since": NOON + timedelta(seconds=60)}):
        report = examine_each(lake, chosen, ["unanswered", "misspelt"])
        assert [one.name for one in report.silent] == ["unanswered"]
        assert [(one.diagnosis.name, one.why) for one in report.unjudged] == [("misspelt", NO_SERVICES)]
    nobody = examine_each(lake, {"workload": "nobody"}, ["unanswered"])
    assert ([one.why for one in nobody.unjudged], nobody.silent, nobody.asked) == ([NOTHING_ASKED], [], False)


def test_what_tells_no_cluster_is_examined_by_itself_too(tmp_path: Path) -> None:
    lake = two_clusters(tmp_path, east=None)
    assert told(examine_each(lake, {}, ["misspelt", "servfail"])) == {
        ("misspelt", f"cluster not told: shop/api → {MISSPELT}"),
        ("servfail", f"cluster {WEST}: {LEGACY}"),
    }
    assert told(examine_each(lake, {"cluster": UNTOLD}, ["misspelt"])) == {("misspelt", f"shop/api → {MISSPELT}")}


def test_detections_are_of_one_cluster(tmp_path: Path) -> None:
    """Two clients that rebind in one cluster would be a zone of the company's own."""
    inside = {"registered_domain": "rebind.example", "addresses": ["127.0.0.1"]}
    calls = [
        resolution(number, "a.rebind.example", client=pod(f"api-{cluster}", "10.244.1.11"), cluster=cluster, **inside)
        for number, cluster in enumerate((EAST, WEST))
    ]
    asked = [transaction(number, "a.rebind.example", cluster=cluster) for number, cluster in enumerate((EAST, WEST))]
    lake = make_names(tmp_path, dns=asked, resolutions=calls, coverage=[capture(EAST), capture(WEST)])
    wanted = {f"cluster {cluster}: shop/api-{cluster} → a.rebind.example" for cluster in (EAST, WEST)}
    assert {subject for _, subject in told(detect(lake, {}, ["rebinding"]))} == wanted
    assert told(detect(lake, {"cluster": EAST}, ["rebinding"])) == {
        ("rebinding", f"shop/api-{EAST} → a.rebind.example")
    }


def test_a_story_is_told_of_one_cluster(both: Lake) -> None:
    newest, east = (explain(both, Asked(MISSPELT, API, cluster=cluster)) for cluster in (None, EAST))
    assert isinstance(newest, Story)
    assert isinstance(east, Story)
    assert (newest.cluster, east.cluster) == (WEST, EAST)
    assert newest.usual["resolutions"] == east.usual["resolutions"] == 5
    assert "misspelt" in {one.diagnosis for one in east.concerns.name}
    assert "misspelt" not in {one.diagnosis for one in newest.concerns.name}


def test_a_name_of_another_cluster_was_never_asked_for(tmp_path: Path) -> None:
    calls = [resolution(number, f"{cluster}.example", cluster=cluster) for number, cluster in enumerate((EAST, WEST))]
    lake = make_names(tmp_path, resolutions=calls, coverage=[capture(EAST), capture(WEST)])
    story = explain(lake, Asked("west.example", API, cluster=EAST))
    assert isinstance(story, Instead)
    assert ([row["asked"] for row in story.names], story.clients) == (["east.example"], [])
    alone = make_names(tmp_path / "alone", resolutions=calls[:1], dns=[transaction(1, "east.example", cluster=EAST)])
    found = explain(alone, Asked("east.example", API))
    assert isinstance(found, Story)
    assert found.cluster is None


def test_what_was_asked_instead_is_of_the_only_cluster_with_the_client(tmp_path: Path) -> None:
    calls = [
        resolution(0, "carts.example", cluster=EAST),
        resolution(1, "cart.example", cluster=WEST, client=pod("web", "10.244.1.12")),
    ]
    lake = make_names(tmp_path, resolutions=calls, coverage=[capture(EAST), capture(WEST)])
    found = explain(lake, Asked("cart.example", API))
    assert isinstance(found, Instead)
    assert (found.asked.cluster, found.several, found.clients) == (EAST, False, [])
    assert found.span == span_of(lake, EAST)


def test_what_was_asked_instead_names_the_cluster_of_each(tmp_path: Path) -> None:
    calls = [resolution(number, "carts.example", cluster=cluster) for number, cluster in enumerate((EAST, None))]
    lake = make_names(tmp_path, resolutions=calls, coverage=[capture(EAST), capture(None)])
    both, nobody = (explain(lake, Asked("cart.example", client)) for client in (API, Client("shop", "apj")))
    assert isinstance(both, Instead)
    assert isinstance(nobody, Instead)
    assert [(row["asked"], row["cluster"]) for row in both.names] == [("carts.example", EAST), ("carts.example", None)]
    assert [(row["client"], row["cluster"]) for row in nobody.like] == [("shop/api", EAST), ("shop/api", None)]
    assert (both.several, nobody.several, both.asked.cluster) == (True, True, None)
