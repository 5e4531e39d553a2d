"""Times of the command line: relative to now, or absolute."""

import re
from datetime import UTC, datetime, timedelta

from contract.errors import UsageError

EXAMPLE = "2026-01-31T12:00:00Z"
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_RELATIVE = re.compile(r"(\d{1,9})([smhdw])")


def parse_time(option: str, text: str | None, now: datetime) -> datetime | None:
    """``5m`` is five minutes before ``now``; the rest is RFC 3339."""
    if text is None:
        return None
    relative = _RELATIVE.fullmatch(text)
    try:
        if relative:
            return now - timedelta(seconds=int(relative[1]) * UNITS[relative[2]])
        time = datetime.fromisoformat(text)
        if time.tzinfo is None:
            raise UsageError(f"{option}: {text!r} has no zone; write it as {EXAMPLE}")
        return time.astimezone(UTC)
    except (ValueError, OverflowError):
        raise UsageError(f"{option}: {text!r} is neither an age such as 5m nor a time such as {EXAMPLE}") from None


def rfc3339(time: datetime) -> str:
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z")


def seconds(value: object) -> object:
    """``15s``, ``2h`` in seconds; what is no such text stays as it is."""
    span = _RELATIVE.fullmatch(value) if isinstance(value, str) else None
    return int(span[1]) * UNITS[span[2]] if span else value
