"""``tailrace flows``: the connections, each once."""

from typing import TYPE_CHECKING, Annotated

import typer

from cli import options as o
from cli.output import Format
from cli.protocols import NAMES, protocol_number
from cli.reading import TIMEOUT_S, Asked, follow, read, unrooted, window

if TYPE_CHECKING:
    import pyarrow as pa

SHOWN = (
    "start_time",
    "src",
    "src_port",
    "dst",
    "dst_port",
    "protocol",
    "application",
    "connection_state",
    "src_bytes",
    "dst_bytes",
    "service",
    "dst_domain",
)


def flows(
    *,
    lake: o.LakeOption,
    namespace: o.NamespaceOption = None,
    workload: o.WorkloadOption = None,
    pod: o.PodOption = None,
    ip: o.IpOption = None,
    port: o.PortOption = None,
    from_namespace: o.FromNamespaceOption = None,
    from_workload: o.FromWorkloadOption = None,
    from_pod: o.FromPodOption = None,
    from_ip: o.FromIpOption = None,
    to_namespace: o.ToNamespaceOption = None,
    to_workload: o.ToWorkloadOption = None,
    to_pod: o.ToPodOption = None,
    to_ip: o.ToIpOption = None,
    to_port: o.ToPortOption = None,
    protocol: Annotated[str | None, typer.Option("--protocol", help="tcp, udp, icmp … or a number.")] = None,
    domain: Annotated[
        str | None, typer.Option("--domain", metavar="GLOB", help="Name src knew dst by, or asked for by TLS.")
    ] = None,
    state: Annotated[str | None, typer.Option("--state", help="Zeek's conn_state: SF, S0, REJ …")] = None,
    verdict: Annotated[str | None, typer.Option("--verdict", help="forwarded, dropped.")] = None,
    negate: o.NotOption = False,
    since: o.SinceOption = None,
    until: o.UntilOption = None,
    cluster: o.ClusterOption = None,
    limit: o.LimitOption = 1000,
    timeout: o.TimeoutOption = TIMEOUT_S,
    form: o.FormatOption = Format.TABLE,
    following: o.FollowOption = False,
) -> None:
    """Connections, each once, the newest first. Filters are joined by and; a GLOB has * and ?."""
    parameters = window(since, until, cluster) | {
        "namespace": namespace,
        "workload": workload,
        "pod": pod,
        "ip": ip,
        "port": port,
        "from_namespace": from_namespace,
        "from_workload": from_workload,
        "from_pod": from_pod,
        "from_ip": from_ip,
        "to_namespace": to_namespace,
        "to_workload": to_workload,
        "to_pod": to_pod,
        "to_ip": to_ip,
        "to_port": to_port,
        "protocol": protocol_number(protocol),
        "domain": unrooted(domain),
        "state": state,
        "verdict": verdict,
        "negate": negate,
    }
    asked = Asked("flows/search", parameters, limit, timeout, _for_people)
    (follow if following else read)(lake, asked, form)


def _for_people(rows: "pa.Table") -> "pa.Table":
    import pyarrow as pa
    import pyarrow.compute as pc

    shown = rows.select(SHOWN)
    names = pc.cast(shown.column("protocol"), pa.string())
    for number, name in NAMES.items():
        names = pc.replace_substring_regex(names, pattern=f"^{number}$", replacement=name)
    return shown.set_column(SHOWN.index("protocol"), "protocol", names)
