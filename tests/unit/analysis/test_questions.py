"""Every question runs on a lake and on an empty one, takes only what its header names, and says what is wrong in a line."""

from datetime import timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from analysis.parameters import bound
from analysis.questions import Question, ask, catalogue, parse
from contract.errors import QuestionError
from contract.tables import TABLES
from store.lake import Lake
from tests.support.lake import HOSTILE, START, make_tables

EXAMPLES = {"text": "shop", "glob": "sh*p", "pod": "shop/front", "integer": 1, "flag": True, "time": START}


@pytest.mark.parametrize("name", catalogue())
def test_every_question_runs_on_an_empty_lake(empty_lake: Lake, name: str) -> None:
    parameters = {p.name: EXAMPLES[p.type] for p in catalogue()[name].parameters if p.required}
    ask(empty_lake, name, parameters)


@pytest.mark.parametrize("name", catalogue())
def test_every_question_runs_with_all_its_parameters(lake: Lake, name: str) -> None:
    ask(lake, name, {p.name: EXAMPLES[p.type] for p in catalogue()[name].parameters})


@pytest.mark.parametrize("question", catalogue().values(), ids=catalogue())
def test_the_header_names_the_parameters_of_the_sql(question: Question) -> None:
    (statement,) = duckdb.connect().extract_statements(question.sql)
    assert {parameter.name for parameter in question.parameters} == statement.named_parameters


@pytest.mark.parametrize("question", catalogue().values(), ids=catalogue())
def test_answers_are_the_same_twice(lake: Lake, question: Question) -> None:
    parameters = {p.name: EXAMPLES[p.type] for p in question.parameters if p.required}
    first, second = (ask(lake, question.name, parameters).table for _ in range(2))
    assert first.equals(second)


@pytest.mark.parametrize("word", ["asof", "time_bucket", "quantile_cont", "approx_quantile"])
def test_no_question_leaves_the_subset_spark_knows(word: str) -> None:
    assert [name for name, question in catalogue().items() if word in question.sql.lower()] == []


@pytest.mark.parametrize(
    "name, parameters, words",
    [
        ("no/such", {}, "no question 'no/such'"),
        ("dns/worst_names", {"leest": 1}, "no parameter 'leest'"),
        ("dns/worst_names", {"least": "many"}, "parameter least: 'many' is not an integer"),
        ("dns/worst_names", {"least": 10**30}, "parameter least"),
        ("dns/worst_names", {"namespace": 7}, "parameter namespace: 7 is not text"),
        ("flows/search", {"negate": "maybe"}, "parameter negate: 'maybe' is not true or false"),
        ("overview/summary", {"since": "yesterday"}, "parameter since: 'yesterday' is not a time"),
        ("overview/summary", {"until": "2026-01-15T10:00:00"}, "parameter until"),
    ],
)
def test_wrong_parameters_are_named(lake: Lake, name: str, parameters: dict[str, object], words: str) -> None:
    with pytest.raises(QuestionError, match=words):
        ask(lake, name, parameters)


def test_a_required_parameter_is_named() -> None:
    from analysis.questions import bind

    question = parse(
        "x", "-- question: q\n-- grain: g\n-- read by: r\n-- parameter name text required: whose\nselect $name"
    )
    with pytest.raises(QuestionError, match="parameter name is required: whose"):
        bind(question, {})


@pytest.mark.parametrize(
    "text",
    [
        "select 1",
        "-- question: q\n-- grain: g\nselect 1",
        "-- question: q\n-- grain: g\n-- read by: r\n-- parameter a b\nselect 1",
        "-- question: q\n-- grain: g\n-- read by: r\n-- parameter a blob null: no such type\nselect 1",
    ],
)
def test_a_header_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(QuestionError):
        parse("x", text)


def test_a_limit_is_told(lake: Lake) -> None:
    cut = ask(lake, "flows/search", limit=7)
    assert (cut.table.num_rows, cut.truncated) == (7, True)
    whole = ask(lake, "flows/search", limit=300)
    assert (whole.table.num_rows, whole.truncated) == (300, False)
    assert cut.table.equals(whole.table.slice(0, 7))


def test_a_window_bounds_every_question(lake: Lake) -> None:
    hour = {"since": START.isoformat(), "until": START + timedelta(hours=1)}
    starts = {row["connection_id"]: row["start_time"] for row in reversed(make_tables()["flows"].to_pylist())}
    within = sum(start < START + timedelta(hours=1) for start in starts.values())
    assert ask(lake, "overview/summary", hour).table.column("connections").to_pylist() == [within]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_values_are_values(lake: Lake, hostile: str) -> None:
    found = ask(lake, "dns/search", {"domain": hostile}).table.column("qname").to_pylist()
    assert set(found) == {hostile}
    assert ask(lake, "flows/search", {"namespace": hostile}).table.num_rows == 0


