"""``tailrace graph``: the service graph."""

import sys
from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from cli import options as o
from cli.output import Format, say, write
from cli.reading import open_lake, window

if TYPE_CHECKING:
    import networkx as nx


class GraphFormat(StrEnum):
    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    ARROW = "arrow"
    GRAPHML = "graphml"
    MERMAID = "mermaid"


def graph(
    lake: o.LakeOption,
    namespace: Annotated[
        str | None, typer.Option("--namespace", "-n", help="Only edges that begin or end in this namespace.")
    ] = None,
    since: o.SinceOption = None,
    until: o.UntilOption = None,
    cluster: o.ClusterOption = None,
    form: Annotated[
        GraphFormat, typer.Option("--format", help="Edges as table, csv, arrow; the graph as json, graphml, mermaid.")
    ] = GraphFormat.TABLE,
) -> None:
    """Who talks to whom, on which protocol and port."""
    from analysis.clusters import clusters
    from analysis.graph import service_graph

    opened = open_lake(lake, cluster)
    found = service_graph(opened, **window(since, until, cluster), namespace=namespace)
    _write(found, form)
    if not found.number_of_edges():
        say("nothing matched")
    if cluster is None and len(clusters(opened)) > 1:
        say("the lake has several clusters, of which workloads of the same name are one here; --cluster shows one")
    if found.graph["truncated"]:
        say("the graph is not complete: it has only the edges with the most connections")


def _write(found: "nx.MultiDiGraph", form: GraphFormat) -> None:
    from analysis import graph_formats

    texts: dict[GraphFormat, Callable[[nx.MultiDiGraph], str]] = {
        GraphFormat.JSON: graph_formats.as_json,
        GraphFormat.GRAPHML: graph_formats.as_graphml,
        GraphFormat.MERMAID: graph_formats.as_mermaid,
    }
    if form in texts:
        sys.stdout.write(texts[form](found).rstrip("\n") + "\n")
    else:
        write(graph_formats.as_table(found), Format(form.value))
