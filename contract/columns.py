"""How a table of the contract is declared: each column once, with type, unit, meaning and what NULL says."""

from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow as pa

from contract.errors import ContractError

TIME = pa.timestamp("us", tz="UTC")
TEXT = pa.string()
TEXTS = pa.list_(TEXT)
COUNT = pa.int64()
FLAG = pa.bool_()
LABELS = pa.map_(TEXT, TEXT)


@dataclass(frozen=True)
class Column:
    """One column. An empty ``null`` means the column is never NULL."""

    name: str
    type: pa.DataType
    meaning: str
    null: str = ""
    unit: str = ""
    by: str = "collector"

    @property
    def field(self) -> pa.Field:
        return pa.field(self.name, self.type, nullable=bool(self.null))


@dataclass(frozen=True)
class Table:
    """One table; ``time`` is the column it is partitioned by (its date), ``sort_by`` the order inside a file.

    Rows in which ``apart`` is NULL stand at the end of a file, so that who asks for them need not read the others.
    """

    name: str
    meaning: str
    time: str
    sort_by: tuple[str, ...]
    columns: tuple[Column, ...]
    apart: str | None = None

    @property
    def schema(self) -> pa.Schema:
        return pa.schema([column.field for column in self.columns])

    @property
    def collected(self) -> pa.Schema:
        """The columns the collector fills, which the enricher completes to ``schema``."""
        return pa.schema([column.field for column in self.columns if column.by == "collector"])

    def validate(self, rows: pa.Table | pa.RecordBatch, schema: pa.Schema | None = None) -> None:
        """Raise ``ContractError`` unless ``rows`` has exactly the columns, types and NULLs of the contract."""
        schema = schema or self.schema
        if not rows.schema.equals(schema):
            raise ContractError(f"{self.name}: {_difference(rows.schema, schema)}")
        for field in schema:
            nulls = rows.column(field.name).null_count
            if nulls and not field.nullable:
                raise ContractError(f"{self.name}.{field.name}: {nulls} NULL in a column that has none")


def _difference(found: pa.Schema, wanted: pa.Schema) -> str:
    missing = [name for name in wanted.names if name not in found.names]
    extra = [name for name in found.names if name not in wanted.names]
    if missing or extra:
        return f"missing columns {missing}, unknown columns {extra}"
    wrong = [
        f"{field.name} is {_described(found.field(field.name))}, not {_described(field)}"
        for field in wanted
        if not found.field(field.name).equals(field)
    ]
    return "; ".join(wrong) or "the columns are out of order"


def _described(field: pa.Field) -> str:
    return f"{field.type}{'' if field.nullable else ' not null'}"


def prefixed(prefix: str, columns: Iterable[Column]) -> tuple[Column, ...]:
    """The same columns for one end of a record: ``src_``, ``dst_``, ``client_`` or ``server_``."""
    return tuple(
        Column(prefix + c.name, c.type, c.meaning.format(end=prefix.rstrip("_")), c.null, c.unit, c.by) for c in columns
    )
