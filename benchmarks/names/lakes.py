"""Resolver calls of made-up workloads as rows of ``dns`` and ``resolutions``, in a lake."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.names.asked import Asked
from contract.columns import Table
from contract.tables import TABLES
from enricher.registered import registered_domains
from store.lake import Lake

FIRST_DAY = datetime(2026, 3, 2, tzinfo=UTC)
HEADER_BYTES = 17  # of a message with one question, beside its name
MICROSECOND = 1_000_000

RCODES = {"answered": "NOERROR", "nxdomain": "NXDOMAIN"}


class Client(NamedTuple):
    workload: str
    address: str


Call = tuple[Client, Asked]


def append_day(lake: Lake, day: int, calls: Sequence[Call]) -> None:
    """Every call as one resolution and one transaction."""
    names = pa.chunked_array([pa.array([one.name for _, one in calls], pa.string())])
    shared = _shared(day, calls) | {"registered_domain": registered_domains(names)}
    lake.append(
        {
            "resolutions": _table(TABLES["resolutions"], len(calls), shared | _resolutions(calls, names)),
            "dns": _table(TABLES["dns"], len(calls), shared | _transactions(calls, names)),
        }
    )


def midnight(day: int) -> datetime:
    return FIRST_DAY + timedelta(days=day)


def _shared(day: int, calls: Sequence[Call]) -> dict[str, Any]:
    times = [midnight(day) + timedelta(microseconds=int(one.at * MICROSECOND)) for _, one in calls]
    ids = [f"{day}-{number}" for number in range(len(calls))]
    return {
        "start_time": times,
        "end_time": times,
        "resolution_id": ids,
        "transaction_id": ids,
        "client_ip": [client.address for client, _ in calls],
        "client_workload": [client.workload for client, _ in calls],
        "client_namespace": "made-up",
        "client_workload_kind": "Deployment",
        "counted": True,
        "rcode": [RCODES[one.outcome] for _, one in calls],
    }


def _resolutions(calls: Sequence[Call], names: pa.ChunkedArray) -> dict[str, Any]:
    return {
        "asked": names,
        "qtypes": [one.qtypes for _, one in calls],
        "outcome": [one.outcome for _, one in calls],
        "addresses": [list(one.addresses) or None for _, one in calls],
        "ttl": [one.ttl if one.addresses else None for _, one in calls],
        "connections": [one.connections if one.addresses else None for _, one in calls],
    }


def _transactions(calls: Sequence[Call], names: pa.ChunkedArray) -> dict[str, Any]:
    length = pc.cast(pc.binary_length(names), pa.int64())
    return {
        "qname": names,
        "qtype": [one.qtypes.split(",")[0] for _, one in calls],
        "query_bytes": pc.add(length, HEADER_BYTES),
        "response_bytes": pc.add(length, 2 * HEADER_BYTES),
        "transport": "udp",
        "outcome": "answered",
    }


def _table(table: Table, rows: int, values: Mapping[str, Any]) -> pa.Table:
    return pa.table(
        [_column(field, rows, values.get(field.name)) for field in table.schema],
        schema=table.schema,
    )


def _column(field: pa.Field, rows: int, value: Any) -> Any:
    """What no detection reads is NULL, or nothing at all where the contract has no NULL."""
    if isinstance(value, list | pa.ChunkedArray):
        return value if isinstance(value, pa.ChunkedArray) else pa.array(value, field.type)
    if value is None and not field.nullable:
        value = NOTHING[str(field.type)]
    return pa.repeat(pa.scalar(value, field.type), rows)


NOTHING: Mapping[str, Any] = {
    "string": "",
    "bool": False,
    "int16": 0,
    "int32": 0,
    "int64": 0,
    "list<item: string>": [],
    "list<element: string>": [],
}
