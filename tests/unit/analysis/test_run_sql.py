"""A user's SQL reads the views: it reaches no file, changes nothing, and ends."""

from pathlib import Path

import pyarrow as pa
import pytest

from analysis.questions import run_sql
from contract.errors import QuestionError
from store.lake import Lake

CONFORMANCE = (
    """select protocol, src_ip, src_port, dst_ip, dst_port,
    sum(src_packets) sp, sum(src_bytes) sb, sum(dst_packets) dp, sum(dst_bytes) db from flows group by all""",
    "select client_ip, server_ip, id, qname, qtype, rcode, outcome, answers from dns",
    "describe flows",
    "show tables",
    "with x as (select 1 as a) select * from x; ",
    "values (1), (2)",
)

ESCAPES = (
    "copy flows to 'stolen.parquet'",
    "copy (select 1) to 'stolen.csv'",
    "select * from read_text('/etc/passwd')",
    "select * from read_csv('/etc/passwd')",
    "select * from read_blob('/proc/self/environ')",
    "select * from read_json('/etc/hosts')",
    "select * from read_parquet('/**/*.parquet')",
    "select * from sniff_csv('/etc/passwd')",
    "select * from glob('/etc/*')",
    "select * from '/etc/passwd'",
    "select * from query('copy flows to ''x''')",
    "attach 'other.db'",
    "install httpfs",
    "load httpfs",
    "pragma enable_profiling",
    "set enable_external_access = true",
    "reset lock_configuration",
    "create table stolen as select 1",
    "drop view flows",
    "insert into flows select * from flows",
    "with gone as (delete from flows) select 1",
    "export database 'stolen'",
    "call pragma_version()",
    "explain analyze copy flows to 'x'",
    "select 1; select 2",
    "select 1; copy flows to 'x'",
    "",
    "-- nothing",
    "selec",
    "select nothing from flows",
    "select $parameter",
    "select getenv('HOME')",
    "select * from secret_python_variable",
)


@pytest.mark.parametrize("text", CONFORMANCE)
def test_reading_is_possible(lake: Lake, text: str) -> None:
    assert run_sql(lake, text, limit=None).table.num_rows > 0


@pytest.mark.parametrize("text", ESCAPES)
def test_nothing_else_is(lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.chdir(tmp_path)
    secret_python_variable = pa.table({"a": [1]})
    assert secret_python_variable.num_rows == 1
    with pytest.raises(QuestionError) as caught:
        run_sql(lake, text)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_the_files_of_the_lake_cannot_be_overwritten(lake: Lake) -> None:
    file = lake.files("flows")[0].path
    with pytest.raises(QuestionError):
        run_sql(lake, f"copy (select 1) to '{file}'")
    assert run_sql(lake, "select count(*) from flows").table.num_rows == 1


def test_time_runs_out(lake: Lake) -> None:
    with pytest.raises(QuestionError, match=r"no answer within 0\.2 s"):
        run_sql(lake, "select sum(a.range * b.range) from range(10000000) a, range(10000000) b", timeout_s=0.2)


def test_rows_beyond_the_limit_are_told(lake: Lake) -> None:
    cut = run_sql(lake, "select * from range(100000)", limit=10)
    assert (cut.table.num_rows, cut.truncated) == (10, True)
    whole = run_sql(lake, "select * from range(100000)", limit=None)
    assert (whole.table.num_rows, whole.truncated) == (100_000, False)


def test_sums_are_64_bit_integers_where_they_fit(lake: Lake) -> None:
    table = run_sql(
        lake, "select sum(src_bytes) as fits, 2 * sum(9223372036854775807::bigint) as large from flows"
    ).table
    assert table.schema.field("fits").type == pa.int64()
    assert table.schema.field("large").type == pa.decimal128(38, 0)
