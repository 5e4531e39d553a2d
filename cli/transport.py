"""Kafka as the configuration has it, in the words of what speaks to it."""

from cli.addresses import KafkaAddress
from cli.config import Kafka
from contract.kafka import KafkaSettings


def kafka_settings(address: KafkaAddress | None, kafka: Kafka) -> KafkaSettings:
    assert address is not None
    return KafkaSettings(
        servers=address.servers,
        topic=address.topic,
        tls=kafka.tls,
        cafile=_path(kafka.cafile),
        certfile=_path(kafka.certfile),
        keyfile=_path(kafka.keyfile),
        mechanism=kafka.mechanism,
        username=kafka.username,
        password=kafka.secret(),
    )


def _path(path: object) -> str | None:
    return None if path is None else str(path)
