"""Which names fail, or are slow?"""

import streamlit as st

from viz import charts, data, filters, tables

CLIENTS = ("client", "transactions", "nxdomain", "errors", "unanswered", "repeated", "over_tcp")
NAMES = ("qname", "qtype", "clients", "transactions", "nxdomain", "errors", "unanswered")
LATENCY = ("p50_us", "p95_us", "p99_us")

st.title("Which names fail or are slow?")
chosen = filters.current()
clients = data.answer("pages/dns_clients", **chosen.parameters)
if not clients.table.num_rows:
    st.info("No DNS transaction in this time, namespace and workload.")
    st.stop()

bars = {**chosen.parameters, "bar_s": chosen.bar_s}
left, right = st.columns(2)
with left, st.container(border=True):
    st.markdown("**Transactions**, by how they ended")
    charts.bars(data.answer("pages/dns_time", **bars).table, chosen.bar_s, "transactions", ("ending", charts.ENDINGS))
with right, st.container(border=True):
    st.markdown("**Latency** of answers")
    charts.latencies(data.answer("pages/dns_latency", **bars).table, chosen.bar_s)

st.subheader("Who asks?", anchor=False)
tables.show(clients.table, (*CLIENTS, *LATENCY), "dns_clients")

st.subheader("Which names go worst?", anchor=False)
names = data.answer("pages/dns_names", **chosen.parameters)
tables.show(names.table, (*NAMES, *LATENCY[:2]), "dns_names")
if names.truncated:
    st.caption(f"The worst {data.ROWS} names; choose a namespace or a shorter time to see others.")
