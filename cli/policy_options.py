"""Options that the verbs of policy share."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from analysis.policy.objects import Source
    from store.lake import Lake


class PolicyFormat(StrEnum):
    TABLE = "table"
    JSON = "json"
    CSV = "csv"


FilesArgument = Annotated[
    list[str], typer.Argument(metavar="FILES", help="Policies as YAML or JSON; a folder stands for its files.")
]
KubeOption = Annotated[
    str | None,
    typer.Option(
        "--kube",
        metavar="FILE-or-DIR",
        help="The cluster's objects: kubectl get -A -o json, or manifests; else those the lake was last ingested with.",
    ),
]
PolicyFormatOption = Annotated[
    PolicyFormat, typer.Option("--format", "-o", help="A report to read, or json, csv for programs.")
]
MaybeLakeOption = Annotated[
    str | None, typer.Option("--lake", metavar="DIR-or-URL", envvar="TAILRACE_LAKE", help="What was seen, if any.")
]
HistorySinceOption = Annotated[
    str | None, typer.Option("--since", metavar="TIME", help="With a lake: from then on, an age or an RFC 3339 time.")
]
HistoryUntilOption = Annotated[
    str | None, typer.Option("--until", metavar="TIME", help="Up to then, which is not included.")
]


def objects(lake: "Lake", kube: str | None, cluster: str | None) -> "Source":
    from analysis.policy.objects import InLake

    return InLake(lake, cluster) if kube is None else kube
