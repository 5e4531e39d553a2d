"""Whether an edge comes and goes by the clock.

Connections that begin in neighbouring ticks are one burst. An edge is periodic if it had at least four bursts and the
distances of their beginnings are all the same, or a multiple of it where a burst was missed: within a tenth (of less
than four ticks, exactly), and with at most a quarter missed.
"""

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from analysis.policy import words
from analysis.policy.history import History

LEAST_BURSTS = 4
TOLERANCE = 0.1
# From here on a burst that falls just before or after a tick begins does not change the rhythm.
LEAST_TICKS = 4
MOST_DISTANCES = 1.25


def period(ticks: NDArray[np.int64]) -> int | None:
    """The ticks from one burst to the next; ``ticks`` may be in any order, and stand twice."""
    seen = np.sort(ticks)
    begins = seen[np.diff(seen, prepend=seen[:1] - 2) > 1]
    if len(begins) < LEAST_BURSTS:
        return None
    distances = np.diff(begins)
    usual = int(np.median(distances))
    times = np.maximum(np.rint(distances / usual), 1)
    slack = max(1.0, TOLERANCE * usual) if usual >= LEAST_TICKS else 0.0
    even = bool((np.abs(distances - times * usual) <= slack).all())
    if not even or times.sum() > MOST_DISTANCES * len(distances):
        return None
    return round(float(distances.sum() / times.sum()))


def rhythms(history: History, rows: pa.Table) -> Callable[[str | None, Sequence[int]], str | None]:
    """In words, of some of the rows together and the workload kind of their src: by the clock, or a CronJob."""
    column = rows["ticks"].combine_chunks()
    ticks, bounds = column.values.to_numpy(), column.offsets.to_numpy()
    known: dict[tuple[int, ...], int | None] = {}

    def told(workload_kind: str | None, members: Sequence[int]) -> str | None:
        key = tuple(sorted(members))
        if key not in known:
            known[key] = period(np.concatenate([ticks[bounds[row] : bounds[row + 1]] for row in key]))
        every = known[key]
        if every is not None:
            return f"every {words.length(every * history.window.tick_s)}"
        return workload_kind if workload_kind == "CronJob" else None

    return told
