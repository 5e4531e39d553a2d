"""Options that the verbs of policy share."""

from enum import StrEnum
from typing import Annotated

import typer


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
