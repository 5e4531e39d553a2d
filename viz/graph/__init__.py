"""The picture of the service graph: a Streamlit component around Cytoscape.js, all of it in this folder."""

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import streamlit as st

from viz.graph.drawing import Drawing, Legend

TRAFFIC: Legend = (
    ("width", "width: bytes"),
    ("warning", "some failed"),
    ("danger", "a tenth or more failed"),
    ("frame", "outside, or unknown"),
)
SCRIPTS = ("vendor/cytoscape.min.js", "style.js", "graph.js")


def picture(
    drawing: Drawing,
    key: str,
    height: int,
    legend: Legend = TRAFFIC,
    *,
    marked: Sequence[str] = (),
    at_first: str | None = None,
) -> str | None:
    """Draw, and return the id of the node or edge that was clicked last; None after a click beside them.

    While nothing is chosen the edges that are ``marked`` stand out. ``at_first`` is chosen before anybody clicks.
    """
    before = st.session_state.get(key) or {"selection": at_first}
    result = _component()(
        data={**drawing, "height": height, "legend": legend, "marked": marked, "selection": before.get("selection")},
        key=key,
        on_selection_change=lambda: None,
    )
    selection = result.selection
    return selection if isinstance(selection, str) else None


@cache
def _component() -> Any:
    # As text: a script served as a file needs an installed distribution named like the package, so it fails
    # in an editable installation (Streamlit 1.67).
    folder = files("viz.graph")
    return st.components.v2.component(
        "tailrace_service_graph",
        html=folder.joinpath("graph.html").read_text(),
        css=folder.joinpath("graph.css").read_text(),
        js="\n".join(folder.joinpath(name).read_text() for name in SCRIPTS),
    )
