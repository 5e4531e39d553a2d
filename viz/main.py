"""The frame around every page: which lake, which page, which filters."""

from pathlib import Path

import streamlit as st

from contract.errors import TailraceError
from viz import data, filters
from viz.plain import code

HERE = Path(__file__).parent
PAGES = (
    ("overview.py", "Overview", ":material/monitoring:"),
    ("service_graph.py", "Service graph", ":material/hub:"),
    ("flows.py", "Flows", ":material/swap_calls:"),
    ("names.py", "DNS", ":material/dns:"),
    ("policy.py", "Policy", ":material/policy:"),
)

st.set_page_config("Tailrace", page_icon=str(HERE / "logo.svg"), layout="wide")
st.logo(str(HERE / "logo_wide.svg"), icon_image=str(HERE / "logo.svg"), size="large")
st.html(HERE / "frame.css")

page = st.navigation(
    [
        st.Page(HERE / "app_pages" / file, title=title, icon=icon, default=file == "overview.py")
        for file, title, icon in PAGES
    ]
)
try:
    filters.show(data.span, data.workloads, data.clusters(), data.about().cluster)
    page.run()
except TailraceError as error:
    st.error(code(str(error)), icon=":material/error:")
