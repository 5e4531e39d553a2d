"""What may be closed?"""

from dataclasses import replace

import streamlit as st

from viz import data, filters, tables
from viz.graph import picture
from viz.graph.drawing import chosen
from viz.humane import number
from viz.policy import choice, details, words

HEIGHT = 560

title, right = st.columns([1, 2], vertical_alignment="bottom")
title.title("What may be closed?")
current = filters.current()
if current.span is None:
    st.info("The lake is empty: nothing was recorded yet. `tailrace ingest FILE --lake DIR` fills it.")
    st.stop()
if current.cluster is None and len(data.clusters()) > 1:
    choice.one("cluster", data.clusters())
    st.stop()
if current.namespace is None:
    choice.one("namespace", sorted({namespace for namespace, _ in data.workloads(current.cluster)}))
    st.stop()

with right:
    wanted = choice.policies()
if wanted.dialect is None:
    wanted = replace(wanted, texts=choice.brought())
    if not wanted.texts:
        st.stop()
view = data.policy(current, wanted)
words.shown(view.words, view.picture)

graph, drawing = data.policy_graph(current, wanted, choice.hidden())
if graph:
    marked = details.marked(view.picture, tables.chosen(details.RULES_KEY))
    selection = picture(drawing, "policy_graph", HEIGHT, words.LEGEND, marked=marked)
    match chosen(graph, selection):
        case (source, target, key):
            details.edge(view.picture, graph, (source, target, key))
        case (node,):
            details.node(view.picture, graph, node)
else:
    st.caption("No edge to draw in this time, namespace and workload.")

counted = {"Rules": view.picture.rules, "YAML": None, "Left out": view.left_out, "Edges": view.picture.edges}
names = [name if table is None else f"{name} ({number(table.num_rows)})" for name, table in counted.items()]
rules, yaml, left_out, edges = st.tabs(names)
with rules:
    details.rules(view.picture)
with yaml:
    details.yaml(view.text, f"{current.namespace}.yaml")
with left_out:
    details.left_out(view.left_out)
with edges:
    details.edges(view.picture.edges, "edges")
