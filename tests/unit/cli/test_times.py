"""Times and protocols as the command line takes them."""

from datetime import UTC, datetime, timedelta

import pytest

from cli.protocols import protocol_number
from cli.times import parse_time, rfc3339
from contract.errors import UsageError

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "text, age",
    [
        ("30s", timedelta(seconds=30)),
        ("5m", timedelta(minutes=5)),
        ("2h", timedelta(hours=2)),
        ("7d", timedelta(days=7)),
        ("2w", timedelta(weeks=2)),
        ("0s", timedelta()),
    ],
)
def test_an_age_is_before_now(text: str, age: timedelta) -> None:
    assert parse_time("--since", text, NOW) == NOW - age


@pytest.mark.parametrize("text", ["2026-02-28T12:00:00Z", "2026-02-28T13:00:00+01:00", "2026-02-28 12:00:00.000+00:00"])
def test_a_time_has_a_zone(text: str) -> None:
    assert parse_time("--since", text, NOW) == NOW - timedelta(days=1)


@pytest.mark.parametrize(
    "text", ["", "5", "m", "-5m", "5 m", "yesterday", "2026-02-28", "999999999w", "0001-01-01T00:00:00+23:00"]
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--since: "):
        parse_time("--since", text, NOW)


def test_times_are_written_in_utc() -> None:
    assert rfc3339(datetime.fromisoformat("2026-02-28T13:00:00+01:00")) == "2026-02-28T12:00:00Z"


def test_protocols_by_name_or_number() -> None:
    assert [protocol_number(text) for text in ("tcp", "UDP", "132", None)] == [6, 17, 132, None]
    for text in ("quic", "256", "-1", "٦"):
        with pytest.raises(UsageError, match="--protocol"):
            protocol_number(text)
