"""What every table of the contract keeps, whatever columns it gets."""

import pyarrow as pa
import pytest

from contract.columns import COUNT, TEXT, Column, Table
from contract.document import render
from contract.errors import ContractError
from contract.tables import TABLES

PETS = Table(
    "pets",
    "Pets.",
    time="born_time",
    sort_by=("name",),
    columns=(
        Column("name", TEXT, "what it is called"),
        Column("legs", COUNT, "how many legs", null="not counted", by="enricher"),
    ),
)


def test_rows_that_keep_the_contract_pass() -> None:
    PETS.validate(pa.table({"name": ["Rex"], "legs": [None]}, schema=PETS.schema))
    PETS.validate(pa.table({"name": ["Rex"]}, schema=PETS.collected), PETS.collected)


@pytest.mark.parametrize(
    ("rows", "word"),
    [
        (pa.table({"name": ["Rex"]}), "missing columns"),
        (pa.table({"name": ["Rex"], "legs": [4], "tail": [1]}), "unknown columns"),
        (pa.table({"name": ["Rex"], "legs": ["4"]}), "legs is string"),
        (pa.table({"legs": pa.array([4], COUNT), "name": ["Rex"]}), "name"),
        (pa.table({"name": pa.array([None], TEXT), "legs": pa.array([4], COUNT)}, schema=PETS.schema), "1 NULL"),
    ],
)
def test_rows_that_break_it_are_named(rows: pa.Table, word: str) -> None:
    with pytest.raises(ContractError, match=word):
        PETS.validate(rows)


@pytest.mark.parametrize("table", TABLES.values(), ids=list(TABLES))
def test_columns_are_named_and_typed_as_the_vocabulary_says(table: Table) -> None:
    names = table.schema.names
    assert len(set(names)) == len(names)
    assert {table.time, *table.sort_by} <= set(names)
    for column in table.columns:
        assert column.meaning, column.name
        assert pa.types.is_timestamp(column.type) == column.name.endswith("_time"), column.name
        if column.name.endswith("_us"):
            assert column.unit == "µs", column.name
        if column.name.endswith("bytes"):
            assert column.unit == "bytes", column.name


def test_every_column_is_documented() -> None:
    text = render()
    for table in TABLES.values():
        assert f"## {table.name}" in text
        for column in table.columns:
            assert f"| `{column.name}` |" in text


BANNED = {"session", "observer", "exporter", "lookup", "status", "skipped", "lease", "mapping", "app", "link", "action"}


@pytest.mark.parametrize("table", TABLES.values(), ids=list(TABLES))
def test_columns_use_the_words_of_the_vocabulary(table: Table) -> None:
    used = {word for name in table.schema.names for word in name.split("_")}
    assert not used & BANNED
