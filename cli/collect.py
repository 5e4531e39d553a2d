"""`tailrace collect`: packets of a node's interfaces to Kafka, or straight to a lake."""

import logging
import os
import secrets
import sys
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, closing
from io import BufferedReader
from pathlib import Path
from socket import gethostname, socket
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from cli.options import CheckOption, ConfigOption, DumpConfigOption, HealthOption, LogLevelOption

if TYPE_CHECKING:
    from threading import Event

    import pyarrow as pa

    from cli.config import CollectConfig
    from cli.sinks import Sink
    from collector.conntrack import Tracking
    from collector.driver import Batch
    from collector.live import Clock
    from collector.sources.filter import Connection
    from collector.sources.ring import Ring
    from collector.tables import Settings

log = logging.getLogger("tailrace.collect")

MICROSECONDS = 1_000_000


def collect(
    interface: Annotated[
        list[str] | None,
        typer.Option(
            "--interface", "-i", metavar="PATTERN", help="interfaces, such as eth0, 'veth*', '!veth-test*'; repeatable"
        ),
    ] = None,
    files: Annotated[
        list[str] | None,
        typer.Option("--from", metavar="[NODE=]FILE", help="captures in place of interfaces; repeatable"),
    ] = None,
    to: Annotated[
        str | None, typer.Option(metavar="URL", help="kafka://HOST:PORT[,HOST:PORT]/TOPIC to publish to")
    ] = None,
    spool: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="with --to: where batches wait while Kafka is away, also for the next start"),
    ] = None,
    lake: Annotated[
        str | None, typer.Option(help="the lake to add to, without Kafka; made where there is none")
    ] = None,
    node: Annotated[
        str | None, typer.Option(help="name of this node, written to every record; live, else the machine's")
    ] = None,
    cluster: Annotated[str | None, typer.Option(help="name of the cluster, written to every record")] = None,
    kube: Annotated[Path | None, typer.Option(help="with --lake: output of kubectl get -A -o json")] = None,
    kube_api: Annotated[
        str | None, typer.Option(metavar="URL", help="with --lake: the Kubernetes API to watch; `cluster` inside a pod")
    ] = None,
    kubeconfig: Annotated[
        Path | None, typer.Option(help="with --lake: kubeconfig that says which API to watch")
    ] = None,
    dns_port: Annotated[
        list[str] | None, typer.Option(help="a port DNS is spoken on, in place of 53; repeatable")
    ] = None,
    snap: Annotated[str | None, typer.Option(help="octets kept of packets that need not be read whole")] = None,
    user: Annotated[str | None, typer.Option(help="whom root becomes when the socket for packets is open")] = None,
    threads: Annotated[str | None, typer.Option(help="rings, and threads that read them")] = None,
    interval: Annotated[str | None, typer.Option(help="how often records that ended are handed on")] = None,
    round_: Annotated[
        str | None, typer.Option("--round", help="with --lake: how long records wait to be put together")
    ] = None,
    health: HealthOption = None,
    config: ConfigOption = None,
    check: CheckOption = False,
    dump_config: DumpConfigOption = False,
    log_level: LogLevelOption = None,
) -> None:
    """Capture on a node until SIGTERM: flow and DNS records to Kafka, or to a lake."""
    from cli.config import CollectConfig
    from cli.configuring import configuration, is_answered
    from cli.logs import logging_to
    from cli.running import stopping

    flags: dict[str, object] = {
        "interfaces": interface,
        "from": files,
        "to": to,
        "spool.dir": spool,
        "lake": lake,
        "node": node,
    }
    flags |= {"cluster": cluster, "kube": kube, "kube_api": kube_api, "kubeconfig": kubeconfig, "dns_port": dns_port}
    flags |= {"snap": snap, "threads": threads, "interval": interval, "round": round_, "health": health, "user": user}
    settings = of_this_node(configuration(CollectConfig, flags | {"log_level": log_level}, config))
    if is_answered(settings, check, dump_config):
        return
    with logging_to(sys.stderr, settings.log_level), stopping() as stop:
        opened, conntrack = _opened(settings) if settings.interfaces else ([], None)
        _run(settings, opened, conntrack, stop)


def of_this_node(config: "CollectConfig") -> "CollectConfig":
    """Messages are keyed by node, and connections put together by it: a live capture has one."""
    if config.node or not config.interfaces:
        return config
    return config.model_copy(update={"node": gethostname() or None})


def _opened(config: "CollectConfig") -> tuple[list[socket], socket | None]:
    """Before anything is imported that starts threads, which would keep the privileges that are given up here."""
    from collector.privileges import drop_privileges, imported_from, must_read
    from collector.sources.opening import open_packets

    opened = [open_packets() for _ in range(config.threads)]
    conntrack = _conntrack()
    folders = imported_from()
    drop_privileges(config.user)
    for folder in folders:
        must_read(folder, config.user)
    return opened, conntrack


