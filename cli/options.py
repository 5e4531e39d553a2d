"""Options that several verbs share, each declared once."""

from typing import Annotated

import typer

from cli.output import Format
from contract.errors import UsageError


def cluster_name(value: str | None) -> str | None:
    """Bytes of a command line that are not UTF-8 arrive as surrogates, which no record can hold."""
    try:
        (value or "").encode()
    except UnicodeEncodeError:
        raise UsageError(f"--cluster: {value!r} is not UTF-8") from None
    return value


LakeOption = Annotated[
    str, typer.Option("--lake", metavar="DIR-or-URL", envvar="TAILRACE_LAKE", help="The lake to read.")
]
# Where a verb can do without, or says itself that it cannot.
MaybeLakeOption = Annotated[
    str | None, typer.Option("--lake", metavar="DIR-or-URL", envvar="TAILRACE_LAKE", help="The lake to read.")
]
FormatOption = Annotated[
    Format, typer.Option("--format", help="A table to read, or json, csv, arrow (IPC stream) for programs.")
]
SinceOption = Annotated[
    str | None,
    typer.Option("--since", metavar="TIME", help="From then on: an age such as 5m, 2h, 7d, or an RFC 3339 time."),
]
UntilOption = Annotated[str | None, typer.Option("--until", metavar="TIME", help="Up to then, which is not included.")]
ClusterOption = Annotated[
    str | None,
    typer.Option(
        "--cluster",
        callback=cluster_name,
        help="Only this cluster, where the lake has several; '' for what was ingested without one.",
    ),
]
LimitOption = Annotated[int, typer.Option("--limit", min=1, help="At most so many rows.")]
TimeoutOption = Annotated[float, typer.Option("--timeout", min=0.1, help="Give up after so many seconds.")]

NamespaceOption = Annotated[str | None, typer.Option("--namespace", "-n", metavar="GLOB", help="Namespace of an end.")]
WorkloadOption = Annotated[str | None, typer.Option("--workload", metavar="GLOB", help="Workload of an end.")]
PodOption = Annotated[str | None, typer.Option("--pod", metavar="NS/PREFIX", help="Pod of an end.")]
IpOption = Annotated[str | None, typer.Option("--ip", metavar="GLOB", help="Address of an end.")]
PortOption = Annotated[int | None, typer.Option("--port", min=0, max=65535, help="Port of an end.")]
FromNamespaceOption = Annotated[str | None, typer.Option("--from-namespace", metavar="GLOB", help="… of src.")]
FromWorkloadOption = Annotated[str | None, typer.Option("--from-workload", metavar="GLOB", help="… of src.")]
FromPodOption = Annotated[str | None, typer.Option("--from-pod", metavar="NS/PREFIX", help="… of src.")]
FromIpOption = Annotated[str | None, typer.Option("--from-ip", metavar="GLOB", help="… of src.")]
ToNamespaceOption = Annotated[str | None, typer.Option("--to-namespace", metavar="GLOB", help="… of dst.")]
ToWorkloadOption = Annotated[
    str | None, typer.Option("--to-workload", metavar="GLOB", help="… of dst; a Service counts too.")
]
ToPodOption = Annotated[str | None, typer.Option("--to-pod", metavar="NS/PREFIX", help="… of dst.")]
ToIpOption = Annotated[str | None, typer.Option("--to-ip", metavar="GLOB", help="… of dst.")]
ToPortOption = Annotated[int | None, typer.Option("--to-port", min=0, max=65535, help="… of dst.")]
NotOption = Annotated[bool, typer.Option("--not", help="Show what the other filters do not select.")]
FollowOption = Annotated[
    bool,
    typer.Option("--follow", "-f", help="Go on with what is written to the lake from now; json is one object a line."),
]

# Of the verbs that run on.
ConfigOption = Annotated[
    str | None, typer.Option("--config", metavar="FILE", envvar="TAILRACE_CONFIG", help="Settings as TOML.")
]
CheckOption = Annotated[bool, typer.Option("--check", help="Say whether the settings can be, and exit.")]
DumpConfigOption = Annotated[
    bool, typer.Option("--dump-config", help="Print the settings that are in force as TOML, without secrets, and exit.")
]
HealthOption = Annotated[
    str | None, typer.Option("--health", metavar="HOST:PORT", help="Serve /metrics, /healthz and /readyz there.")
]
LogLevelOption = Annotated[
    str | None, typer.Option("--log-level", help="The least that is logged: debug, info, warning or error.")
]
