"""What is to be read before anything else, and what becomes of how many edges."""

from collections.abc import Sequence

import streamlit as st

from analysis.policy.picture.edges import State
from analysis.policy.picture.picture import Picture
from viz.graph.drawing import Legend
from viz.humane import number
from viz.plain import visible

LEGEND: Legend = (
    (State.ALLOWED, "allowed"),
    (State.DENIED, "would be denied"),
    (State.LEFT_OUT, "left out: attack or dead target"),
    (State.UNDECIDED, "not decided"),
    (State.UNUSED, "never used"),
)
NAMES = dict(LEGEND)
# How lines begin that are about one edge each, below the line they belong to.
INDENT = " "
# More would push the picture out of the window.
MOST_SHOWN = 7
# Where there is a column for the reason.
SHORT = {**NAMES, State.LEFT_OUT: "left out"}


def shown(lines: Sequence[str], picture: Picture) -> None:
    counts = picture.counts()
    told = [state for state in State if counts[state] or state is not State.UNDECIDED]
    for column, state in zip(st.columns(len(told)), told, strict=True):
        label = SHORT[state].capitalize()
        alarming = state is State.DENIED and counts[state]
        column.metric(f":red[{label}]" if alarming else label, number(counts[state]), border=True)
    with st.container(border=True, gap="xxsmall", key="words"):
        heads = [line for line in lines if not line.startswith(INDENT)]
        for line in heads[:MOST_SHOWN]:
            st.text(f"•  {visible(line)}")
        if picture.unshown:
            st.text(f"•  At least {number(picture.unshown)} more edges are allowed and were never used.")
        if len(lines) > len(heads[:MOST_SHOWN]):
            with st.expander("All of it, edge by edge", type="compact"):
                st.text("\n".join(visible(line) for line in lines))
