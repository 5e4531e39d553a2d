"""Messages that cannot be taken, kept in a topic of their own with the reason."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from kafka import KafkaProducer
from kafka.errors import KafkaError

from contract.errors import WireError
from contract.kafka import OVERHEAD_BYTES, KafkaSettings, connected, transport_error
from contract.wire import MAX_HEADER

BURY_SECONDS = 20.0  # how long Kafka may take to have them
MAX_HEADERS = 16  # of the message that are kept


class DeadLetter(NamedTuple):
    """``record`` as kafka-python gives it."""

    record: Any
    why: WireError


class DeadLetters:
    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._producer: Any = None

    def bury(self, letters: Sequence[DeadLetter]) -> None:
        """When it returns, Kafka has all of them; raises ``TransportError`` where that is not sure."""
        try:
            sent = [self._send(letter) for letter in letters]
            for future in sent:
                future.get(timeout=BURY_SECONDS)
        except (KafkaError, OSError, ValueError) as error:
            self.close()
            raise transport_error(f"{self._settings.where}/{self._settings.dead_topic}", error) from error

    def close(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            producer._sender.force_close()  # its own close raises where the broker is away, and leaves its threads behind
            producer.close(timeout=1)

    def _send(self, letter: DeadLetter) -> Any:
        if self._producer is None:
            self._producer = connected(
                KafkaProducer,
                self._settings,
                acks="all",
                max_request_size=self._settings.message_bytes + OVERHEAD_BYTES,
                max_block_ms=int(BURY_SECONDS * 1000),
                metrics_enabled=False,
            )
        value = letter.record.value
        kept = value if value is None else value[: self._settings.message_bytes - MAX_HEADERS * 2 * MAX_HEADER]
        return self._producer.send(
            self._settings.dead_topic, kept, key=b"", headers=_headers(letter, len(value or b""))
        )


def _headers(letter: DeadLetter, octets: int) -> list[tuple[str, bytes]]:
    record = letter.record
    told = {
        "reason": letter.why.reason.value,
        "what": str(letter.why),
        "source_topic": record.topic,
        "source_partition": str(record.partition),
        "source_offset": str(record.offset),
        "source_bytes": str(octets),
    }
    kept = [
        (name[:MAX_HEADER], value[:MAX_HEADER])
        for name, value in (record.headers or [])[:MAX_HEADERS]
        if name not in told and isinstance(value, bytes)
    ]
    return [*((name, text.encode()) for name, text in told.items()), *kept]
