"""Which names fail or are slow, and why?"""

import streamlit as st

from viz import data, filters, tables
from viz.dns import findings, health, over_time, resolvers

CLIENTS = ("client", "transactions", "nxdomain", "errors", "unanswered", "repeated", "over_tcp")
NAMES = ("qname", "qtype", "clients", "transactions", "nxdomain", "errors", "unanswered")
LATENCY = ("p50_us", "p95_us", "p99_us")

st.title("Which names fail or are slow, and why?")
chosen = filters.current()
graph, drawing = data.resolver_map(chosen)
focus = resolvers.focus(graph)
asked = {**chosen.parameters, **focus.parameters}
time = data.answer("pages/dns_time", **asked, bar_s=chosen.bar_s).table
if not time.num_rows:
    st.info("No DNS transaction in this time, namespace and workload.")
    st.stop()

resolvers.banner(focus)
health.shown(chosen, focus)
found = st.container()

st.subheader("When?", anchor=False)
over_time.shown(time, chosen, focus.client)

st.subheader("Through which name servers?", anchor=False)
resolvers.shown(drawing, focus)

st.subheader("Who asks?", anchor=False)
tables.show(data.answer("pages/dns_clients", **asked).table, (*CLIENTS, *LATENCY), "dns_clients")

st.subheader("Which names go worst?", anchor=False)
names = data.answer("pages/dns_names", **asked)
tables.show(names.table, (*NAMES, *LATENCY[:2]), "dns_names")
if names.truncated:
    st.caption(f"The worst {data.ROWS} names; choose a namespace or a shorter time to see others.")

# Last, as it takes longest: everything else can be read meanwhile.
with found:
    findings.shown(data.examined({**chosen.parameters, **focus.client}), chosen.window)
