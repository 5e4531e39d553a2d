"""How long to wait after what went wrong, longer each time, and never all at once."""

import random

FIRST_S = 0.5
LONGEST_S = 30.0


class Pauses:
    def __init__(self, longest_s: float = LONGEST_S) -> None:
        self._longest_s = longest_s
        self._next_s = FIRST_S

    def reset(self) -> None:
        self._next_s = FIRST_S

    def next(self, least_s: float = 0) -> float:
        """Half of it by chance, so that those who were cut off together do not come back together."""
        pause = self._next_s
        self._next_s = min(2 * pause, self._longest_s)
        return max(least_s, random.uniform(pause / 2, pause))
