"""Figures as the findings of the doctor write them."""

from collections.abc import Sequence

# Names that a sentence lists; the evidence has all.
LISTED = 3


def took(us: float) -> str:
    """``640 µs``, ``12.3 ms``, ``5.0 s``, ``12 min``."""
    if us < 1000:
        return f"{us:.0f} µs"
    if us < 1_000_000:
        return f"{us / 1000:.3g} ms" if us < 999_500 else "1.0 s"
    return f"{us / 1_000_000:.1f} s" if us < 600_000_000 else f"{us / 60_000_000:,.0f} min"


def share(part: int, whole: int) -> str:
    """In percent; what is more than nothing is never called 0 %."""
    percent = 100 * part / whole if whole else 0
    return "less than 0.1 %" if 0 < percent < 0.1 else f"{percent:.3g} %"


def listed(names: Sequence[str]) -> str:
    more = len(names) - LISTED
    return ", ".join(names[:LISTED]) + (f" and {more} more" if more > 0 else "")
