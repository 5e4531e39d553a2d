"""Options that the verbs of policy share."""

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from analysis.policy.endpoints import Endpoint
    from analysis.policy.history import History
    from analysis.policy.replay import Asked


class PolicyFormat(StrEnum):
    TABLE = "table"
    JSON = "json"
    CSV = "csv"


FilesArgument = Annotated[
    list[str], typer.Argument(metavar="FILES", help="Policies as YAML or JSON; a folder stands for its files.")
]
KubeOption = Annotated[
    str,
    typer.Option("--kube", metavar="FILE-or-DIR", help="The cluster's objects: kubectl get -A -o json, or manifests."),
]
ClusterOption = Annotated[str | None, typer.Option("--cluster", help="Which cluster, where the lake has several.")]
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


def history(lake: str | None, known: Sequence["Endpoint"], asked: "Asked") -> "History | None":
    """None without a lake."""
    from analysis.policy.replay import asked_history
    from store.lake import Lake

    return None if lake is None else asked_history(Lake.open(lake), known, asked)
