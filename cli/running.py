"""What verbs that run on have in common: signals that end them, the clock, and the health port."""

import logging
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Event
from typing import Any

from cli.config import Running
from cli.health import Checks, Health, Heartbeat
from cli.metrics import Observed

log = logging.getLogger("tailrace")


def now() -> datetime:
    return datetime.now(UTC)


@contextmanager
def stopping() -> Iterator[Event]:
    """Set by SIGTERM and SIGINT; a second one of them ends the program at once."""
    stop = Event()

    def told(number: int, frame: object) -> None:
        log.info("ending on %s: what is at hand is written first", signal.Signals(number).name)
        stop.set()
        for one in before:
            signal.signal(one, signal.SIG_DFL)

    before = {number: signal.signal(number, told) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def served(
    config: Running, faults: Callable[[], list[str]], metrics: Iterable[Observed[Any]]
) -> Iterator[Callable[[], None]]:
    """The health port, if there is to be one; the loop calls what this gives at every turn."""
    heart = Heartbeat(time.monotonic, config.patience)
    if config.health is None:
        yield heart.beat
        return
    with Health(config.health, Checks(heart.faults, faults, metrics), time.monotonic) as health:
        log.info("serving /metrics, /healthz and /readyz on port %d", health.port)
        yield heart.beat
