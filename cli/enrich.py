"""`tailrace enrich`: from Kafka to the lake, labelled and put together; run as many as there is work for."""

import logging
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.options import CheckOption, ConfigOption, DumpConfigOption, HealthOption, LogLevelOption
from contract.errors import OvertakenError, TransportError

if TYPE_CHECKING:
    from threading import Event

    from cli.config import EnrichConfig
    from cli.pipeline import Pipeline
    from cli.turns import Turns
    from enricher.consume import Consumer
    from enricher.corrupt import Corrupt

log = logging.getLogger("tailrace.enrich")

POLL_S = 1.0
AGAIN_S = 2.0  # after Kafka did not answer


def enrich(
    source: Annotated[
        str | None, typer.Option("--from", metavar="URL", help="kafka://HOST:PORT[,HOST:PORT]/TOPIC to consume from")
    ] = None,
    lake: Annotated[str | None, typer.Option(help="the lake to add to; made where there is none")] = None,
    cluster: Annotated[str | None, typer.Option(help="name of the cluster that is watched")] = None,
    kube: Annotated[
        Path | None, typer.Option(help="output of kubectl get -A -o json, for names that do not change")
    ] = None,
    kube_api: Annotated[
        str | None, typer.Option(metavar="URL", help="the Kubernetes API to watch; `cluster` inside a pod")
    ] = None,
    kubeconfig: Annotated[Path | None, typer.Option(help="kubeconfig that says which API to watch")] = None,
    round_: Annotated[str | None, typer.Option("--round", help="how long records wait to be put together")] = None,
    health: HealthOption = None,
    config: ConfigOption = None,
    check: CheckOption = False,
    dump_config: DumpConfigOption = False,
    log_level: LogLevelOption = None,
) -> None:
    """Read what collectors publish to Kafka, name its addresses, and add it to a lake."""
    from cli.config import EnrichConfig
    from cli.configuring import configuration, is_answered
    from cli.logs import logging_to
    from cli.running import stopping

    flags = {"from": source, "lake": lake, "cluster": cluster, "kube": kube, "kube_api": kube_api}
    flags |= {"kubeconfig": kubeconfig, "round": round_, "health": health, "log_level": log_level}
    settings = configuration(EnrichConfig, flags, config)
    if is_answered(settings, check, dump_config):
        return
    with logging_to(sys.stderr, settings.log_level), stopping() as stop:
        _run(settings, stop)


def _run(config: "EnrichConfig", stop: "Event") -> None:
    from cli.knowing import knowledge
    from cli.metrics import Observed
    from cli.observed import CONSUMED, ENRICHED
    from cli.pipeline import Pipeline
    from cli.running import now, served
    from cli.transport import kafka_settings
    from cli.turns import Turns
    from cli.upkeep import kept_up
    from enricher.consume import Callbacks, Consumer
    from store.lake import Lake

    lake = Lake.create(str(config.lake))
    kafka = kafka_settings(config.source, config.kafka)
    with kept_up(lake, now), knowledge(config, lake, now, log.warning) as known:
        pipeline = Pipeline(lake, known, now)
        group = Group(kafka.topic, pipeline)
        callbacks = Callbacks(group.assigned, group.revoked, group.restarted, group.corrupted)
        with Consumer(kafka, callbacks, config.kafka.group, config.kafka.session) as consumer:
            metrics: list[Observed[Any]] = [
                Observed(lambda: consumer.counts, CONSUMED),
                Observed(lambda: pipeline.statistics, ENRICHED),
                *known.metrics,
            ]
            with served(config, known.faults, metrics) as beat:
                while known.faults() and not stop.wait(POLL_S):
                    beat()
                Loop(consumer, pipeline, group, Turns(pipeline, known, config.round)).run(stop, beat)


class Group:
    """Partitions as the parts of the pipeline."""

    def __init__(self, topic: str, pipeline: "Pipeline") -> None:
        self._prefix = f"kafka/{topic}/"
        self._pipeline = pipeline

    def part(self, partition: int) -> str:
        return f"{self._prefix}{partition}"

    def partitions(self, marks: Mapping[str, int]) -> dict[int, int]:
        return {int(part.removeprefix(self._prefix)): place for part, place in marks.items()}

    def assigned(self, partitions: frozenset[int]) -> Mapping[int, int]:
        log.info("takes over", extra={"partitions": sorted(partitions)})
        return self.partitions(self._pipeline.take_over(map(self.part, sorted(partitions))))

    def restarted(self, partition: int) -> None:
        log.warning("partition %d ends before where the lake is: it is read as a new one", partition)
        self._pipeline.restart(self.part(partition))

    def corrupted(self, corrupt: "Corrupt") -> None:
        topic, partition = corrupt.place
        log.warning(
            "topic %s, partition %d: what stands from offset %d to before %d cannot be read, and is passed over: %s",
            *(topic, partition, corrupt.begin, corrupt.end, corrupt.why),
        )

    def revoked(self, partitions: frozenset[int]) -> None:
        log.info("hands over", extra={"partitions": sorted(partitions)})
        self._pipeline.hand_over(map(self.part, partitions))


class Loop:
    def __init__(self, consumer: "Consumer", pipeline: "Pipeline", group: Group, turns: "Turns") -> None:
        self._consumer, self._pipeline, self._group, self._turns = consumer, pipeline, group, turns

    def run(self, stop: "Event", beat: Callable[[], None]) -> None:
        """What waits when it stops is read again by whoever goes on."""
        while not stop.is_set():
            beat()
            try:
                self._step()
            except OvertakenError as error:
                log.warning("%s; what waits here is read again from there", error)
                self._consumer.begin_again()

    def _step(self) -> None:
        self._poll()
        if self._turns.is_due():
            self._turn()
            self._turns.begin()

    def _poll(self) -> None:
        try:
            messages = self._consumer.poll(POLL_S)
        except TransportError as error:
            log.warning("%s", error)
            time.sleep(AGAIN_S)
            return
        for message in messages:
            part = self._group.part(message.partition)
            self._pipeline.add_from(part, message.offset, message.envelope.table, message.batch)
        self._pipeline.mark({self._group.part(one): place for one, place in self._consumer.positions.items()})

    def _turn(self) -> None:
        marks = self._pipeline.turn()
        try:
            self._consumer.commit(self._group.partitions(marks))
        except TransportError as error:
            log.warning("%s; the lake knows how far it is", error)
