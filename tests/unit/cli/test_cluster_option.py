"""``--cluster``: one meaning for every verb, and what is shown where a lake has several and none is named."""

import json
import shlex
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from cli.times import rfc3339
from store.lake import Lake
from tests.support.names import NOON, capture, make_names, transaction
from tests.support.two_clusters import EAST, LEGACY, MISSPELT, WEST, two_clusters


def tailrace(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(two_clusters(tmp_path_factory.mktemp("both") / "lake").folder)


# Verbs that ask a lake; and those that read policies before.
VERBS = [
    ("ask", "dns/search"),
    ("detect",),
    ("dns",),
    ("dns", "doctor"),
    ("dns", "explain", MISSPELT, "--client", "shop/api"),
    ("flows",),
    ("graph",),
    ("policy", "recommend", "--namespace", "shop"),
    ("policy", "diff", "none", "none"),
    ("sql", "select 1"),
    ("app",),
]

AFTER_POLICIES = [("policy", "explain", "none"), ("policy", "replay", "none")]


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_a_cluster_that_the_lake_does_not_have(both: str, verb: tuple[str, ...]) -> None:
    refused = tailrace(*verb, "--lake", both, "--cluster", "eats")
    assert refused.exit_code == 2
    assert refused.stderr == "tailrace: --cluster: the lake has no 'eats'; it has 'east', 'west'\n"


@pytest.mark.parametrize("verb", VERBS + AFTER_POLICIES, ids=" ".join)
@pytest.mark.parametrize("name", ["e\udcff", "\ud800"])
def test_a_name_that_is_not_utf_8_is_one_line(tmp_path: Path, verb: tuple[str, ...], name: str) -> None:
    """An empty lake has no clusters to compare it with."""
    lake = Lake.create(tmp_path).folder
    refused = tailrace(*verb, "--lake", str(lake), "--cluster", name)
    assert (refused.exit_code, refused.stderr) == (2, f"tailrace: --cluster: {name!r} is not UTF-8\n")


def test_nor_is_a_parameter(tmp_path: Path) -> None:
    lake = str(Lake.create(tmp_path).folder)
    refused = tailrace("ask", "dns/search", "--lake", lake, "--param", "cluster=e\udcff")
    assert (refused.exit_code, refused.stderr) == (2, "tailrace: parameter cluster: 'e\\udcff' is not text\n")


def test_no_lake_is_made_for_a_name_that_is_not_utf_8(tmp_path: Path) -> None:
    (tmp_path / "objects.json").write_text('{"kind": "List", "items": []}')
    kube = ("--kube", str(tmp_path / "objects.json"))
    refused = tailrace(
        "ingest", str(tmp_path / "none.pcap"), *kube, "--lake", str(tmp_path / "new"), "--cluster", "e\udcff"
    )
    assert (refused.exit_code, refused.stderr) == (2, "tailrace: --cluster: 'e\\udcff' is not UTF-8\n")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("east", "west", "there"),
    [
        (None, WEST, "it has 'west', '' (not told)"),
        (None, None, "its captures were ingested without a cluster; leave --cluster out"),
    ],
)
def test_captures_without_a_cluster_are_told_of(tmp_path: Path, east: None, west: str | None, there: str) -> None:
    lake = two_clusters(tmp_path, east, west)
    refused = tailrace("dns", "--lake", str(lake.folder), "--cluster", "eats")
    assert (refused.exit_code, refused.stderr) == (2, f"tailrace: --cluster: the lake has no 'eats'; {there}\n")


def test_sql_reads_the_views_of_one_cluster(both: str) -> None:
    query = ("sql", "select distinct cluster from dns order by 1", "--lake", both, "--format", "json")
    assert [
        [row["cluster"] for row in json.loads(tailrace(*query, *option).stdout)] for option in ((), ("--cluster", EAST))
    ] == [
        [EAST, WEST],
        [EAST],
    ]


