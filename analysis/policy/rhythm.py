"""Whether an edge comes and goes by the clock.

Connections that begin in neighbouring ticks are one burst. An edge is periodic if it had at least four bursts and the
distances of their beginnings are all the same, or a multiple of it where a burst was missed: within a tenth (of less
than four ticks, exactly), and with at most a quarter missed.
"""

import numpy as np
from numpy.typing import NDArray

LEAST_BURSTS = 4
TOLERANCE = 0.1
# From here on a burst that falls just before or after a tick begins does not change the rhythm.
LEAST_TICKS = 4
MOST_DISTANCES = 1.25


def period(ticks: NDArray[np.int64]) -> int | None:
    """The ticks from one burst to the next; ``ticks`` may be in any order, and stand twice."""
    seen = np.unique(ticks)
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