@pytest.mark.parametrize(
    "parameters, holds",
    [
        ({"from_namespace": "shop"}, lambda row: row["src_namespace"] == "shop"),
        ({"from_workload": "front*"}, lambda row: row["src_workload"] == "frontend"),
        ({"from_pod": "shop/frontend-1"}, lambda row: row["src_pod"] == "frontend-1"),
        ({"to_pod": "orders"}, lambda row: row["dst_pod"] == "orders-db-0"),
        ({"to_port": 7070}, lambda row: 7070 in (row["dst_port"], row["backend_port"])),
        ({"namespace": "payments"}, lambda row: "payments" in (row["src_namespace"], row["dst_namespace"])),
        ({"ip": "10.244.1.*"}, lambda row: "10.244.1." in f"{row['src_ip']} {row['dst_ip']} {row['backend_ip']}"),
        ({"domain": "*.EXAMPLE"}, lambda row: str(row["dst_domain"]).endswith(".example")),
        ({"state": "S0"}, lambda row: row["connection_state"] == "S0"),
        ({"protocol": 6, "to_namespace": "shop"}, lambda row: row["dst_namespace"] == "shop"),
        ({"verdict": "dropped"}, lambda row: False),
    ],
)
def test_flow_filters(lake: Lake, parameters: dict[str, object], holds: object) -> None:
    assert callable(holds)
    every = ask(lake, "flows/search").table.to_pylist()
    wanted = [row["connection_id"] for row in every if holds(row)]
    assert ask(lake, "flows/search", parameters).table.column("connection_id").to_pylist() == wanted
    others = ask(lake, "flows/search", {**parameters, "negate": True}).table
    assert others.num_rows == len(every) - len(wanted)


@pytest.mark.parametrize(
    "parameters, holds",
    [
        ({"outcome": "unanswered"}, lambda row: row["outcome"] == "unanswered"),
        ({"rcode": "nxdomain"}, lambda row: row["rcode"] == "NXDOMAIN"),
        (
            {"qtype": "TYPE65280", "from_namespace": "shop"},
            lambda r: r["qtype"] == "TYPE65280" and r["client_namespace"] == "shop",
        ),
        ({"domain": "*.cluster.local"}, lambda row: row["qname"].endswith(".cluster.local")),
        ({"protocol": "tcp"}, lambda row: row["transport"] == "tcp"),
        ({"to_workload": "coredns", "workload": "settle"}, lambda row: row["client_workload"] == "settle"),
    ],
)
def test_dns_filters(lake: Lake, parameters: dict[str, object], holds: object) -> None:
    assert callable(holds)
    wanted = [row["transaction_id"] for row in ask(lake, "dns/search").table.to_pylist() if holds(row)]
    assert ask(lake, "dns/search", parameters).table.column("transaction_id").to_pylist() == wanted
    assert wanted


@pytest.mark.parametrize(
    "given, pattern", [("a*b?", "a%b_"), ("100%_!", "100!%!_!!"), ("plain.example", "plain.example")]
)
def test_globs_escape_what_like_would_read(given: str, pattern: str) -> None:
    assert bound("domain", "glob", given) == pattern


def test_workload_figures_add_up(lake: Lake) -> None:
    rows = ask(lake, "dns/by_workload").table.to_pylist()
    parts = ("noerror", "nxdomain", "servfail", "refused", "other_errors", "unanswered")
    assert sum(row["transactions"] for row in rows) == 600
    assert all(row["transactions"] == sum(row[part] for part in parts) for row in rows)
    assert sum(ask(lake, "dns/latency").table.column("transactions").to_pylist()) == sum(
        ask(lake, "dns/slowest").table.column("transactions").to_pylist()
    )


def test_timeline_and_talkers_hold_every_connection(lake: Lake) -> None:
    for name in ("flows/timeline", "flows/top_talkers"):
        assert sum(ask(lake, name).table.column("connections").to_pylist()) == 300


def test_discards_are_summed_over_nodes_by_reason(lake: Lake) -> None:
    rows = ask(lake, "overview/discards").table.to_pylist()
    assert {(row["node"], row["reason"]): row["packets"] for row in rows} == {
        ("node-0", "not_ip"): 12,
        ("node-0", "bad_ip_header"): 2,
        ("node-1", "not_ip"): 12,
        ("node-1", "bad_ip_header"): 3,
    }


def test_truncated_answers_and_how_soon_they_were_asked_for_again(tmp_path: Path) -> None:
    known = next(row for row in make_tables()["dns"].to_pylist() if row["outcome"] == "answered")
    base = known | {
        "service": None,
        "server_namespace": None,
        "server_ip": "192.0.2.53",
        "transport": "udp",
        "tc": True,
    }
    cut = [base | {"transaction_id": f"cut{number}", "qname": name} for number, name in enumerate("aaab")]
    tries = [
        known
        | {"transaction_id": f"again{number}", "transport": "tcp", "qname": "a", "retry_of": f"cut{number}"}
        | {"start_time": known["response_time"] + timedelta(microseconds=wait), "outcome": outcome}
        for number, wait, outcome in ((0, 300, "answered"), (0, 900, "answered"), (1, 500, "unanswered"))
    ]
    lake = Lake.create(tmp_path)
    lake.append({"dns": pa.Table.from_pylist([*cut, *tries], schema=TABLES["dns"].schema)})
    rows = ask(lake, "dns/truncated").table.to_pylist()
    figures = ("qname", "truncated", "asked_again", "answered_again", "p50_wait_us", "longest_wait_us")
    assert [tuple(row[name] for name in figures) for row in rows] == [
        ("a", 3, 2, 1, 400, 500),
        ("b", 1, 0, 0, None, None),
    ]


@pytest.mark.parametrize("name", ["overview/coverage", "pages/coverage"])
def test_what_a_bound_took_is_told(lake: Lake, name: str) -> None:
    rows = {row["node"]: row for row in ask(lake, name).table.to_pylist()}
    for table in ("evictions", "hello_overflows"):
        assert {node: row[table] for node, row in rows.items()} == {"node-0": 0, "node-1": 1}
    assert {row[table] for row in rows.values() for table in ("stream_overflows", "datagram_overflows")} == {0}
