"""Where Kafka is and how it is spoken to, the same for collectors and enrichers."""

import logging
import re
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import google_crc32c
from kafka.errors import (
    AuthorizationError,
    IllegalSaslStateError,
    InvalidTopicError,
    KafkaError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    SaslAuthenticationFailedError,
    UnknownTopicOrPartitionError,
    UnsupportedSaslMechanismError,
)
from kafka.net.compat import KafkaNetClient
from kafka.record import default_records

from contract.errors import TransportError, UsageError

TOPIC = "tailrace"
MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")

MESSAGE_BYTES = 1_000_000  # below the 1 MiB that brokers take unless they are told otherwise
LEAST_MESSAGE_BYTES = 16 << 10
MOST_MESSAGE_BYTES = 8_000_000  # below what a reader of the wire takes
OVERHEAD_BYTES = 8 << 10  # key, headers and framing of a message

BOOTSTRAP_MS = 5_000
REQUEST_MS = 10_000
RECONNECT_MS = 5_000  # the longest wait between two attempts: a broker that is back is used within seconds

_TOPIC = re.compile(r"(?!\.\.?$)[a-zA-Z0-9._-]{1,200}")
_URL = re.compile(r"kafka://(?P<servers>[^/@?#\s]+)(?:/(?P<topic>[^/@?#]*))?")
_SERVER = re.compile(r"(?:\[[0-9a-fA-F:.]+\]|[^\[\]:]+):(?P<port>[0-9]{1,5})")

# What the library has to say goes where the program sends its logs, and nowhere if it does not.
logging.getLogger("kafka").addHandler(logging.NullHandler())


def checksum(record: memoryview) -> int:
    """CRC-32C of a Kafka record batch."""
    return int(google_crc32c.value(bytes(record)))


# kafka-python counts it in Python, at 2 to 4 MB/s, where it does not find a library that is LGPL; this one is Apache-2.0.
default_records.calc_crc32c = checksum

TOO_LARGE = (MessageSizeTooLargeError, RecordListTooLargeError)

_ADVICE: tuple[tuple[tuple[type[KafkaError], ...], str, str], ...] = (
    (
        (SaslAuthenticationFailedError, UnsupportedSaslMechanismError, IllegalSaslStateError),
        "does not know us",
        "check mechanism, user and password",
    ),
    ((AuthorizationError,), "does not allow it", "allow this user to read and write the topics, and to join the group"),
    ((UnknownTopicOrPartitionError, InvalidTopicError), "has no such topic", "create it, or let the broker do so"),
    (TOO_LARGE, "takes no message as large as this", "raise its message.max.bytes, or lower message_bytes"),
    ((KafkaTimeoutError,), "does not answer", "check that it runs, and address, port and TLS"),
)


@dataclass(frozen=True)
class KafkaSettings:
    """Construction checks what can be checked without a broker."""

    servers: tuple[str, ...]
    topic: str = TOPIC
    tls: bool = False
    cafile: str | None = None
    certfile: str | None = None
    keyfile: str | None = None
    mechanism: str | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    message_bytes: int = MESSAGE_BYTES

    def __post_init__(self) -> None:
        if not self.servers:
            raise UsageError("kafka: no server; write kafka://HOST:PORT/TOPIC")
        if not _TOPIC.fullmatch(self.topic):
            raise UsageError(f"kafka: no topic can be called {self.topic!r}")
        if self.mechanism not in (None, *MECHANISMS):
            raise UsageError(f"kafka: no mechanism {self.mechanism!r}; known are {', '.join(MECHANISMS)}")
        if (self.mechanism is None) != (self.username is None) or (self.username is None) != (self.password is None):
            raise UsageError("kafka: mechanism, username and password go together")
        if (self.cafile or self.certfile or self.keyfile) and not self.tls:
            raise UsageError("kafka: certificates are given, but TLS is off")
        if self.keyfile and not self.certfile:
            raise UsageError("kafka: a key is given without its certificate")
        if not LEAST_MESSAGE_BYTES <= self.message_bytes <= MOST_MESSAGE_BYTES:
            raise UsageError(f"kafka: message_bytes is from {LEAST_MESSAGE_BYTES} to {MOST_MESSAGE_BYTES}")

    @property
    def where(self) -> str:
        return "kafka://" + ",".join(self.servers)

    @property
    def dead_topic(self) -> str:
        """Where messages go that cannot be taken."""
        return f"{self.topic}.dead"

    def options(self) -> dict[str, Any]:
        """What kafka-python is told, by producers and consumers alike."""
        security = ("SASL_" if self.mechanism else "") + ("SSL" if self.tls else "PLAINTEXT")
        return {
            "bootstrap_servers": list(self.servers),
            "security_protocol": security if self.mechanism or self.tls else "PLAINTEXT",
            "ssl_context": self._context() if self.tls else None,
            "sasl_mechanism": self.mechanism,
            "sasl_plain_username": self.username,
            "sasl_plain_password": self.password,
            "bootstrap_timeout_ms": BOOTSTRAP_MS,
            "request_timeout_ms": REQUEST_MS,
            "reconnect_backoff_max_ms": RECONNECT_MS,
        }

    def _context(self) -> ssl.SSLContext:
        try:
            context = ssl.create_default_context(cafile=self.cafile)
            if self.certfile:
                context.load_cert_chain(self.certfile, self.keyfile)
        except OSError as error:
            files = ", ".join(name for name in (self.cafile, self.certfile, self.keyfile) if name)
            raise UsageError(f"kafka: {files}: {error.strerror or error}; give readable PEM files") from error
        return context


def servers_and_topic(url: str) -> tuple[tuple[str, ...], str]:
    """Of ``kafka://HOST:PORT[,HOST:PORT][/TOPIC]``; an IPv6 address stands in brackets."""
    found = _URL.fullmatch(url)
    if found is None:  # and is not repeated: it may have a password in it
        raise UsageError("that is no address of Kafka; write kafka://HOST:PORT[,HOST:PORT]/TOPIC")
    servers = tuple(found["servers"].split(","))
    for server in servers:
        host = _SERVER.fullmatch(server)
        if host is None or not 0 < int(host["port"]) < 65536:
            raise UsageError(f"kafka: {server!r} is no HOST:PORT")
    return servers, found["topic"] or TOPIC


def connected(kind: Callable[..., Any], settings: KafkaSettings, **options: Any) -> Any:
    """A producer or consumer; raises ``TransportError`` where Kafka is away, and leaves no socket behind then."""
    clients: list[Any] = []

    def client(**told: Any) -> Any:
        clients.append(KafkaNetClient(**told))
        return clients[-1]

    try:
        return kind(**settings.options(), **options, kafka_client=client)
    except (KafkaError, OSError, ValueError) as error:
        for one in clients:
            one.close()
        raise transport_error(settings.where, error) from error


def transport_error(where: str, error: BaseException) -> TransportError:
    """What an error of kafka-python means for whoever reads one line."""
    for kinds, what, do in _ADVICE:
        if isinstance(error, kinds):
            return TransportError(where, what, do)
    said = " ".join(str(error).split())[:200]
    return TransportError(where, repr(said or type(error).__name__)[1:-1])
