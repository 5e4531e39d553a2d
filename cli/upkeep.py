"""The small files of a running lake, merged every hour beside those who write and read it."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from threading import Event, Thread
from typing import TYPE_CHECKING

from contract.errors import LakeError

if TYPE_CHECKING:
    from store.lake import Lake

log = logging.getLogger("tailrace.upkeep")

EVERY_S = 3600.0
# What is younger is still being written, and small.
SETTLED = timedelta(hours=1)
END_S = 5.0


@contextmanager
def kept_up(lake: "Lake", now: Callable[[], datetime], every_s: float = EVERY_S) -> Iterator[None]:
    """An end does not wait for a merge that is under way: what it began is not in the lake, and no loss."""
    stop = Event()
    thread = Thread(target=_run, args=(lake, now, every_s, stop), name="compact", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(END_S)


def _run(lake: "Lake", now: Callable[[], datetime], every_s: float, stop: Event) -> None:
    while not stop.wait(every_s):
        try:
            _compact(lake, now, stop)
        except LakeError as error:
            log.warning("%s", error)
        except Exception:  # nobody would begin it again
            log.exception("small files are not merged")


def _compact(lake: "Lake", now: Callable[[], datetime], stop: Event) -> None:
    from store.compaction import compact

    for done in compact(lake, None, now() - SETTLED, now):
        if done.merged:
            log.info("merged", extra={"table": done.table, "files": done.merged, "into": done.made})
        if stop.is_set():
            return
