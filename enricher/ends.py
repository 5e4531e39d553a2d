"""Every end a record can have, as one table: assignments, then Services by port, then the world outside.

A record refers to an end by its row number, so that labels are joined once, by a ``take``, and never in SQL.
"""

import pyarrow as pa
import pyarrow.compute as pc

from contract.ends import END, SERVICE
from enricher.directory import Directory
from enricher.sightings import rows

END_SCHEMA = pa.schema([pa.field(column.name, column.type) for column in END])
SERVICE_SCHEMA = pa.schema([pa.field(column.name, column.type) for column in SERVICE])


def end_table(directory: Directory, port_owner: pa.ChunkedArray) -> pa.Table:
    """``port_owner`` is, per Service port, an assignment of the one workload behind it, or NULL."""
    parts = [_owners(directory.assignments), _services(directory, port_owner), _outside()]
    return pa.concat_tables(parts).combine_chunks()


def external_end(directory: Directory) -> int:
    return int(directory.assignments.num_rows + directory.ports.num_rows)


def ends_of(ends: pa.Table, prefix: str, chosen: pa.ChunkedArray) -> dict[str, pa.ChunkedArray]:
    """The columns of one end of every record."""
    taken = ends.take(chosen)
    return {prefix + name: taken[name] for name in END_SCHEMA.names}


def services_of(directory: Directory, chosen: pa.ChunkedArray) -> dict[str, pa.ChunkedArray]:
    services = directory.ports.select(["namespace", "service", "port_name"]).rename_columns(SERVICE_SCHEMA.names)
    taken = services.combine_chunks().take(chosen)
    return {name: taken[name] for name in SERVICE_SCHEMA.names}


def _owners(assignments: pa.Table) -> pa.Table:
    """A Service is not the workload behind it, and its labels are not the pod's."""
    is_service = pc.equal(assignments["kind"], "service")
    columns = {name: assignments[name] for name in END_SCHEMA.names if name in assignments.schema.names}
    for name in ("workload_kind", "workload"):
        columns[name] = _unless(is_service, columns[name])
    columns["labels"] = assignments["labels"].combine_chunks().take(_unless(is_service, rows(assignments)))
    columns["pod"] = _unless(pc.not_equal(assignments["kind"], "pod"), assignments["name"])
    return _ends(columns, assignments.num_rows)


def _services(directory: Directory, port_owner: pa.ChunkedArray) -> pa.Table:
    count = directory.ports.num_rows
    workload = directory.assignments.select(["workload_kind", "workload"]).combine_chunks().take(port_owner)
    return _ends(
        {
            "kind": pa.repeat(pa.scalar("service"), count),
            "namespace": directory.ports["namespace"],
            "workload_kind": workload["workload_kind"],
            "workload": workload["workload"],
        },
        count,
    )


def _outside() -> pa.Table:
    return _ends({"kind": pa.array(["external"])}, 1)


def _ends(columns: dict[str, pa.ChunkedArray], count: int) -> pa.Table:
    arrays = [columns.get(field.name, pa.nulls(count, field.type)) for field in END_SCHEMA]
    return pa.Table.from_arrays(arrays, schema=END_SCHEMA)


def _unless(condition: pa.ChunkedArray, values: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.if_else(condition, pa.scalar(None, values.type), values)
