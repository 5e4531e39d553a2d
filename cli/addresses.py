"""Addresses of the configuration: where to listen, and which brokers to speak to."""

import re
from typing import Annotated, NamedTuple

from pydantic import BeforeValidator, PlainSerializer

from contract.errors import UsageError

_HOST = re.compile(r"\[[0-9A-Fa-f:.%\w]+\]|[\w.-]*", re.ASCII)


class HostPort(NamedTuple):
    """An empty host is every address of this machine."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class KafkaAddress(NamedTuple):
    servers: tuple[str, ...]
    topic: str

    def __str__(self) -> str:
        return f"kafka://{','.join(self.servers)}/{self.topic}"


def host_port(text: str) -> HostPort:
    host, colon, port = text.rpartition(":")
    if not colon or not _HOST.fullmatch(host) or not port.isascii() or not port.isdigit() or int(port[:6]) > 65535:
        raise ValueError(f"{text!r} is not HOST:PORT")
    return HostPort(host.removeprefix("[").removesuffix("]"), int(port))


def _listen(value: object) -> object:
    return host_port(value) if isinstance(value, str) else value


def _brokers(value: object) -> object:
    if not isinstance(value, str):
        return value
    from contract.kafka import servers_and_topic  # brings kafka-python along, which not everybody needs

    try:
        return KafkaAddress(*servers_and_topic(value))
    except UsageError as error:
        raise ValueError(str(error)) from None


Listen = Annotated[HostPort, BeforeValidator(_listen), PlainSerializer(str)]
Brokers = Annotated[KafkaAddress, BeforeValidator(_brokers), PlainSerializer(str)]
