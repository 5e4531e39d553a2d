"""Wrong settings are said before Kafka is asked, and what Kafka says is one line."""

import random
import ssl
from pathlib import Path
from typing import Any

import pytest
from kafka.errors import (
    KafkaConnectionError,
    KafkaTimeoutError,
    SaslAuthenticationFailedError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)
from kafka.record import default_records
from kafka.record._crc32c import crc
from kafka.record.default_records import DefaultRecordBatchBuilder

from contract.errors import UsageError
from contract.kafka import KafkaSettings, checksum, servers_and_topic, transport_error

PLAIN = KafkaSettings(("a:9092",))


@pytest.mark.parametrize(
    ("url", "servers", "topic"),
    [
        ("kafka://a:9092", ("a:9092",), "tailrace"),
        ("kafka://a:9092/", ("a:9092",), "tailrace"),
        ("kafka://a:9092,[fd00::1]:9093/flows.prod", ("a:9092", "[fd00::1]:9093"), "flows.prod"),
    ],
)
def test_addresses(url: str, servers: tuple[str, ...], topic: str) -> None:
    assert servers_and_topic(url) == (servers, topic)
    assert KafkaSettings(*servers_and_topic(url)).dead_topic == f"{topic}.dead"


@pytest.mark.parametrize(
    "url",
    [
        "http://a:1/t",
        "kafka://a/t",
        "kafka://a:0/t",
        "kafka://a:x/t",
        "kafka://:1/t",
        "kafka:///t",
        "kafka://user:secret@a:1/t",
        "kafka://a:1/a/b",
        "kafka://a:1/t?x=1",
        "kafka://[::1/t",
        "kafka://a:1/" + "t" * 250,
    ],
)
def test_addresses_that_are_none(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        KafkaSettings(*servers_and_topic(url))
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"mechanism": "GSSAPI", "username": "u", "password": "p"}, "PLAIN, SCRAM"),
        ({"mechanism": "PLAIN"}, "together"),
        ({"username": "u", "password": "p"}, "together"),
        ({"cafile": "/ca.pem"}, "TLS is off"),
        ({"tls": True, "keyfile": "/key.pem"}, "certificate"),
        ({"message_bytes": 100}, "message_bytes"),
        ({"message_bytes": 10**9}, "message_bytes"),
        ({"topic": "a b"}, "topic"),
        ({"topic": ".."}, "topic"),
        ({"servers": ()}, "server"),
    ],
)
def test_settings_that_cannot_be(wrong: dict[str, Any], word: str) -> None:
    with pytest.raises(UsageError, match=word):
        KafkaSettings(**({"servers": ("a:9092",)} | wrong))


def test_secrets_are_not_shown() -> None:
    settings = KafkaSettings(("a:9092",), mechanism="PLAIN", username="u", password="hunter2")
    assert "hunter2" not in repr(settings)


@pytest.mark.parametrize(
    ("tls", "mechanism", "protocol"),
    [
        (False, None, "PLAINTEXT"),
        (True, None, "SSL"),
        (False, "SCRAM-SHA-256", "SASL_PLAINTEXT"),
        (True, "SCRAM-SHA-512", "SASL_SSL"),
    ],
)
def test_protocol(tls: bool, mechanism: str | None, protocol: str) -> None:
    told = "u" if mechanism else None
    options = KafkaSettings(("a:1",), tls=tls, mechanism=mechanism, username=told, password=told).options()
    assert options["security_protocol"] == protocol
    assert (options["ssl_context"] is not None) == tls


def test_servers_are_verified() -> None:
    context = KafkaSettings(("a:1",), tls=True).options()["ssl_context"]
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname


def test_certificates_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "bad.pem").write_text("no certificate")
    for name in ("none.pem", "bad.pem"):
        with pytest.raises(UsageError, match=name):
            KafkaSettings(("a:1",), tls=True, cafile=str(tmp_path / name)).options()


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (KafkaTimeoutError("x"), "does not answer; check"),
        (SaslAuthenticationFailedError("x"), "check mechanism, user and password"),
        (TopicAuthorizationFailedError({"t"}), "does not allow it"),
        (UnknownTopicOrPartitionError(), "no such topic"),
        (KafkaConnectionError("refused\nby \x1b[31m it"), "refused by"),
        (OSError(), "OSError"),
    ],
)
def test_errors_are_one_line_with_what_to_do(error: Exception, words: str) -> None:
    said = str(transport_error("kafka://a:1", error))
    assert said.startswith("kafka://a:1: ")
    assert words in said
    assert said.isprintable()


@pytest.mark.parametrize("size", [0, 1, 7, 100, 4097])
def test_checksum_is_that_of_kafka(size: int) -> None:
    octets = random.Random(size).randbytes(size)
    assert checksum(memoryview(octets)) == crc(octets)


def test_record_batches_are_given_our_checksum() -> None:
    builder = DefaultRecordBatchBuilder(2, 0, False, -1, -1, -1, 1 << 20)
    builder.append(0, 1, b"key", b"value" * 1000, [])
    octets = bytes(builder.build())
    assert int.from_bytes(octets[17:21]) == crc(octets[21:])
    assert default_records.calc_crc32c is checksum
    assert "calc_crc32c" in DefaultRecordBatchBuilder.write_header.__code__.co_names