def test_the_command_line_of_a_finding_names_its_cluster(both: str) -> None:
    told = json.loads(tailrace("dns", "doctor", "--lake", both, "--format", "json").stdout)["findings"]
    ends = {one["diagnosis"]: (one["evidence"]["cluster"], one["see"]) for one in told}
    assert set(ends) == {"misspelt", "servfail"}
    assert (ends["misspelt"][0], ends["servfail"][0]) == (EAST, WEST)
    assert ends["misspelt"][1].endswith("--cluster east")
    shown = tailrace(*shlex.split(ends["servfail"][1])[1:], "--format", "json")
    assert {row["qname"] for row in json.loads(shown.stdout)} == {LEGACY}


def test_one_cluster_is_shown_as_if_the_lake_had_no_other(both: str) -> None:
    told = json.loads(tailrace("dns", "doctor", "--lake", both, "--cluster", EAST, "--format", "json").stdout)
    assert [one["subject"] for one in told["findings"]] == [f"shop/api → {MISSPELT}"]
    assert f"--lake {both} --cluster east " in told["findings"][0]["see"]


def test_a_story_tells_of_which_cluster_it_is(both: str) -> None:
    asked = ("dns", "explain", MISSPELT, "--client", "shop/api", "--lake", both)
    assert ", cluster west" in tailrace(*asked).stdout
    east = tailrace(*asked, "--cluster", EAST).stdout
    assert ", cluster east" in east
    assert "Write payments.payments where shop/api has paymets.payments." in east


def test_what_was_never_asked_for_is_told_of_each_cluster(both: str) -> None:
    asked = ("dns", "explain", "nothing.example", "--client", "shop/api", "--lake", both)
    every, east = tailrace(*asked).stdout, tailrace(*asked, "--cluster", EAST).stdout
    assert f"{MISSPELT}  cluster east: 5 times" in every
    assert f"{MISSPELT}  cluster west: 5 times" in every
    assert "nothing.example for shop/api, cluster east\n" in east
    assert f"{MISSPELT}  5 times" in east


def test_the_window_and_the_cluster_are_taken_together(both: str) -> None:
    late = f"{NOON:%Y-%m-%dT%H:%M:%SZ}"
    for cluster, count in ((EAST, 1), (WEST, 21)):
        rows = tailrace("dns", "--lake", both, "--cluster", cluster, "--since", late, "--format", "json").stdout
        assert len(json.loads(rows)) == count


def test_an_empty_name_is_what_was_ingested_without_one(tmp_path: Path) -> None:
    lake = two_clusters(tmp_path, east=None)
    assert len(json.loads(tailrace("dns", "--lake", str(lake.folder), "--cluster", "", "--format", "json").stdout)) == 1


@pytest.mark.parametrize("verb", [("dns",), ("detect",)], ids=" ".join)
def test_where_nothing_matched_the_time_is_that_of_the_cluster(tmp_path: Path, verb: tuple[str, ...]) -> None:
    ended = NOON - timedelta(hours=2)
    captures = [
        capture(cluster, from_time=end - timedelta(minutes=1), until_time=end)
        for cluster, end in (("one\x1b[31m", ended), (WEST, NOON))
    ]
    asked = [transaction(1, "a.example", cluster=WEST), transaction(2, "a.example", cluster=None, start_time=ended)]
    lake = make_names(tmp_path, dns=asked, coverage=[*captures, capture(None, from_time=ended, until_time=ended)])
    nothing = (*verb, "--lake", str(lake.folder), "--since", f"{NOON + timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}")
    assert f"records from {rfc3339(lake.span()[0])} to {rfc3339(lake.span()[1])}\n" in tailrace(*nothing).stderr
    for cluster, named, begun, end in (
        ("one\x1b[31m", r"cluster one\x1b[31m", ended - timedelta(minutes=1), ended),
        (WEST, "cluster west", NOON - timedelta(minutes=1), NOON),
        ("", "cluster not told", ended, ended),
    ):
        told = tailrace(*nothing, "--cluster", cluster).stderr
        assert f"nothing matched; the lake has records from {rfc3339(begun)} to {rfc3339(end)} ({named})\n" in told
