"""Which names fail or are slow, and why?"""

import streamlit as st

from viz import data, filters, tables
from viz.dns import findings, health, over_time, resolvers

CLIENTS = ("client", "transactions", "nxdomain", "errors", "unanswered", "repeated", "over_tcp")
NAMES = ("qname", "qtype", "clients", "transactions", "nxdomain", "errors", "unanswered")
LATENCY = ("p50_us", "p95_us", "p99_us")
PARTS = ("Through which servers?", "Who asks?", "Which names go worst?")

st.title("Which names fail or are slow, and why?")
chosen = filters.current()
focus = resolvers.focus(lambda: data.resolver_map(chosen)[0])
asked = {**chosen.parameters, **focus.parameters}
time = data.answer("pages/dns_time", **asked, bar_s=chosen.bar_s).table
if not time.num_rows:
    st.info("No DNS transaction in this time, namespace and workload.")
    st.stop()

resolvers.banner(focus)
glance = health.shown(chosen, focus)
found = st.container()

st.subheader("When?", anchor=False)
over_time.shown(time, chosen, focus.client)

# What is not looked at is not asked for.
servers, clients, names = st.tabs(PARTS, key="part", on_change="rerun", bind="query-params")
if servers.open:
    with servers:
        resolvers.shown(data.resolver_map(chosen)[1], focus)
if clients.open:
    with clients:
        tables.show(data.answer("pages/dns_clients", **asked).table, (*CLIENTS, *LATENCY), "dns_clients")
if names.open:
    with names:
        worst = data.answer("pages/dns_names", **asked)
        tables.show(worst.table, (*NAMES, *LATENCY[:2]), "dns_names")
        if worst.truncated:
            st.caption(f"The worst {data.ROWS} names; choose a namespace or a shorter time to see others.")

# Last, as they take longest: everything else can be read meanwhile.
health.compare(glance, chosen, focus)
with found:
    findings.shown(data.examined({**chosen.parameters, **focus.client}), chosen.window)
