"""The files a table consists of at one moment, and which of them a time range needs."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True)
class LiveFile:
    """Its rows have times in [from_time, until_time] and hold until ``holds_until``; None where a row holds on."""

    path: Path
    rows: int
    bytes: int
    from_time: datetime
    until_time: datetime
    holds_until: datetime | None = None


def during(files: Iterable[LiveFile], since: datetime | None, until: datetime | None) -> list[LiveFile]:
    """Those which may have rows of [since, until)."""
    return [
        file
        for file in files
        if (until is None or file.from_time < until)
        and (since is None or file.holds_until is None or file.holds_until >= since)
    ]
