"""The only way from a page to the lake: one cached question each, with a row limit and a time limit."""

import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import networkx as nx
import pyarrow as pa
import streamlit as st

from analysis.clusters import clusters as clusters_of
from analysis.clusters import span_of
from analysis.detect.detections import DETECTIONS, detect
from analysis.dns.doctor import DIAGNOSES, examine_each
from analysis.dns.examination import together
from analysis.dns.judged import judged
from analysis.dns.resolvers import resolver_map as map_of
from analysis.graph import SEVERAL, folded, service_graph, without
from analysis.layers import place_in_layers
from analysis.layout import place
from analysis.policy.objects import InLake
from analysis.policy.picture.ends import Scope
from analysis.policy.picture.view import View, recommended, replayed
from analysis.policy.recommend.cluster import Cluster, read_cluster
from analysis.policy.replay import Asked
from analysis.questions import WINDOW, Asking, ask
from analysis.running import Answer
from store.lake import Lake
from viz.about import About
from viz.dns.examined import Examined
from viz.dns.resolvers import TRANSACTIONS
from viz.filters import Filters
from viz.graph.drawing import Drawing, drawing
from viz.policy.choice import Choice

# What a page can show; a download is a file of its own.
ROWS = 5_000
DOWNLOAD_ROWS = 1_000_000
# A page that takes longer has lost its reader.
TIMEOUT_S = 20.0
# A growing lake is read again after so many seconds.
FRESH_S = 20
KEPT = 64
# What the filters offer is read again behind the page, which does not wait for it.
CHOICES_FRESH_S = 60
# The questions of a page are asked of the lake as it was opened for the first of them.
OPEN_S = 10
LAKES_KEPT = 8
# A doctor is not asked at every click, and what he finds is the same for some minutes.
DOCTOR_FRESH_S = 300
DOCTOR_KEPT = 16
# Policies are made of days: they do not change by the second, and take longer to make.
POLICY_FRESH_S = 600
POLICIES_KEPT = 8
# Of a namespace and its neighbours; beyond, the neighbours' namespaces stand for them.
MOST_NEIGHBOURS = 80

# Groups of the service graph that stand at the right of the cluster.
ASIDE = frozenset(("external", "unknown", SEVERAL))


def about() -> About:
    """``streamlit run main.py -- --lake URL``."""
    return About.of(sys.argv[1:])


def lake_url() -> str:
    return about().lake


def span(cluster: str | None) -> tuple[datetime, datetime] | None:
    return _span(lake_url(), cluster)


def clusters() -> list[str]:
    """Those that may be chosen: none where the app was started for one."""
    return _clusters(lake_url()) if about().cluster is None else []


def workloads(cluster: str | None) -> list[tuple[str, str]]:
    """Every namespace and workload that took part in a connection."""
    return _workloads(lake_url(), cluster)


def answer(name: str, /, **parameters: Any) -> Answer:
    return _answer(lake_url(), name, tuple(parameters.items()), ROWS)


def download(name: str, /, **parameters: Any) -> Answer:
    return _answer(lake_url(), name, tuple(parameters.items()), DOWNLOAD_ROWS)


def rows(name: str, /, **parameters: Any) -> list[dict[str, Any]]:
    return answer(name, **parameters).table.to_pylist()  # type: ignore[no-any-return]


def first(most: int, name: str, /, **parameters: Any) -> Answer:
    """The first rows only."""
    return _answer(lake_url(), name, tuple(parameters.items()), most)


def graph(filters: Filters, left_out: frozenset[str]) -> tuple[nx.MultiDiGraph, Drawing]:
    """The service graph, small enough to be drawn, and its drawing."""
    return _graph(lake_url(), filters, left_out)


def resolver_map(filters: Filters) -> tuple[nx.MultiDiGraph, Drawing]:
    """Who asks which name server, small enough to be drawn, and its drawing."""
    return _resolver_map(lake_url(), filters)


def resolver_calls(parameters: Mapping[str, Any], bar_s: int, failing: bool = False) -> pa.Table:
    """All together in the first row; then the workloads that waited longest, or failed most, bar by bar."""
    return answer("pages/dns_calls", **parameters, bar_s=bar_s, failing=failing).table


def examined(parameters: Mapping[str, Any]) -> Examined:
    """What the doctor and the detections find of a time, a cluster, a namespace and a workload."""
    return _examined(lake_url(), tuple(parameters.items()))


def policy(filters: Filters, choice: Choice) -> View:
    """What is recommended, or what somebody's own policies would do; of the namespace and workload of the filters."""
    return _policy(_narrowed(filters), _stamp(), filters, choice)


def policy_graph(filters: Filters, choice: Choice, hidden: frozenset[str]) -> tuple[nx.MultiDiGraph, Drawing]:
    return _policy_graph(_narrowed(filters), _stamp(), filters, choice, hidden)


def _narrowed(filters: Filters) -> About:
    return replace(about(), cluster=filters.cluster)


