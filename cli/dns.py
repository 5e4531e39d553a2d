"""``tailrace dns``: the DNS transactions, each once; and what explains them."""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from cli import options as o
from cli.dns_doctor import doctor
from cli.dns_explain import explain
from cli.output import Format
from cli.reading import TIMEOUT_S, Asked, follow, open_lake, read, tell_meant, unrooted, window
from contract.errors import UsageError

if TYPE_CHECKING:
    import pyarrow as pa


class Outcome(StrEnum):
    ANSWERED = "answered"
    UNANSWERED = "unanswered"
    UNSOLICITED = "unsolicited"


class Transport(StrEnum):
    UDP = "udp"
    TCP = "tcp"


class AnsweredFrom(StrEnum):
    ZONE = "zone"
    CACHE = "cache"
    UPSTREAM = "upstream"


SHOWN = (
    "start_time",
    "client",
    "server",
    "qname",
    "qtype",
    "transport",
    "rcode",
    "outcome",
    "latency_us",
    "attempts",
    "answered_from",
)

dns = typer.Typer(invoke_without_command=True, rich_markup_mode=None, subcommand_metavar="[COMMAND [ARGS]...]")
for verb in (doctor, explain):
    dns.command()(verb)


@dns.callback()
def search(
    context: typer.Context,
    *,
    lake: o.MaybeLakeOption = None,
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
    protocol: Annotated[Transport | None, typer.Option("--protocol")] = None,
    domain: Annotated[str | None, typer.Option("--domain", metavar="GLOB", help="Name that was asked for.")] = None,
    registered_domain: Annotated[
        str | None, typer.Option("--registered-domain", metavar="GLOB", help="The part of it that is registered.")
    ] = None,
    qtype: Annotated[str | None, typer.Option("--qtype", help="Type that was asked for: A, AAAA, TYPE65280 …")] = None,
    rcode: Annotated[str | None, typer.Option("--rcode", help="Response code: NOERROR, NXDOMAIN …")] = None,
    outcome: Annotated[Outcome | None, typer.Option("--outcome", help="How it ended.")] = None,
    answered_from: Annotated[
        AnsweredFrom | None, typer.Option("--answered-from", help="Where the server had the answer.")
    ] = None,
    latency_over: Annotated[
        int | None, typer.Option("--latency-over", metavar="MS", min=0, help="Took longer than so many milliseconds.")
    ] = None,
    resolution: Annotated[
        str | None, typer.Option("--resolution", metavar="ID", help="Of this resolver call (resolution_id).")
    ] = None,
    negate: o.NotOption = False,
    since: o.SinceOption = None,
    until: o.UntilOption = None,
    cluster: o.ClusterOption = None,
    limit: o.LimitOption = 1000,
    timeout: o.TimeoutOption = TIMEOUT_S,
    form: o.FormatOption = Format.TABLE,
    following: o.FollowOption = False,
) -> None:
    """DNS transactions, each once, the newest first; and what is wrong with them.

    Filters are joined by and; src is the client, dst the server; a GLOB has * and ?. The commands tell what is wrong in a
    cluster, and why one name is slow, fails, or was never asked for.
    """
    if context.invoked_subcommand is not None:
        _refuse_options(context)
        return
    if lake is None:
        raise UsageError("dns: --lake says which lake to read")
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
        "protocol": protocol and protocol.value,
        "domain": unrooted(domain),
        "registered_domain": unrooted(registered_domain),
        "qtype": qtype,
        "rcode": _rcode(rcode),
        "outcome": outcome and outcome.value,
        "answered_from": answered_from and answered_from.value,
        "latency_over": latency_over,
        "resolution": resolution,
        "negate": negate,
    }
    asked = Asked("dns/search", parameters, limit, timeout, _for_people)
    if following:
        follow(lake, asked, form)
    elif not read(lake, asked, form):
        _tell_meant(lake, parameters, timeout)


def _tell_meant(lake: str, parameters: Mapping[str, object], timeout: float) -> None:
    opened = open_lake(lake)
    for end in ("", "from_", "to_"):
        whose = {name: parameters.get(end + name) for name in ("namespace", "workload")}
        tell_meant(opened, {**whose, "cluster": parameters.get("cluster")}, timeout, only_clients=end == "from_")


def _refuse_options(context: typer.Context) -> None:
    """Rather than pass over what was asked for."""
    for name in context.params:
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            raise UsageError(f"dns: write the options of `{context.invoked_subcommand}` behind it")


def _rcode(word: str | None) -> str | None:
    """The mnemonic in the lake's spelling."""
    from collector.mnemonics import RCODES

    if word is None or word.upper() in RCODES.values() or re.fullmatch(r"RCODE\d{1,4}", word.upper()):
        return word and word.upper()
    raise UsageError(f"--rcode: {word!r} is none of {', '.join(RCODES.values())}, nor RCODE and a number")


def _for_people(rows: "pa.Table") -> "pa.Table":
    return rows.select(SHOWN)
