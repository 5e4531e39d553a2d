"""Lines and tables of a report about policy, for people."""

import sys
from typing import TYPE_CHECKING

from analysis.printable import printable
from cli.protocols import service

if TYPE_CHECKING:
    import pyarrow as pa

MOST_NAMED = 6


def print_lines(*lines: str) -> None:
    sys.stdout.write("".join(printable(line) + "\n" for line in lines))


def ends_and_service(rows: "pa.Table") -> dict[str, "pa.ChunkedArray"]:
    """Columns ``src``, ``dst`` and ``on`` of rows that have their parts."""
    import pyarrow as pa
    import pyarrow.compute as pc

    shown = {}
    for side in ("src", "dst"):
        namespace = pc.fill_null(pc.binary_join_element_wise(rows[f"{side}_namespace"], "", "/"), "")
        shown[side] = pc.binary_join_element_wise(namespace, rows[f"{side}_name"], "")
    pairs = zip(rows["protocol"].to_pylist(), rows["port"].to_pylist(), strict=True)
    shown["on"] = pa.chunked_array([[service(protocol, port) for protocol, port in pairs]], pa.string())
    return shown


def abridged(lists: "pa.ChunkedArray") -> "pa.ChunkedArray":
    """Lists of names as text, long ones cut."""
    import pyarrow as pa

    texts = [", ".join(names[:MOST_NAMED]) + _more(len(names) - MOST_NAMED) for names in lists.to_pylist()]
    return pa.chunked_array([texts], pa.string())


def _more(count: int) -> str:
    return f" and {count} more" if count > 0 else ""


def has_any(column: "pa.ChunkedArray") -> bool:
    """A column that says nothing of any row is not worth its width."""
    return any(column.to_pylist())
