"""Which columns are packed how, and that readers read it."""

from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks.subject import Parts
from contract.columns import Table
from contract.dns import DNS
from contract.flows import FLOWS
from store.packing import numbers, repeating, times
from tests.support.frames import from_path

CAPTURE = Path(__file__).parents[3] / "samples/shop/node-1.pcapng.gz"


@pytest.mark.parametrize("table", [FLOWS, DNS], ids=lambda table: table.name)
def test_every_leaf_is_packed_one_way(table: Table, tmp_path: Path) -> None:
    path = tmp_path / "empty.parquet"
    pq.write_table(table.schema.empty_table(), path)
    columns = pq.ParquetFile(path).schema
    leaves = sorted(columns.column(place).path for place in range(len(columns)))
    assert sorted([*numbers(table.schema), *repeating(table.schema)]) == leaves
    assert set(times(table.schema)) < set(numbers(table.schema))


@pytest.mark.parametrize("table", [FLOWS, DNS], ids=lambda table: table.name)
def test_what_is_packed_is_read_again(table: Table, tmp_path: Path) -> None:
    rows: pa.Table = getattr(from_path(CAPTURE), table.name)
    parts = Parts(tmp_path, table)
    for batch in rows.to_batches():
        parts.write(batch)
    parts.close()
    (path,) = (tmp_path / table.name).iterdir()
    assert pq.read_table(path).equals(rows)
    group = pq.ParquetFile(path).metadata.row_group(0)
    columns = {group.column(place).path_in_schema: group.column(place) for place in range(group.num_columns)}
    assert "DELTA_BINARY_PACKED" in columns["start_time"].encodings
    assert not columns["start_time"].has_dictionary_page and columns["node"].has_dictionary_page
    assert columns["start_time"].is_stats_set and not columns["node"].is_stats_set
    with duckdb.connect() as lake:
        read = lake.read_parquet(str(path)).aggregate("count(*), sum(epoch_us(start_time))").fetchall()
    starts = rows.column("start_time").cast(pa.int64()).to_pylist()
    assert read == [(rows.num_rows, sum(starts))]
