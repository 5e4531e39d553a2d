"""The rows behind a page as a file."""

from collections.abc import Callable
from functools import partial
from io import BytesIO
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import streamlit as st

from viz import data
from viz.humane import number


def buttons(parameters: dict[str, Any], matching: int) -> None:
    """All rows of the page on flows, as CSV and as Parquet; nothing is read before a click."""
    more = f", the first {number(data.DOWNLOAD_ROWS)} in a file" if matching > data.DOWNLOAD_ROWS else ""
    with st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center"):
        st.caption(f"{number(matching)} found{more}", width="content")
        for name, ending, write in FORMATS:
            st.download_button(
                name,
                data=partial(_file, write, parameters),
                file_name=f"flows.{ending}",
                icon=":material/download:",
                on_click="ignore",
            )


def _file(write: Callable[[pa.Table, BytesIO], None], parameters: dict[str, Any]) -> bytes:
    buffer = BytesIO()
    table = data.download("pages/flows", page_rows=data.DOWNLOAD_ROWS, **parameters).table
    write(table.drop_columns(["matching"]), buffer)
    return buffer.getvalue()


def _csv(table: pa.Table, buffer: BytesIO) -> None:
    pyarrow.csv.write_csv(table, buffer)


def _parquet(table: pa.Table, buffer: BytesIO) -> None:
    pyarrow.parquet.write_table(table, buffer, compression="zstd")


FORMATS = (("CSV", "csv", _csv), ("Parquet", "parquet", _parquet))