def _conntrack() -> socket | None:
    """Where it is not allowed the records are compared instead, which is said once."""
    from collector.sources.conntrack import open_conntrack
    from contract.errors import MachineError

    try:
        return open_conntrack()
    except MachineError as error:
        log.info("%s", error)
        return None


def _run(config: "CollectConfig", opened: Sequence[socket], conntrack: socket | None, stop: "Event") -> None:
    from cli.compiling import kernels_ready
    from cli.metrics import Observed
    from cli.observed import CAPTURED, COLLECTED
    from cli.running import served
    from cli.sinks import sink
    from cli.tally import Tally

    kernels_ready(config, stop)
    tally = Tally()
    with ExitStack() as stack:
        rings = [stack.enter_context(ring) for ring in _rings(config, opened)]
        tracking = stack.enter_context(_tracking(conntrack)) if conntrack else None
        collected = stack.enter_context(closing(_live(config, rings, stop) if rings else _of_files(config, stop)))
        batches = tracking.complete(collected) if tracking else collected
        into = stack.enter_context(sink(config, lambda own: _leave_out(rings, own)))
        metrics: list[Observed[Any]] = [Observed(lambda: tally, COLLECTED), *into.metrics]
        metrics += [Observed(lambda: rings[0].interfaces, CAPTURED)] if rings else []
        beat = stack.enter_context(served(config, into.faults, metrics))
        _pump(batches, into, tally.add, beat)


def _leave_out(rings: "Sequence[Ring]", own: "Sequence[Connection]") -> None:
    for ring in rings:
        ring.leave_out(own)


def _pump(
    batches: "Iterator[Batch]", into: "Sink", count: "Callable[[str, pa.RecordBatch], None]", beat: Callable[[], None]
) -> None:
    for table, batch in batches:
        into.add(table, batch)
        count(table, batch)
        beat()


def _settings(config: "CollectConfig", node: str | None) -> "Settings":
    from collector.tables import Settings

    return Settings(secrets.randbits(64), config.cluster, node, dns_ports=config.dns_port)


def _live(config: "CollectConfig", rings: "Sequence[Ring]", stop: "Event") -> "Generator[Batch]":
    from collector.live import collect_live

    log.info("capturing", extra={"interfaces": ", ".join(config.interfaces), "node": config.node})
    interval = int(config.interval * MICROSECONDS)
    return collect_live(rings, _settings(config, config.node), _clock(), stop.is_set, interval)


def _rings(config: "CollectConfig", opened: Sequence[socket]) -> "Iterator[Ring]":
    """Packets come from here on."""
    if not opened:
        return
    from collector.kernels.state import Bounds
    from collector.live import keep_us
    from collector.sources.filter import Lengths
    from collector.sources.interfaces import LiveInterfaces, Wanted
    from collector.sources.ring import Ring

    keep = keep_us(Bounds(), int(config.interval * MICROSECONDS))
    group = os.getpid() & 0xFFFF if len(opened) > 1 else None
    for one in opened:
        tell = _tell_deaf(config.interfaces) if one is opened[0] else None
        interfaces = LiveInterfaces(Wanted(config.interfaces), _clock().steady, keep, deaf=tell)
        yield Ring(one, interfaces, Lengths(config.dns_port, config.snap), group=group)


def _tell_deaf(patterns: Sequence[str]) -> Callable[[Sequence[str]], None]:
    def tell(there: Sequence[str]) -> None:
        log.warning("no interface matches %s; there are %s", ", ".join(patterns), ", ".join(there) or "none at all")

    return tell


def _tracking(conntrack: socket) -> "Tracking":
    from collector.conntrack import Tracking

    return Tracking(conntrack, _clock().wall, _lost)


def _lost(how_often: int, given_up: int) -> None:
    log.warning("conntrack: connections were missed", extra={"overflows": how_often, "given_up": given_up})


def _clock() -> "Clock":
    from collector.live import Clock

    return Clock(lambda: time.time_ns() // 1000, lambda: time.monotonic_ns() // 1000)


def _of_files(config: "CollectConfig", stop: "Event") -> "Generator[Batch]":
    """One capture after the other; a malformed one raises when what came before was handed on."""
    from cli.ingest import named
    from collector.driver import collect as collect_file
    from collector.sources.capture import open_capture

    for node, path in map(named, config.files):
        with open_capture(path, cast(BufferedReader, sys.stdin.buffer)) as capture:
            for batch in collect_file(capture, _settings(config, node or config.node)):
                yield batch
                if stop.is_set():
                    return
        if capture.fault:
            raise capture.fault
