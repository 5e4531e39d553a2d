"""Who talks to whom?"""

import streamlit as st

from viz import data, details, filters
from viz.graph import picture
from viz.graph.drawing import chosen
from viz.humane import of

HEIGHT = 590

title, choice = st.columns([2, 3], vertical_alignment="bottom")
title.title("Who talks to whom?")
with choice:
    left_out = filters.left_out()
graph, drawing = data.graph(filters.current(), left_out)
if not graph:
    st.info("No connection in this time, namespace and workload, or all are left out.")
    st.stop()

if graph.graph["truncated"]:
    st.warning(f"Only the {of(graph.number_of_edges(), 'edge')} with the most connections; choose a namespace.")
drawn = {**filters.current().parameters, **{f"without_{kind}": True for kind in sorted(left_out)}}
selection = picture(drawing, "service_graph", HEIGHT)
match chosen(graph, selection):
    case (source, target, key):
        details.edge(graph, (source, target, key), drawn)
    case (node,):
        details.node(graph, node, drawn)
    case _:
        details.edges(graph)
