"""Lines and tables of a report about policy, for people."""

import sys
from typing import TYPE_CHECKING

from analysis.printable import printable
from cli.protocols import NAMES

if TYPE_CHECKING:
    import pyarrow as pa


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
    shown["on"] = pa.chunked_array([[_on(protocol, port) for protocol, port in pairs]], pa.string())
    return shown


def _on(protocol: int, port: int | None) -> str:
    name = NAMES.get(protocol, str(protocol))
    return name if port is None else f"{name} {port}"


def has_any(column: "pa.ChunkedArray") -> bool:
    """A column that says nothing of any row is not worth its width."""
    return any(column.to_pylist())
