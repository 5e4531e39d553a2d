"""A day of events, quickly: what is remembered stays the same size, and what is known stays true."""

import gc
import tracemalloc
from pathlib import Path

from enricher.watch.api import read_config
from enricher.watch.watcher import Watcher
from tests.support.churn import Churn
from tests.support.fake_api import FakeApi
from tests.support.watching import until

PODS = 100
AN_HOUR = 20
EXPIRED_AFTER = 3


def test_memory_is_flat_over_a_day(tmp_path: Path) -> None:
    tracemalloc.start()
    with FakeApi(history=120) as api:
        churn = Churn(api, PODS)
        watcher = Watcher(read_config(api.kubeconfig(tmp_path)), "test", lambda: churn.now, lambda _: None)
        watcher.start()
        try:
            sizes = []
            for hour in churn.hours(24, AN_HOUR):
                sizes.append(_size(churn, watcher))
                if hour == EXPIRED_AFTER:
                    api.expire()
        finally:
            tracemalloc.stop()
            watcher.stop()
        held = watcher.snapshot().assignments.to_pylist()
    now = {row["ip"]: row["name"] for row in held if row["kind"] == "pod" and row["until_time"] is None}
    assert now == churn.addresses()
    # Two hours of history, in which every hour has as many that ended.
    assert len(held) <= PODS + PODS // 10 + 3 * AN_HOUR
    # One row for each pod that went would be half of it more.
    assert sizes[23] < 1.1 * sizes[11], sizes


def _size(churn: Churn, watcher: Watcher) -> int:
    """Bytes that Python holds, once everything was heard."""
    until(lambda: _held(watcher) == churn.addresses())
    watcher.drain()
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def _held(watcher: Watcher) -> dict[str, str]:
    rows = watcher.snapshot().assignments.select(["ip", "kind", "name", "until_time"]).to_pylist()
    return {row["ip"]: row["name"] for row in rows if row["kind"] == "pod" and row["until_time"] is None}
