"""`tailrace dns` and its commands: filters, the story of a name, the doctor's report."""

import csv
import io
import json
import re
import shlex
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from contract.tables import TABLES
from store.lake import Lake
from tests.support.lake import HOSTILE
from tests.support.names import COREDNS, NOON, make_names, pod, resolution, transaction, unanswered

TERMINAL_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
EVIL = pod(HOSTILE[1], "10.244.1.66", HOSTILE[2])
NAMES = (*HOSTILE, "a.example.org")
LOST = 12
JUDGED = "judged 1 transaction of 1 client, 2026-11-01 12:00:00 to 12:00:00 UTC\n"


def tailrace(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def answer(*arguments: str) -> Any:
    result = tailrace(*arguments, "--format", "json")
    assert (result.exit_code, result.exception) == (0, None), result.stderr
    return json.loads(result.stdout)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A client of hostile names asks for hostile names; every other is never answered."""
    record = {"name": HOSTILE[0], "type": "CNAME", "ttl": 5, "data": HOSTILE[1]}
    told: list[dict[str, Any]] = []
    for number, name in enumerate(NAMES):
        asked = {"client": EVIL, "resolution_id": f"r{number:06d}", "registered_domain": "example.org"}
        told += [unanswered(number, name, **asked)] if number % 2 else []
        known = {"answered_from": "upstream", "upstream_us": 7, "latency_us": 2500 + 1000 * number, "answers": [record]}
        told += [transaction(10 + number, name, start_time=NOON + timedelta(seconds=number / 10), **asked | known)]
    calls = [
        resolution(number, name, client=EVIL, end_time=NOON + timedelta(hours=1)) for number, name in enumerate(NAMES)
    ]
    return str(make_names(tmp_path_factory.mktemp("dns") / "lake", dns=told, resolutions=calls).folder)


@pytest.mark.parametrize(
    "options, wanted",
    [
        (("--registered-domain", "EXAMPLE.*"), 9),
        (("--registered-domain", "example"), 0),
        (("--registered-domain", "example.org."), 9),
        (("--domain", "a.example.org."), 2),
        (("--domain", "."), 0),
        (("--answered-from", "upstream"), 6),
        (("--answered-from", "zone"), 0),
        (("--latency-over", "4"), 4),
        (("--resolution", "r000001"), 2),
        (("--resolution", "r000001", "--outcome", "answered"), 1),
        (("--not", "--resolution", "r000001"), 7),
    ],
)
def test_filters(folder: str, options: tuple[str, ...], wanted: int) -> None:
    assert len(answer("dns", "--lake", folder, *options)) == wanted


def test_a_latency_at_the_bound_is_not_over_it(tmp_path: Path) -> None:
    lake = make_names(tmp_path, dns=[transaction(1, "a", latency_us=4000), transaction(2, "b", latency_us=4001)])
    assert [row["qname"] for row in answer("dns", "--lake", str(lake.folder), "--latency-over", "4")] == ["b"]


def test_the_commands_are_listed_beside_the_filters() -> None:
    shown = tailrace("dns", "--help").stdout
    for word in ("--namespace", "--resolution", "--follow", "doctor", "explain"):
        assert re.search(rf"^ .*{word}\b", shown, re.MULTILINE), word


@pytest.mark.parametrize(
    "arguments, words",
    [
        (("dns",), "--lake says which lake to read"),
        (("dns", "--namespace", "shop", "doctor", "--lake", "LAKE"), "write the options of `doctor` behind it"),
        (("dns", "doctor", "--lake", "LAKE", "--diagnosis", "flu"), "no diagnosis 'flu'"),
        (("dns", "doctor", "--lake", "LAKE", "--since", "soon"), "--since: 'soon' is neither"),
        (("dns", "explain", "a", "--client", "a/b/c", "--lake", "LAKE"), "write namespace/workload"),
        (("dns", "explain", "a", "--client", "a/b", "--at", "noon", "--lake", "LAKE"), "--at: 'noon' is neither"),
    ],
)
def test_wrong_usage(folder: str, arguments: tuple[str, ...], words: str) -> None:
    result = tailrace(*(folder if part == "LAKE" else part for part in arguments))
    assert (result.exit_code, result.stdout) == (2, "")
    assert words in result.stderr
    assert result.stderr.count("\n") == 1


def test_the_environment_names_the_lake_of_a_command_too(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAILRACE_LAKE", folder)
    for arguments in (("dns",), ("dns", "doctor"), ("dns", "explain", "x", "--client", "a/b")):
        assert tailrace(*arguments).exit_code == 0


@pytest.mark.parametrize("form", ["table", "json"])
@pytest.mark.parametrize("name", NAMES)
def test_no_name_of_a_story_reaches_the_terminal(folder: str, name: str, form: str) -> None:
    place = ("--client", EVIL["ip"], "--lake", folder, "--format", form)
    for asked in (name, name + "x"):
        result = tailrace("dns", "explain", asked, *place)
        assert (result.exit_code, result.exception) == (0, None)
        assert not TERMINAL_CONTROL.search(result.stdout)


def test_a_story_as_data(folder: str) -> None:
    found = answer("dns", "explain", "a.example.org", "--client", EVIL["ip"], "--lake", folder)
    assert found["resolution"]["asked"] == "a.example.org"
    assert [step["outcome"] for step in found["steps"]] == ["unanswered", "answered"]
    assert found["usual"]["resolutions"] == 1
    assert {"connections", "findings", "findings_of_the_client", "could_not_judge", "asked_again_time"} <= found.keys()


def test_a_name_never_asked_for_as_data(folder: str) -> None:
    found = answer("dns", "explain", "b.example.org", "--client", EVIL["ip"], "--lake", folder)
    assert (found["resolution"], found["client_is_known"]) == (None, True)
    assert found["client_asked_for"][0]["asked"] == "a.example.org"


def test_no_line_of_a_story_but_a_command_is_wider_than_100(folder: str) -> None:
    shown = tailrace("dns", "explain", "a.example.org", "--client", EVIL["ip"], "--lake", folder).stdout
    assert [line for line in shown.splitlines() if len(line) > 100 and "See " not in line] == []


@pytest.fixture(scope="module")
def sick(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Queries of two clients, one of them of hostile names, that are never answered; a third has no trouble."""
    rows = [unanswered(number, name, client=EVIL) for number, name in enumerate(HOSTILE)]
    rows += [unanswered(100 + number, "a.example.org") for number in range(LOST)]
    rows += [
        transaction(200 + number, f"fine{number}.example", client=pod("web", "10.244.1.12")) for number in range(80)
    ]
    return str(make_names(tmp_path_factory.mktemp("sick") / "lake", dns=rows).folder)


def doctor(folder: str, *options: str) -> tuple[str, ...]:
    return "dns", "doctor", "--diagnosis", "unanswered", "--lake", folder, *options


def test_the_report_for_people(sick: str) -> None:
    result = tailrace(*doctor(sick))
    assert result.exit_code == 0
    assert not TERMINAL_CONTROL.search(result.stdout)
    for word in (
        "CRITICAL  Queries without an answer: names under a.example.org",
        "  Fix ",
        "  See ",
        "tailrace dns --",
    ):
        assert word in result.stdout
    assert r"\x1b[31mred\x1b[0m" in result.stdout


def test_the_report_as_rows(sick: str) -> None:
    found = answer(*doctor(sick))
    lines = list(csv.DictReader(io.StringIO(tailrace(*doctor(sick, "--format", "csv")).stdout)))
    table = pa.ipc.open_stream(tailrace(*doctor(sick, "--format", "arrow")).stdout_bytes).read_all().to_pylist()
    assert len(found["findings"]) == 2
    for number, finding in enumerate(found["findings"]):
        assert finding["severity"] == lines[number]["severity"] == table[number]["severity"] == "critical"
        assert json.loads(lines[number]["evidence"]) == json.loads(table[number]["evidence"]) == finding["evidence"]
        assert finding["queries"] == table[number]["queries"] == finding["evidence"]["unanswered"]


def test_the_command_of_a_finding_shows_what_it_stands_on(sick: str) -> None:
    commands = [finding["see"] for finding in answer(*doctor(sick, "--since", "2026-11-01T00:00:00Z"))["findings"]]
    counts = [len(answer(*shlex.split(command)[1:])) for command in commands]
    assert sorted(counts) == [len(HOSTILE), LOST]
    assert all("--since 2026-11-01T00:00:00Z" in command for command in commands)


def test_filters_of_the_report(sick: str) -> None:
    (finding,) = answer(*doctor(sick, "--namespace", "shop", "--workload", "api"))["findings"]
    assert (finding["queries"], finding["evidence"]["clients"]) == (LOST, ["shop/api"])
    assert answer(*doctor(sick, "--until", "2026-10-01T00:00:00Z"))["findings"] == []


def test_who_may_have_been_meant_is_said(sick: str) -> None:
    meant = "no workload 'apy' asked for any name; nearest: shop/api\n"
    lake = ("--lake", sick)
    for verb in ((*doctor(sick), "--workload"), ("detect", *lake, "--workload"), ("dns", *lake, "--from-workload")):
        told = tailrace(*verb, "apy")
        assert (told.exit_code, told.stderr.endswith(meant)) == (0, True), told.stderr
    either = tailrace("dns", *lake, "--workload", "apy").stderr
    assert either.endswith("no workload 'apy' asked for any name, or answered; nearest: shop/api\n")
    assert "nearest" not in tailrace("dns", *lake, "--workload", "ap?y").stderr


def test_a_report_without_findings_says_so_and_what_the_lake_has(tmp_path: Path) -> None:
    lake = make_names(tmp_path, dns=[transaction(1, "a.example")])
    healthy = tailrace(*doctor(str(lake.folder)))
    assert (healthy.exit_code, healthy.stdout, healthy.stderr) == (0, "Nothing found by unanswered.\n", JUDGED)
    nothing = tailrace(*doctor(str(lake.folder), "--since", "2027-01-01T00:00:00Z"))
    assert "nothing matched; the lake has records from" in nothing.stderr


def test_follow_shows_each_transaction_that_is_appended_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lake = make_names(tmp_path, dns=[transaction(1, "first.example"), transaction(2, "other", COREDNS)])
    answered = [[transaction(number, f"new{number}.example") for number in numbers] for numbers in ((4, 3), (5,))]
    waits = iter([answered[0], [unanswered(9, "not.wanted.example")], answered[1]])

    def grow(_seconds: float) -> None:
        rows = next(waits, None)
        if rows is None:
            raise KeyboardInterrupt
        lake.append({"dns": pa.Table.from_pylist(rows, schema=TABLES["dns"].schema)})

    monkeypatch.setattr(time, "sleep", grow)
    options = ("--domain", "*.example", "--outcome", "answered", "--follow", "--format", "json")
    result = tailrace("dns", "--lake", str(lake.folder), *options)
    shown = [json.loads(line)["qname"] for line in result.stdout.splitlines()]
    assert shown == ["first.example", "new3.example", "new4.example", "new5.example"]
    assert (result.exit_code, result.stderr) == (130, "")


def test_an_empty_lake(tmp_path: Path) -> None:
    folder = str(Lake.create(tmp_path).folder)
    assert "the lake is empty" in tailrace("dns", "explain", "a", "--client", "a/b", "--lake", folder).stdout
    assert "the lake is empty" in tailrace("dns", "doctor", "--lake", folder).stderr
