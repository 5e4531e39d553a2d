"""Rows of a history, which are of single pods, as edges of workloads."""

import pyarrow as pa
import pyarrow.compute as pc

KEPT = ("src_namespace", "src_workload_kind", "dst_namespace", "dst_workload_kind", "protocol", "port")


def workload_edges(rows: pa.Table) -> pa.Array:
    """The number of the edge that each row belongs to; addresses outside are workloads of their own, by name if known."""
    names = {
        "src": pc.coalesce(rows["src_workload"], rows["src_address"]),
        "dst": pc.coalesce(rows["dst_workload"], rows["dst_domain"], rows["dst_address"]),
    }
    keys = pa.table(names | {name: rows[name] for name in KEPT})
    numbered = keys.append_column("row", pa.array(range(rows.num_rows), pa.int64()))
    groups = numbered.group_by(keys.schema.names, use_threads=False).aggregate([("row", "list")])["row_list"]
    members = groups.combine_chunks()
    edges = pc.list_parent_indices(members)
    return edges.take(pc.sort_indices(pc.list_flatten(members)))
