"""What is going on, and how much of it was seen?"""

import streamlit as st

from viz import charts, data, filters, tables
from viz.humane import duration, instant, number, share, size

SEEN = ("source", "node", "interface", "from_time", "until_time", "packets", "bytes", "discarded", "cut_packets")
BUSIEST = 10
EDGE = ("src_name", "dst_name", "protocol", "port", "connections", "failed", "bytes")
LOST = (
    "kernel_drops", "evictions", "pending_overflows", "stream_overflows", "datagram_overflows", "hello_overflows",
)  # fmt: skip

st.title("What is going on?")
chosen = filters.current()
if chosen.span is None:
    st.info("The lake is empty: nothing was recorded yet. `tailrace ingest FILE --lake DIR` fills it.")
    st.stop()

summary = data.rows("pages/summary", **chosen.parameters)[0]
since, until = chosen.since or chosen.span[0], chosen.until or chosen.span[1]
st.caption(f"{instant(since)} to {instant(until)} UTC, {duration(chosen.length)}")

cells = (
    ("Connections", number(summary["connections"])),
    ("Failed", share(summary["failed"], summary["connections"])),
    ("Carried", size(summary["bytes"])),
    ("Left the cluster", size(summary["bytes_out"])),
    ("DNS transactions", number(summary["transactions"])),
    ("Unanswered", share(summary["unanswered"], summary["transactions"])),
)
for column, (label, value) in zip(st.columns(len(cells)), cells, strict=True):
    column.metric(label, value, border=True)

traffic = data.answer("pages/traffic", bar_s=chosen.bar_s, **chosen.parameters).table
left, right = st.columns(2)
with left, st.container(border=True):
    st.markdown("**Bytes**, by direction")
    charts.bars(traffic, chosen.bar_s, "bytes", ("direction", charts.DIRECTIONS), "B")
with right, st.container(border=True):
    st.markdown("**Connections** begun, and in red those that failed")
    charts.failures(traffic, chosen.bar_s)

left, right = st.columns([4, 1])
with left:
    st.subheader("Who talks most?", anchor=False)
    edges = data.answer("graph/edges", **chosen.parameters).table
    tables.show(edges.slice(0, BUSIEST), EDGE, "busiest")
with right:
    st.subheader("Why are packets in no flow?", anchor=False)
    discarded = data.answer("pages/discarded", **chosen.window).table
    tables.show(discarded, ("reason", "packets"), "discarded")

st.subheader("How much was seen?", anchor=False)
coverage = data.answer("pages/coverage", **chosen.window).table
tables.show(coverage, (*SEEN, *LOST), "coverage")
