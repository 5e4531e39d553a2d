"""Which connections were there?"""

import streamlit as st

from viz import data, downloads, filters, tables

PAGE_ROWS = 50
COLUMNS = (
    "start_time", "src", "dst", "protocol", "dst_port", "application", "connection_state",
    "duration_s", "src_bytes", "dst_bytes", "packets", "server_handshake_us", "service", "tls_sni", "tls_version",
    "tls_ech", "src_pod", "dst_pod", "src_ip", "dst_ip",
)  # fmt: skip

st.title("Which connections were there?")
chosen = filters.current()
wanted = filters.flows()
skip = PAGE_ROWS * (st.session_state.get("page", 1) - 1)
parameters = {**chosen.parameters, **wanted, "page_rows": PAGE_ROWS}
table = data.answer("pages/flows", skip=skip, **parameters).table
if not table.num_rows and skip:
    table = data.answer("pages/flows", skip=0, **parameters).table
if not table.num_rows:
    st.info("No connection fits these filters.")
    st.stop()

matching = table["matching"][0].as_py()
tables.show(table, COLUMNS, "flows")
left, right = st.columns([3, 2], vertical_alignment="center")
with left:
    st.pagination(max(1, -(-matching // PAGE_ROWS)), key="page", bind="query-params")
with right:
    downloads.buttons({**chosen.parameters, **wanted}, matching)
