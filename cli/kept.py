"""What is known of the cluster, kept in the lake."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from contract.errors import LakeError

if TYPE_CHECKING:
    import pyarrow as pa

    from store.lake import Lake


def reading_mark(objects: "pa.Table") -> str:
    """By what the lake's commits know a reading of the cluster; ``objects`` has at least one row."""
    seen = objects["seen_time"][0].as_py()
    return f"objects/{objects['cluster'][0].as_py() or ''}/{seen:%Y-%m-%dT%H:%M:%S.%fZ}"


def keep(tables: Mapping[str, "pa.Table"], lake: "Lake", is_dump: bool = True) -> None:
    """Add assignments, and a reading of the objects; that of a dump once, though several enrichers were given it."""
    if "assignments" in tables:
        lake.append({"assignments": tables["assignments"]})
    objects = tables.get("objects")
    if objects is None or not objects.num_rows:
        return
    if not is_dump:
        lake.append({"objects": objects})
        return
    mark = reading_mark(objects)
    if lake.transaction_version("objects", mark) is None:
        try:
            lake.append({"objects": objects}, {mark: 1})
        except LakeError:
            if lake.transaction_version("objects", mark) is None:
                raise
