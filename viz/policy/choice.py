"""Whose policies the page shows: which namespace, recommended in which dialect, or which files."""

from dataclasses import dataclass

import streamlit as st

from analysis.policy.picture.view import Texts
from analysis.policy.recommend.dialects import Dialect
from analysis.policy.recommend.model import PLAIN, Style
from contract.errors import InputError
from viz.filters import named, several
from viz.humane import size
from viz.plain import code, visible

SOURCES = ["recommended", "your own"]
ENDINGS = ["yaml", "yml", "json"]
MOST_MB = 4
KEPT = "policies that were brought"
# Buttons; the sidebar has them all.
MOST_OFFERED = 24
# What Calico alone can do.
STYLES = ["staged", "domains"]
STYLES_TOLD = "Staged policies report what they would deny, and deny nothing. Domains follow DNS, in Calico Enterprise."
HIDDEN = {
    "DNS": "dns",
    "cluster nodes": "nodes",
    "allowed": "allowed",
    "left out": "left-out",
    "never used": "unused",
}
HIDDEN_AT_FIRST = ["DNS", "cluster nodes"]


@dataclass(frozen=True)
class Choice:
    """``texts`` are what was brought; where nothing is recommended there is no dialect."""

    dialect: Dialect | None
    style: Style = PLAIN
    texts: Texts = ()


def one(what: str, names: list[str]) -> None:
    """Ask for a cluster or a namespace, as each has its own policies."""
    st.info(f"Policies are made for one {what}: choose it here, or at the left.", icon=":material/arrow_selector_tool:")
    with st.container(horizontal=True):
        for number, name in enumerate(names[:MOST_OFFERED]):
            st.button(code(named(name)), key=f"{what} {number}", on_click=_choose, args=(what, name))


def _choose(what: str, name: str) -> None:
    st.session_state[what] = name


def policies() -> Choice:
    with st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="bottom", gap="medium"):
        if _one("Policies", SOURCES, "policies") != SOURCES[0]:
            return Choice(None)
        dialect = Dialect(_one("For", list(Dialect), "dialect"))
        return Choice(dialect, _style() if dialect is Dialect.CALICO else PLAIN)


def _style() -> Style:
    chosen = st.pills("With", STYLES, selection_mode="multi", key="style", bind="query-params", help=STYLES_TOLD)
    return Style(*(name in chosen for name in STYLES))


def _one(label: str, options: list[str], key: str) -> str:
    chosen: str = st.segmented_control(
        label, options, default=options[0], format_func=str.capitalize, required=True, key=key, bind="query-params"
    )
    return chosen


def brought() -> Texts:
    """Files are kept while the app shows other pages."""
    st.file_uploader(
        "Policies as YAML or JSON",
        ENDINGS,
        accept_multiple_files=True,
        key="files",
        max_upload_size=MOST_MB,
        on_change=_keep,
    )
    kept: list[tuple[str, bytes]] = st.session_state.get(KEPT, [])
    if kept and not st.session_state.get("files"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(", ".join(f"{code(name)} {size(len(content))}" for name, content in kept), width="content")
            st.button("Forget", on_click=_forget, type="tertiary")
    return tuple((visible(name), _text(name, content)) for name, content in kept)


def _keep() -> None:
    """Of one name there may be several, from different folders."""
    st.session_state[KEPT] = [(file.name, file.getvalue()) for file in st.session_state["files"]]


def _forget() -> None:
    st.session_state.pop(KEPT, None)


def _text(name: str, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(visible(name), f"is not UTF-8 at byte {error.start}") from error


def hidden() -> frozenset[str]:
    """What the picture leaves out; of DNS and nodes only what is allowed."""
    return several("Hide", HIDDEN, HIDDEN_AT_FIRST, "hide")
