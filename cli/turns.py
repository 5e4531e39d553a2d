"""When a round ends: after its time, but not while the cluster is not known as it is now."""

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from cli.knowing import Knowledge

if TYPE_CHECKING:
    from cli.pipeline import Pipeline

log = logging.getLogger("tailrace.pipeline")

# An address may have got another holder since the API was heard of last. Records wait for so long at most, then they are told
# with what is known; `lake relabel` tells better later.
MOST_LATE_S = 300.0


class Turns:
    def __init__(
        self, pipeline: "Pipeline", known: Knowledge, round_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._pipeline, self._known, self._round, self._clock = pipeline, known, round_s, clock
        self.begin()
        self._current_at = clock()
        self._is_told = False

    def begin(self) -> None:
        self._due = self._clock() + self._round

    def is_due(self) -> bool:
        now = self._clock()
        if self._known.is_current():
            self._current_at, self._is_told = now, False
        if self._pipeline.is_full:
            return True
        return now >= self._due and not self._is_waiting(now)

    def _is_waiting(self, now: float) -> bool:
        if self._current_at == now or now - self._current_at >= MOST_LATE_S or not self._pipeline.rows_waiting:
            return False
        if not self._is_told:
            log.warning("records wait until the Kubernetes API answers, %d s at most", MOST_LATE_S)
            self._is_told = True
        return True
