"""What a publisher counts, for whoever shows it."""

from dataclasses import dataclass

from contract.errors import TailraceError


@dataclass
class Statistics:
    """``given_up`` is lost: the spool was full, or no message of the broker can hold it. ``error`` is the last one."""

    published: int = 0
    published_rows: int = 0
    published_bytes: int = 0
    in_flight_bytes: int = 0
    spooled: int = 0
    spooled_bytes: int = 0
    given_up: int = 0
    given_up_rows: int = 0
    failures: int = 0
    error: TailraceError | None = None

    def publish(self, rows: int, octets: int) -> None:
        self.published += 1
        self.published_rows += rows
        self.published_bytes += octets

    def give_up(self, messages: int, rows: int, why: TailraceError) -> None:
        self.given_up += messages
        self.given_up_rows += rows
        self.error = why
