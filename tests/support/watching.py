"""A watcher on a fake API server, and how to wait for what it does."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from enricher.watch.api import read_config
from enricher.watch.watcher import Watcher
from tests.support.fake_api import FakeApi

Row = dict[str, Any]
DEADLINE_S = 10.0


def clock() -> datetime:
    return datetime.now(UTC)


@contextmanager
def watched(api: FakeApi, folder: Path, *, synced: bool = True, **user: Any) -> Iterator[Watcher]:
    """``said`` gets what the user is told."""
    said: list[str] = []
    watcher = Watcher(read_config(api.kubeconfig(folder, **user)), "test", clock, said.append)
    watcher.said = said  # type: ignore[attr-defined]
    watcher.start()
    try:
        if synced:
            until(lambda: watcher.is_synced)
        yield watcher
    finally:
        watcher.stop()


def until(happened: Callable[[], Any], what: str = "") -> Any:
    """What it gives as soon as that is true; a deadline ends the wait."""
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        value = happened()
        if value:
            return value
        time.sleep(0.005)
    raise AssertionError(f"did not happen in {DEADLINE_S:.0f} s: {what or happened}")


def holders(watcher: Watcher, ip: str) -> list[Row]:
    """Who held an address, in order."""
    rows: list[Row] = watcher.snapshot().assignments.to_pylist()
    return sorted((row for row in rows if row["ip"] == ip), key=lambda row: row["from_time"])


def present(watcher: Watcher) -> set[str]:
    """Names of pods that hold an address now."""
    rows = watcher.snapshot().assignments.to_pylist()
    return {row["name"] for row in rows if row["kind"] == "pod" and row["until_time"] is None}
