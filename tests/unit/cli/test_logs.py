"""Log lines: one a line whatever is in them, few of the same, and the last one says why it ended."""

import io
import json
import logging
import re
from collections.abc import Callable
from typing import Any

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from cli.logs import BURST, MAX_FIELDS, MAX_TEXT, WINDOW_S, JsonLine, Sparing, logging_to
from contract.errors import MachineError, UsageError

log = logging.getLogger("tailrace.test")
HOSTILE = "a\nb\x1b[2J\u202e\ud800"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def logged(say: Callable[[], None], level: str = "info") -> list[dict[str, Any]]:
    stream = io.StringIO()
    with logging_to(stream, level):
        say()
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_an_object_with_time_level_and_fields() -> None:
    (line,) = logged(lambda: log.warning("ring of %s is full", "eth0", extra={"drops": 3, "rate": 0.5, "node": None}))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z", line.pop("time"))
    expected = {"level": "warning", "logger": "tailrace.test", "message": "ring of eth0 is full"}
    assert line == expected | {"drops": 3, "rate": 0.5, "node": None}


@given(st.text(st.characters(codec=None), max_size=50), st.text(st.characters(codec=None), max_size=50))
def test_whatever_is_in_it_a_line_is_one_line(message: str, value: str) -> None:
    for stream in (io.StringIO(), Terminal()):
        with logging_to(stream, "info"):
            log.info("%s", message, extra={"peer": value})
        text = stream.getvalue()
        assert len(text.splitlines()) == 1
        assert text.removesuffix("\n").isprintable()


def test_text_on_a_terminal() -> None:
    stream = Terminal()
    with logging_to(stream, "info"):
        log.info("pod %s is gone", HOSTILE, extra={"peer": "x"})
    assert re.fullmatch(r"\S+Z info pod a\\nb\\x1b\[2J\\u202e\\ud800 is gone peer=x\n", stream.getvalue())


def test_lines_are_bounded() -> None:
    (line,) = logged(lambda: log.info("x" * 10_000, extra={f"f{number}": "y" * 10_000 for number in range(100)}))
    assert len(line["message"]) == MAX_TEXT
    assert len(line) == MAX_FIELDS + 4
    assert {len(value) for name, value in line.items() if re.fullmatch(r"f\d+", name)} == {MAX_TEXT}


def test_arguments_that_do_not_fit_end_nothing() -> None:
    record = logging.LogRecord("tailrace", logging.INFO, "", 0, "%d of %d", ("one",), None)
    assert json.loads(JsonLine().format(record))["message"] == "%d of %d"


def test_the_level_is_kept_to_and_given_back() -> None:
    before = logging.getLogger("tailrace").level
    assert logged(lambda: log.info("quiet"), "warning") == []
    assert len(logged(lambda: log.debug("loud"), "debug")) == 1
    assert logging.getLogger("tailrace").level == before


def test_the_same_sentence_is_said_seldom_and_counted() -> None:
    sparing = Sparing()

    def said(at: float, peer: int) -> logging.LogRecord | None:
        record = logging.LogRecord("tailrace", logging.WARNING, "", 0, "peer %d is away", (peer,), None)
        record.created = at
        return record if sparing.filter(record) else None

    kept = [said(peer / 100, peer) for peer in range(BURST + 7)]
    assert sum(record is not None for record in kept) == BURST
    after = said(WINDOW_S + 1, 0)
    assert after and after.left_out == 7  # type: ignore[attr-defined]
    again = said(WINDOW_S + 2, 0)
    assert again and not hasattr(again, "left_out")


def test_errors_of_another_kind_are_another_sentence() -> None:
    sparing = Sparing()
    flood = [ValueError(str(number)) for number in range(2 * BURST)]
    records = [
        logging.LogRecord("tailrace", logging.WARNING, "", 0, "%s", (error,), None) for error in [*flood, OSError()]
    ]
    kept = [record for record in records if sparing.filter(record)]
    assert [record.args for record in kept] == [(error,) for error in flood[:BURST]] + [records[-1].args]


def test_a_library_is_heard_seldom_whatever_its_words() -> None:
    sparing = Sparing()
    names = ("kafka.net.manager", "kafka.net.connection", "kafka.producer")
    records = [
        logging.LogRecord(names[number % 3], logging.WARNING, "", 0, f"attempt {number} failed", (), None)
        for number in range(30)
    ]
    for number, record in enumerate(records):
        record.created = float(number)
    assert [record.msg for record in records if sparing.filter(record)] == ["attempt 0 failed", "attempt 1 failed"]
    worse = logging.LogRecord("kafka", logging.ERROR, "", 0, "given up", (), None)
    assert sparing.filter(worse)


@pytest.mark.parametrize(("error", "status"), [(MachineError("no capability"), 1), (UsageError("no interface"), 2)])
def test_an_error_that_ends_it_is_the_last_line_and_the_exit_status(error: Exception, status: int) -> None:
    stream = io.StringIO()
    with pytest.raises(typer.Exit) as ended, logging_to(stream, "info"):
        raise error
    assert ended.value.exit_code == status
    (line,) = map(json.loads, stream.getvalue().splitlines())
    assert (line["level"], line["message"]) == ("error", str(error))


def test_an_exit_is_no_fault() -> None:
    stream = io.StringIO()
    with pytest.raises(typer.Exit) as ended, logging_to(stream, "info"):
        raise typer.Exit(3)
    assert (ended.value.exit_code, stream.getvalue()) == (3, "")


def test_no_field_takes_the_place_of_ours() -> None:
    (line,) = logged(lambda: log.info("x", extra={"level": "y", "time": "z", "logger": "w"}))
    assert (line["level"], line["logger"], line["time"][:2]) == ("info", "tailrace.test", "20")


def test_a_fault_of_ours_is_told_with_where_it_came_from() -> None:
    stream = io.StringIO()
    with pytest.raises(typer.Exit) as ended, logging_to(stream, "info"):
        raise ZeroDivisionError(HOSTILE)
    assert ended.value.exit_code == 1
    (line,) = map(json.loads, stream.getvalue().splitlines())
    assert line["level"] == "critical"
    assert "test_logs.py" in line["error"] and "ZeroDivisionError" in line["error"]
