"""``--cluster``: one meaning for every verb, and what is shown where a lake has several and none is named."""

import json
import shlex
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from cli.times import rfc3339
from tests.support.names import NOON, capture, make_names, transaction
from tests.support.two_clusters import EAST, LEGACY, MISSPELT, WEST, two_clusters


def tailrace(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(two_clusters(tmp_path_factory.mktemp("both") / "lake").folder)


@pytest.mark.parametrize(
    "verb",
    [
        ("ask", "dns/search"),
        ("detect",),
        ("dns",),
        ("dns", "doctor"),
        ("dns", "explain", MISSPELT, "--client", "shop/api"),
        ("flows",),
        ("graph",),
        ("policy", "recommend", "--namespace", "shop"),
        ("policy", "diff", "none", "none"),
        ("app",),
    ],
    ids=" ".join,
)
def test_a_cluster_that_the_lake_does_not_have(both: str, verb: tuple[str, ...]) -> None:
    refused = tailrace(*verb, "--lake", both, "--cluster", "eats")
    assert refused.exit_code == 2
    assert refused.stderr == "tailrace: --cluster: the lake has no 'eats'; it has 'east', 'west'\n"


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
