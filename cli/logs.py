"""What a verb that runs on has to say: one JSON object a line for programs, text on a terminal.

What is logged comes from packets, objects and brokers, too: every line is one line, printable and of bounded length. Of the same
sentence, and of what a library says, so many are written a minute, and the rest counted.
"""

import logging
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, TextIO

import typer

from analysis.printable import printable
from cli.output import FAILED, exit_status
from cli.printable import json_text
from cli.times import rfc3339
from contract.errors import TailraceError

log = logging.getLogger("tailrace")

MAX_TEXT = 2000  # characters of a message or a field; what is longer is cut
MAX_TRACE = 8000
MAX_FIELDS = 32
BURST, WINDOW_S = 10, 60.0  # of one sentence in so long; the next one after that says how many were left out
BURST_OF_OTHERS = 2  # of all that a library says at one level: kafka-python has four sentences for each failed attempt
MAX_SENTENCES = 1000  # that are counted; beyond that all counts begin anew

_OWN = {*vars(logging.LogRecord("", 0, "", 0, "", None, None)), "message", "asctime", "taskName"}


class Sparing(logging.Filter):
    """No fault that comes back all the time fills a disk."""

    def __init__(self) -> None:
        super().__init__()
        self._counts: dict[tuple[str, ...], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        owner = record.name.partition(".")[0]
        sentence, burst = (record.name, *_sentence(record)), BURST
        if owner != log.name:
            sentence, burst = (owner, record.levelname), BURST_OF_OTHERS
        since, count = self._counts.get(sentence, (record.created, 0))
        if record.created - since >= WINDOW_S:
            if count > burst:
                record.left_out = count - burst
            since, count = record.created, 0
        if len(self._counts) >= MAX_SENTENCES:
            self._counts.clear()
        self._counts[sentence] = since, count + 1
        return count < burst


def _sentence(record: logging.LogRecord) -> tuple[str, ...]:
    """What differs by more than its values: an error that is logged is told by its kind."""
    given = record.args if isinstance(record.args, tuple) else ()
    return str(record.msg), *(type(value).__name__ for value in given if isinstance(value, BaseException))


class JsonLine(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {"time": _time(record), "level": record.levelname.lower(), "logger": record.name}
        line["message"] = _message(record)
        return json_text(line | _fields(record) | line)


class TextLine(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        fields = "".join(f" {name}={value}" for name, value in _fields(record).items())
        return printable(f"{_time(record)} {record.levelname.lower()} {_message(record)}{fields}")


def _time(record: logging.LogRecord) -> str:
    return rfc3339(datetime.fromtimestamp(record.created, UTC))


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()[:MAX_TEXT]
    except (TypeError, ValueError):  # arguments that do not fit: a log line is no reason to end
        return str(record.msg)[:MAX_TEXT]


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    """What was given as ``extra``, and the error with where it came from."""
    extra = {name: _bounded(value) for name, value in vars(record).items() if name not in _OWN}
    fields = dict(list(extra.items())[:MAX_FIELDS])
    if record.exc_info and record.exc_info[1]:
        fields["error"] = "".join(traceback.format_exception(record.exc_info[1]))[-MAX_TRACE:]
    return fields


def _bounded(value: object) -> object:
    return value if value is None or isinstance(value, bool | int | float) else str(value)[:MAX_TEXT]


@contextmanager
def logging_to(stream: TextIO, level: str) -> Iterator[None]:
    """Everybody's log lines go there; an error that ends the verb is the last of them, and its exit status."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(TextLine() if stream.isatty() else JsonLine())
    handler.addFilter(Sparing())
    root, before = logging.getLogger(), log.level
    root.addHandler(handler)
    log.setLevel(level.upper())
    try:
        yield
    except (typer.Exit, typer.Abort):
        raise
    except TailraceError as error:
        log.error("%s", error)
        raise typer.Exit(exit_status(error)) from None
    except Exception:
        log.critical("a fault of Tailrace ended it", exc_info=sys.exc_info())
        raise typer.Exit(FAILED) from None
    finally:
        log.setLevel(before)
        root.removeHandler(handler)
