"""Numbers as people read them."""

from datetime import datetime, timedelta

BYTES = ("B", "kB", "MB", "GB", "TB", "PB", "EB")
COUNTS = ("", " k", " M", " G", " T", " P")
UNKNOWN = "unknown"


def size(count: int | None) -> str:
    return UNKNOWN if count is None else _scaled(count, BYTES, " ")


def number(count: int | None) -> str:
    if count is None:
        return UNKNOWN
    return f"{count:,}".replace(",", "\N{NO-BREAK SPACE}") if abs(count) < 100_000 else _scaled(count, COUNTS, "")


def of(count: int, thing: str) -> str:
    """``1 flow``, ``2 flows``."""
    return f"{number(count)} {thing}{'' if count == 1 else 's'}"


def share(part: float | None, whole: float | None) -> str:
    if part is None or not whole:
        return UNKNOWN
    percent = 100 * part / whole
    return "< 0.1 %" if 0 < percent < 0.1 else f"{percent:.1f} %".replace(".0 %", " %")


def latency(microseconds: float | None) -> str:
    if microseconds is None:
        return UNKNOWN
    if microseconds < 1000:
        return f"{microseconds:.0f} µs"
    if microseconds < 1_000_000:
        return f"{microseconds / 1000:.3g} ms"
    return f"{microseconds / 1_000_000:.3g} s"


def duration(span: timedelta) -> str:
    """The two largest units: ``3 d 4 h``, ``2 min 5 s``, ``0.4 s``."""
    if span < timedelta(seconds=10):
        return f"{span.total_seconds():.1f} s"
    left = int(span.total_seconds())
    parts = []
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1)):
        count, left = divmod(left, length)
        parts.append(f"{count} {unit}" if count else "")
    first = next(index for index, part in enumerate(parts) if part)
    return " ".join(part for part in parts[first : first + 2] if part)


def instant(time: datetime | None) -> str:
    return UNKNOWN if time is None else f"{time:%Y-%m-%d %H:%M:%S}"


def _scaled(count: float, units: tuple[str, ...], space: str) -> str:
    step = 0
    value = float(count)
    while abs(value) >= 999.5 and step < len(units) - 1:
        value /= 1000
        step += 1
    text = f"{value:.0f}" if step == 0 or abs(value) >= 99.95 else f"{value:.1f}".removesuffix(".0")
    return f"{text}{space}{units[step]}"
