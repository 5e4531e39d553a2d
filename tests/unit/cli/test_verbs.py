"""The reading verbs: what goes to stdout, what to stderr, and how each ends."""

import csv
import io
import json
import re
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from contract.tables import TABLES
from store.lake import Lake
from tests.support.lake import HOSTILE, make_lake, make_tables

TERMINAL_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
FORMATS = ("table", "json", "csv", "arrow")


def tailrace(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def answer(*arguments: str) -> Any:
    result = tailrace(*arguments, "--format", "json")
    assert (result.exit_code, result.exception) == (0, None)
    return json.loads(result.stdout)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("which", ["lake", "empty_lake"])
@pytest.mark.parametrize(
    "verb", [("flows",), ("dns",), ("graph",), ("lake", "stats"), ("ask", "overview/summary"), ("sql", "from flows")]
)
def test_every_verb_in_every_format(
    request: pytest.FixtureRequest, which: str, verb: tuple[str, ...], form: str
) -> None:
    lake: Lake = request.getfixturevalue(which)
    result = tailrace(*verb, "--lake", str(lake.folder), "--format", form)
    assert (result.exit_code, result.exception) == (0, None)
    if form == "json":
        json.loads(result.stdout)
    if form == "arrow":
        pa.ipc.open_stream(result.stdout_bytes).read_all()


def test_sql_gives_programs_every_row_with_plain_numbers(tmp_path: Path) -> None:
    lake = make_lake(tmp_path, connections=2500)
    records = lake.connect().sql("select count(*) from flows").fetchall()[0][0]
    assert records > 5000
    rows = answer(
        "sql", "select connection_id, src_port, sum(src_bytes) sb from flows group by all", "--lake", str(tmp_path)
    )
    assert len(rows) == 2500
    wanted = sum(make_tables(connections=2500)["flows"].column("src_bytes").to_pylist())
    assert sum(row["sb"] for row in rows) == wanted
    assert all(type(row["sb"]) is int for row in rows)
    assert len(answer("sql", "from flows", "--lake", str(tmp_path))) == records


def test_json_keeps_nesting_times_and_null(lake: Lake) -> None:
    query = """select start_time, rcode, answers, client_labels, 9223372036854775807::hugeint * 4 as large, 0.5 as half,
        'nan'::double as no_number from dns where outcome = 'answered' and len(answers) > 0 order by start_time limit 1"""
    (row,) = answer("sql", query, "--lake", str(lake.folder))
    assert re.fullmatch(r"2026-01-1\dT\d\d:\d\d:\d\d\.\d{6}Z", row["start_time"])
    assert row["answers"][0].keys() == {"name", "type", "ttl", "data"}
    assert row["client_labels"]["app"]
    assert row["large"] == 9223372036854775807 * 4
    assert (row["half"], row["no_number"]) == (0.5, None)


def test_csv_and_arrow_say_the_same_as_json(lake: Lake) -> None:
    query = ("dns", "--lake", str(lake.folder), "--limit", "600")
    rows = answer(*query)
    lines = list(csv.DictReader(io.StringIO(tailrace(*query, "--format", "csv").stdout)))
    table = pa.ipc.open_stream(tailrace(*query, "--format", "arrow").stdout_bytes).read_all()
    assert [line["transaction_id"] for line in lines] == [row["transaction_id"] for row in rows]
    assert [line["start_time"] for line in lines] == [row["start_time"] for row in rows]
    assert table.column("qname").to_pylist() == [row["qname"] for row in rows]


@pytest.mark.parametrize("verb", [("flows",), ("dns",), ("graph",), ("sql", "select * from dns")])
def test_no_name_reaches_the_terminal_unescaped(lake: Lake, verb: tuple[str, ...]) -> None:
    result = (
        tailrace(*verb, "--lake", str(lake.folder), "--limit", "1000")
        if verb != ("graph",)
        else tailrace(*verb, "--lake", str(lake.folder))
    )
    assert result.exit_code == 0
    assert not TERMINAL_CONTROL.search(result.stdout)


def test_tables_say_what_was_carried_and_by_what(lake: Lake) -> None:
    for verb, column in (("flows", "application"), ("dns", "transport")):
        assert column in tailrace(verb, "--lake", str(lake.folder), "--limit", "1").stdout.splitlines()[0].split()


def test_names_are_shown_not_read_as_markup(lake: Lake) -> None:
    shown = tailrace("dns", "--lake", str(lake.folder)).stdout
    assert HOSTILE[0] in shown
    assert r"\x1b[31mred\x1b[0m" in shown
    assert r"\u202eevil\u202c" in shown


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_filter_is_a_value(lake: Lake, name: str) -> None:
    assert {row["qname"] for row in answer("dns", "--domain", name, "--lake", str(lake.folder))} == {name}


def test_filters_reach_the_question(lake: Lake) -> None:
    place = ("--lake", str(lake.folder))
    rows = answer("flows", *place, "--from-workload", "front*", "--to-port", "7070", "--protocol", "tcp")
    assert {(row["src_workload"], row["backend_port"] or row["dst_port"]) for row in rows} == {("frontend", 7070)}
    others = answer("flows", *place, "--from-workload", "front*", "--to-port", "7070", "--protocol", "6", "--not")
    assert len(rows) + len(others) == 300
    outcomes = answer("dns", *place, "--outcome", "unanswered", "--pod", "shop/")
    assert {(row["outcome"], row["client_namespace"]) for row in outcomes} == {("unanswered", "shop")}


def test_a_time_before_the_lake_says_what_the_lake_has(lake: Lake) -> None:
    result = tailrace("flows", "--lake", str(lake.folder), "--since", "5m")
    assert result.exit_code == 0
    assert "nothing matched; the lake has records from 2026-01-15T22:30:09.122000Z to 2026-01-16T01:29" in result.stderr
    assert "the lake is empty" in tailrace("dns", "--lake", str(Lake.create(lake.folder.parent / "new").folder)).stderr


def test_an_absolute_window(lake: Lake) -> None:
    window = ("--since", "2026-01-15T23:00:00Z", "--until", "2026-01-16T01:00:00+01:00")
    rows = answer("flows", "--lake", str(lake.folder), *window)
    assert rows
    assert all("2026-01-15T23:00:00" <= row["start_time"] < "2026-01-16T00:00:00" for row in rows)


def test_a_cut_answer_says_so_on_stderr(lake: Lake) -> None:
    result = tailrace("flows", "--lake", str(lake.folder), "--limit", "3", "--format", "json")
    assert len(json.loads(result.stdout)) == 3
    assert result.stderr == "the first 3 rows; --limit gives more\n"


@pytest.mark.parametrize(
    "arguments, code, words",
    [
        (("flows", "--lake", "/nowhere/at/all"), 1, "no such folder"),
        (("flows", "--lake", "LAKE", "--since", "yesterday"), 2, "--since: 'yesterday' is neither"),
        (("flows", "--lake", "LAKE", "--until", "2026-01-15T10:00:00"), 2, "has no zone"),
        (("flows", "--lake", "LAKE", "--protocol", "quic"), 2, "--protocol: 'quic' is none of"),
        (("sql", "drop view flows", "--lake", "LAKE"), 2, "only reading is possible here"),
        (("sql", "select 1; select 2", "--lake", "LAKE"), 2, "one statement"),
        (("ask", "no/such", "--lake", "LAKE"), 2, "no question 'no/such'"),
        (("ask", "dns/worst_names", "-p", "least", "--lake", "LAKE"), 2, "'least' is not NAME=VALUE"),
        (("ask", "dns/worst_names", "-p", "least=\x1b[31m", "--lake", "LAKE"), 2, "is not an integer"),
        (("ask", "dns/worst_names"), 2, "--lake says which lake"),
    ],
)
def test_errors_are_one_line_and_a_code(lake: Lake, arguments: tuple[str, ...], code: int, words: str) -> None:
    result = tailrace(*(str(lake.folder) if part == "LAKE" else part for part in arguments))
    assert result.exit_code == code
    assert result.stdout == ""
    assert result.stderr.startswith("tailrace: ")
    assert words in result.stderr
    assert result.stderr.count("\n") == 1
    assert not TERMINAL_CONTROL.search(result.stderr)


@pytest.mark.parametrize("arguments", [("nonsense",), ("flows",), ("flows", "--port", "http", "--lake", "x")])
def test_wrong_usage_ends_with_2(arguments: tuple[str, ...]) -> None:
    result = tailrace(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Usage: " in result.stderr


def test_ask_alone_lists_the_questions() -> None:
    rows = answer("ask")
    assert "dns/by_workload" in {row["name"] for row in rows}
    assert all(row["question"].endswith("?") for row in rows)


def test_ask_binds_its_parameters(lake: Lake) -> None:
    rows = answer("ask", "dns/worst_names", "-p", "least=30", "--param", "namespace=shop", "--lake", str(lake.folder))
    assert all(row["failed"] >= 30 for row in rows)


def test_graph_as_text_for_other_programs(lake: Lake) -> None:
    place = ("graph", "--lake", str(lake.folder), "--format")
    assert tailrace(*place, "mermaid").stdout.startswith("flowchart LR\n")
    assert "<graphml" in tailrace(*place, "graphml").stdout
    assert json.loads(tailrace(*place, "json").stdout)["edges"]


def test_lake_stats(lake: Lake) -> None:
    assert {row["table"] for row in answer("lake", "stats", "--lake", str(lake.folder))} == set(TABLES)


def test_follow_shows_what_is_appended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lake = make_lake(tmp_path, connections=2)
    now = datetime.now(UTC)
    new = make_tables(connections=1)["dns"].slice(0, 1).to_pylist()[0] | {"transaction_id": "new"}
    fresh = pa.Table.from_pylist([new | {"start_time": now + timedelta(seconds=1)}], schema=TABLES["dns"].schema)
    waits = iter([lambda: lake.append({"dns": fresh}), lambda: None])

    def wait(_seconds: float) -> None:
        try:
            next(waits)()
        except StopIteration:
            raise KeyboardInterrupt from None

    monkeypatch.setattr(time, "sleep", wait)
    result = tailrace("dns", "--lake", str(tmp_path), "--follow", "--format", "json")
    shown = [json.loads(line)["transaction_id"] for line in result.stdout.splitlines()]
    assert len(shown) == 5
    assert shown[-1] == "new"
    assert (result.exit_code, result.stderr) == (130, "")


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    make_lake(tmp_path, connections=2000)
    command = [sys.executable, "-c", "from cli.main import run; run()", "sql", "from flows", "--format", "json"]
    process = subprocess.Popen(
        [*command, "--lake", str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout and process.stderr
    assert process.stdout.readline() == "[\n"
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    process.wait(timeout=30)


def test_help_loads_nothing_heavy() -> None:
    code = """
import sys
sys.argv = ["tailrace", "--help"]
from cli.main import run
try:
    run()
except SystemExit:
    pass
print(sorted({"numpy", "numba", "pyarrow", "duckdb", "deltalake", "networkx", "streamlit"} & sys.modules.keys()))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("[]\n")


@pytest.mark.parametrize("form", FORMATS)
def test_reading_loads_no_pandas(lake: Lake, form: str) -> None:
    code = f"""
import sys
sys.argv = ["tailrace", "flows", "--since", "2026-01-01T00:00:00Z", "--format", "{form}", "--lake", {str(lake.folder)!r}]
from cli.main import run
try:
    run()
finally:
    print("pandas" in sys.modules, file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=False, check=True)
    assert done.stderr.endswith(b"False\n")
