"""How names fared over time: how transactions ended, how long answers took, and which workload waited when."""

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import streamlit as st

from viz import charts, data, tables
from viz.filters import Filters

# The column of pages/dns_time that counts each ending.
ENDINGS = {"answered": "answered", "NXDOMAIN": "nxdomain", "error": "errors", "unanswered": "unanswered"}
# What the heat map may show: the column and its unit.
HEATS = {"time waited": ("waited_s", "s"), "calls that failed": ("failed", "")}


def shown(time: pa.Table, filters: Filters, client: dict[str, Any]) -> None:
    """``time``: the answer of pages/dns_time; ``client``: what else is chosen of clients."""
    bars = time.filter(pc.is_valid(time["bar"]))
    left, right = st.columns(2)
    with left, st.container(border=True):
        st.markdown("**Transactions**, by how they ended")
        charts.bars(_endings(bars), filters.bar_s, "transactions", ("ending", charts.ENDINGS))
    with right, st.container(border=True):
        st.markdown("**Latency** of answers")
        _latencies(bars, filters.bar_s)
    with st.container(border=True):
        _heat(filters, client)


def _endings(bars: pa.Table) -> pa.Table:
    """One row for each bar and ending that it has."""
    parts = [
        pa.table({"bar": bars["bar"], "transactions": bars[name], "ending": pa.repeat(ending, bars.num_rows)})
        for ending, name in ENDINGS.items()
    ]
    table = pa.concat_tables(parts)
    return table.filter(pc.greater(table["transactions"], 0))


def _latencies(bars: pa.Table, bar_s: int) -> None:
    answered = bars.filter(pc.is_valid(bars["p50_us"]))
    if answered.num_rows:
        charts.latencies(answered.select(["bar", *charts.LATENCIES]), bar_s)
    else:
        st.caption("None was answered.")


def _heat(filters: Filters, client: dict[str, Any]) -> None:
    title, choice = st.columns([3, 2], vertical_alignment="center")
    title.markdown("**Who waits**, and when: the workloads with most of it")
    with choice.container(horizontal=True, horizontal_alignment="right"):
        name = st.segmented_control(
            "Shown", list(HEATS), default=next(iter(HEATS)), required=True, key="heat", bind="query-params",
            label_visibility="collapsed",
        )  # fmt: skip
    column, unit = HEATS[name]
    calls = data.resolver_calls({**filters.parameters, **client}, filters.bar_s, failing=column == "failed")
    table = calls.filter(pc.greater(calls["place"], 0))
    if not pc.sum(table[column]).as_py():
        st.caption("None in this time, namespace and workload.")
        return
    charts.heat(tables.named(table, "client"), filters.bar_s, "client", column, unit)
