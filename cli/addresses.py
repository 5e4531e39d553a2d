"""Addresses of the configuration: where to listen, and which brokers to speak to."""

import re
from typing import Annotated, NamedTuple

from pydantic import BeforeValidator, PlainSerializer

EXAMPLE = "kafka://broker-1:9092,broker-2:9092/tailrace"
TOPIC = "tailrace"
MAX_BROKERS = 64
_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,249}")  # what Kafka takes
_HOST = re.compile(r"\[[0-9A-Fa-f:.%\w]+\]|[\w.-]*", re.ASCII)


class HostPort(NamedTuple):
    """An empty host is every address of this machine."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class KafkaAddress(NamedTuple):
    brokers: tuple[HostPort, ...]
    topic: str

    def __str__(self) -> str:
        return f"kafka://{','.join(map(str, self.brokers))}/{self.topic}"


def host_port(text: str) -> HostPort:
    host, colon, port = text.rpartition(":")
    if not colon or not _HOST.fullmatch(host) or not port.isascii() or not port.isdigit() or int(port[:6]) > 65535:
        raise ValueError(f"{text!r} is not HOST:PORT")
    return HostPort(host.removeprefix("[").removesuffix("]"), int(port))


def kafka_address(text: str) -> KafkaAddress:
    """``kafka://HOST:PORT[,HOST:PORT][/TOPIC]``."""
    scheme, _, rest = text.partition("://")
    if scheme != "kafka" or not rest:
        raise ValueError(f"is not of the form {EXAMPLE}")
    if "@" in rest:
        raise ValueError("has a login in it; name that as kafka.username and kafka.password_file")
    hosts, _, topic = rest.partition("/")
    brokers = tuple(map(host_port, hosts.split(",")))
    if len(brokers) > MAX_BROKERS or not all(broker.host and broker.port for broker in brokers):
        raise ValueError(f"names no broker, or more than {MAX_BROKERS}; write {EXAMPLE}")
    topic = topic or TOPIC
    if not _TOPIC.fullmatch(topic) or topic in (".", ".."):
        raise ValueError(f"{topic!r} is no name of a topic")
    return KafkaAddress(brokers, topic)


def _listen(value: object) -> object:
    return host_port(value) if isinstance(value, str) else value


def _brokers(value: object) -> object:
    return kafka_address(value) if isinstance(value, str) else value


Listen = Annotated[HostPort, BeforeValidator(_listen), PlainSerializer(str)]
Brokers = Annotated[KafkaAddress, BeforeValidator(_brokers), PlainSerializer(str)]
