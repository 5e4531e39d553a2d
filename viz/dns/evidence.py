"""The rows behind a finding, whatever columns its diagnosis has."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa
import streamlit as st

from viz import tables
from viz.humane import instant, latency, number

# Of a list within a cell.
MOST_VALUES = 12


def shown(evidence: Mapping[str, Any], key: str) -> None:
    """One line for each thing that is known; of a list of rows a table of its own."""
    told = {name: value for name, value in evidence.items() if value is not None and not _is_rows(value)}
    values = pa.array([_value(name, value) for name, value in told.items()], pa.string())
    tables.show(
        pa.table({"told": [_heading(name) for name in told], "value": values}), ("told", "value"), f"evidence {key}"
    )
    for name, rows in evidence.items():
        if _is_rows(rows):
            st.markdown(f"**{_heading(name).capitalize()}**")
            _rows(rows, f"{name} {key}")


def _is_rows(value: object) -> bool:
    return isinstance(value, list | tuple) and bool(value) and all(isinstance(row, Mapping) for row in value)


def _rows(rows: Sequence[Mapping[str, Any]], key: str) -> None:
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = {_heading(name): [_value(name, row.get(name)) for row in rows] for name in names}
    tables.show_texts(pa.table({heading: pa.array(values, pa.string()) for heading, values in columns.items()}), key)


def _heading(name: str) -> str:
    """Names of columns are ours, and read well enough."""
    return name.removesuffix("_us").replace("_", " ")


def _value(name: str, value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, Mapping):
        return _listed([f"{key}: {_value('', one)}" for key, one in value.items()])
    if isinstance(value, list | tuple):
        return _listed([_value("", one) or "" for one in value])
    return _single(name, value)


def _single(name: str, value: object) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case int() | float() if name.endswith("_us"):
            return latency(value)
        case int():
            return number(value)
        case float():
            return f"{value:.4g}"
        case datetime():
            return f"{instant(value)} UTC"
    return str(value)


def _listed(texts: Sequence[str]) -> str:
    more = f" and {number(len(texts) - MOST_VALUES)} more" if len(texts) > MOST_VALUES else ""
    return ", ".join(texts[:MOST_VALUES]) + more
