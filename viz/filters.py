"""The filters every page shares. They live in the URL as plain text, and only what is offered is taken from there."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import streamlit as st

from store.views import UNTOLD
from viz.humane import duration
from viz.plain import visible

ALL = "all"
BETWEEN = "between"
LASTS = {
    "1min": timedelta(minutes=1),
    "5min": timedelta(minutes=5),
    "15min": timedelta(minutes=15),
    "1h": timedelta(hours=1),
    "6h": timedelta(hours=6),
    "1d": timedelta(days=1),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
}
# Steps of the slider between first and last record.
STEPS = 120
# About as many bars as a chart of our width can show apart.
BARS = 72
BAR_LENGTHS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21_600, 43_200, 86_400, 604_800)

MOST_LETTERS = 253
# What a choice is called, in the URL too, and the value of the parameter.
STATES = {"any": None, "worked": "ok", "failed": "failed"}
PROTOCOLS = {"TCP": 6, "UDP": 17, "ICMP": 1, "ICMPv6": 58, "SCTP": 132}
# Every workload asks the name servers: those edges hide the others, and have a page of their own.
LEFT_OUT_AT_FIRST = ["DNS"]
LEFT_OUT = {"DNS": "dns", "cluster nodes": "nodes", "the outside": "outside", "what works": "working"}
ORDERS = {
    "start": "start_time",
    "bytes": "bytes",
    "packets": "packets",
    "duration": "duration",
    "handshake": "handshake",
}

Span = tuple[datetime, datetime]
# When a cluster was recorded.
Recorded = Callable[[str | None], Span | None]
# Pairs of namespace and workload, of a cluster.
Workloads = Callable[[str | None], Sequence[tuple[str, str]]]


@dataclass(frozen=True)
class Filters:
    """``since`` and ``until`` are None where nothing is cut off; ``span`` is what was recorded, of the chosen cluster if any."""

    span: Span | None
    since: datetime | None = None
    until: datetime | None = None
    namespace: str | None = None
    workload: str | None = None
    cluster: str | None = None

    @property
    def parameters(self) -> dict[str, Any]:
        return {**self.window, "namespace": self.namespace, "workload": self.workload}

    @property
    def window(self) -> dict[str, Any]:
        return {"since": self.since, "until": self.until, "cluster": self.cluster}

    @property
    def length(self) -> timedelta:
        if self.span is None:
            return timedelta()
        return (self.until or self.span[1]) - (self.since or self.span[0])

    @property
    def before(self) -> Span | None:
        """The time of the same length before, where all of it was recorded."""
        if self.span is None or self.since is None or self.since - self.length < self.span[0]:
            return None
        return self.since - self.length, self.since

    @property
    def bar_s(self) -> int:
        """Seconds a bar of a chart over this time stands for."""
        wanted = self.length.total_seconds() / BARS
        return next((length for length in BAR_LENGTHS_S if length >= wanted), BAR_LENGTHS_S[-1])


def show(recorded: Recorded, workloads: Workloads, clusters: Sequence[str] = (), cluster: str | None = None) -> None:
    """Put the filters in the sidebar; ``cluster`` is the only one, unless several may be chosen."""
    with st.sidebar:
        if len(clusters) > 1:
            cluster = _choice("Cluster", list(clusters), "cluster", _forget_between)
        span = recorded(cluster)
        since, until = _times(span)
        pairs = workloads(cluster)
        namespaces = sorted({namespace for namespace, _ in pairs})
        namespace = _choice("Namespace", namespaces, "namespace")
        names = sorted({name for inside, name in pairs if namespace in (None, inside)})
        workload = _choice("Workload", names, "workload")
    st.session_state["filters"] = Filters(span, since, until, namespace, workload, cluster)


def current() -> Filters:
    filters = st.session_state["filters"]
    assert isinstance(filters, Filters)
    return filters


def named(name: str) -> str:
    """Of a cluster, a namespace or a workload."""
    return visible(name) if name != UNTOLD else "(not told)"


def _choice(label: str, values: list[str], key: str, on_change: Callable[[], None] | None = None) -> str | None:
    chosen: str | None = st.selectbox(
        label,
        values,
        index=None,
        key=key,
        format_func=named,
        placeholder="any",
        bind="query-params",
        on_change=on_change,
    )
    return chosen


def _forget_between() -> None:
    """The slider refuses a time that was not recorded of the next cluster."""
    st.session_state.pop("between", None)


def _times(span: Span | None) -> tuple[datetime | None, datetime | None]:
    if span is None or span[0] == span[1]:
        return None, None
    first, last = span
    lasts = [name for name, length in LASTS.items() if length < last - first]
    choice = st.selectbox(
        "Time",
        [ALL, *lasts, BETWEEN],
        key="time",
        format_func=lambda name: _told(name, last - first),
        bind="query-params",
    )
    if choice == BETWEEN:
        return _between(first, last)
    return (None, None) if choice not in LASTS else (last - LASTS[choice], None)


def _told(name: str, whole: timedelta) -> str:
    if name == ALL:
        return f"all ({duration(whole)})"
    return f"last {duration(LASTS[name])}" if name in LASTS else BETWEEN


def _between(first: datetime, last: datetime) -> Span:
    step = max(timedelta(seconds=1), (last - first) / STEPS)
    since, until = st.slider(
        "From, until (UTC)",
        first,
        last,
        (first, last),
        step=step,
        format="HH:mm:ss" if last - first < timedelta(days=1) else "D MMM HH:mm",
        key="between",
        bind="query-params",
    )
    # A chosen end is exclusive; the last record still belongs to the whole.
    return since, until if until < last else last + timedelta(microseconds=1)


def flows() -> dict[str, Any]:
    """The filters and the order of the page on flows: parameters of its question."""
    text, state, protocol, port, sort = st.columns([4, 2, 2, 2, 2])
    with text:
        wanted = st.text_input(
            "Contains",
            key="text",
            bind="query-params",
            placeholder="part of a name, domain or address",
            max_chars=MOST_LETTERS,
        )
    with state:
        outcome = st.selectbox("State", list(STATES), key="state", bind="query-params")
    with protocol:
        name = st.selectbox(
            "Protocol", list(PROTOCOLS), index=None, key="protocol", placeholder="any", bind="query-params"
        )
    with port:
        number = st.number_input(
            "Port", 0, 65535, value=None, step=1, key="port", placeholder="any", bind="query-params"
        )
    with sort:
        order = st.selectbox("Greatest first", list(ORDERS), key="sort", bind="query-params")
    return {
        "text": wanted or None,
        "state": STATES[outcome],
        "protocol": PROTOCOLS[name] if name else None,
        "port": number,
        "sort": ORDERS[order],
    }


def left_out() -> frozenset[str]:
    """What the service graph leaves out."""
    return several("Leave out", LEFT_OUT, LEFT_OUT_AT_FIRST, "without")


def several(label: str, options: Mapping[str, str], at_first: Sequence[str], key: str) -> frozenset[str]:
    """A row of names at the right, any of which may be chosen: what those stand for."""
    with st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center"):
        st.caption(label, width="content")
        chosen = st.pills(
            label,
            list(options),
            selection_mode="multi",
            default=at_first,
            key=key,
            label_visibility="collapsed",
            bind="query-params",
            width="content",
        )
    return frozenset(options[name] for name in chosen)