def _stamp() -> tuple[tuple[str, int, int], ...]:
    """Differs once files of Kubernetes objects were written anew."""
    given = about().kube
    if given is None or not (kube := Path(given)).exists():
        return ()
    files = sorted(kube.rglob("*")) if kube.is_dir() else [kube]
    return tuple((str(file), (told := file.stat()).st_mtime_ns, told.st_size) for file in files)


@st.cache_data(ttl=POLICY_FRESH_S, max_entries=1, show_spinner="Reading the Kubernetes objects …")
def _cluster(about: About, stamp: object) -> Cluster:
    return read_cluster(about.kube or InLake(Lake.open(about.lake), about.cluster))


@st.cache_data(ttl=POLICY_FRESH_S, max_entries=POLICIES_KEPT, show_spinner="Judging history …")
def _policy(about: About, stamp: object, filters: Filters, choice: Choice) -> View:
    lake, cluster = Lake.open(about.lake), _cluster(about, stamp)
    asked = Asked(filters.since, filters.until, about.cluster)
    scope = Scope(filters.namespace or "", filters.workload)
    if choice.dialect is None:
        return replayed(lake, cluster, asked, scope, choice.texts)
    return recommended(lake, cluster, asked, scope, choice.dialect, choice.style)


@st.cache_data(ttl=POLICY_FRESH_S, max_entries=POLICIES_KEPT, show_spinner="Drawing the graph …")
def _policy_graph(
    about: About, stamp: object, filters: Filters, choice: Choice, hidden: frozenset[str]
) -> tuple[nx.MultiDiGraph, Drawing]:
    whole = _policy(about, stamp, filters, choice).picture.graph(hidden)
    graph = folded(whole, nodes=MOST_NEIGHBOURS, whole=filters.namespace)
    return graph, drawing(graph, place(graph, ASIDE))


@st.cache_data(ttl=FRESH_S, max_entries=KEPT, show_spinner=False)
def _span(url: str, cluster: str | None) -> tuple[datetime, datetime] | None:
    return span_of(Lake.open(url), cluster, TIMEOUT_S)


@st.cache_data(ttl=CHOICES_FRESH_S, max_entries=KEPT, show_spinner=False, refresh_mode="background")
def _clusters(url: str) -> list[str]:
    return clusters_of(Lake.open(url), TIMEOUT_S)


@st.cache_data(ttl=CHOICES_FRESH_S, max_entries=KEPT, show_spinner=False, refresh_mode="background")
def _workloads(url: str, cluster: str | None) -> list[tuple[str, str]]:
    table = ask(Lake.open(url), "pages/workloads", {"cluster": cluster}, ROWS, TIMEOUT_S).table
    return list(zip(table["namespace"].to_pylist(), table["workload"].to_pylist(), strict=True))


# Nobody closes it while somebody else may be asking: it ends with the last who does.
@st.cache_resource(ttl=OPEN_S, max_entries=LAKES_KEPT, show_spinner=False)
def _asking(url: str, window: tuple[tuple[str, Any], ...]) -> Asking:
    return Asking(Lake.open(url), dict(window))


@st.cache_data(ttl=FRESH_S, max_entries=KEPT, show_spinner="Asking the lake …")
def _answer(url: str, name: str, parameters: tuple[tuple[str, Any], ...], limit: int) -> Answer:
    window = tuple((name, value) for name, value in parameters if name in WINDOW)
    return _asking(url, window)(name, dict(parameters), limit, TIMEOUT_S)


@st.cache_data(ttl=FRESH_S, max_entries=KEPT, show_spinner="Drawing the graph …")
def _graph(url: str, filters: Filters, left_out: frozenset[str]) -> tuple[nx.MultiDiGraph, Drawing]:
    whole = service_graph(Lake.open(url), **filters.parameters)
    graph = folded(without(whole, sorted(left_out)))
    return graph, drawing(graph, place(graph, ASIDE))


@st.cache_data(ttl=FRESH_S, max_entries=KEPT, show_spinner="Drawing the map …")
def _resolver_map(url: str, filters: Filters) -> tuple[nx.MultiDiGraph, Drawing]:
    graph = map_of(_asking(url, tuple(filters.window.items())), filters.parameters, TIMEOUT_S)
    return graph, drawing(graph, place_in_layers(graph), TRANSACTIONS)


@st.cache_data(ttl=DOCTOR_FRESH_S, max_entries=DOCTOR_KEPT, show_spinner="The doctor examines what was asked …")
def _examined(url: str, parameters: tuple[tuple[str, Any], ...]) -> Examined:
    lake, told = Lake.open(url), dict(parameters)
    doctor = examine_each(lake, told, timeout_s=TIMEOUT_S)
    titles = {one.name: one.title for one in (*DIAGNOSES, *DETECTIONS)}
    report = together(doctor, detect(lake, told, timeout_s=TIMEOUT_S))
    return Examined(report, titles, judged(lake, told, TIMEOUT_S))
