"""When an edge looks periodic."""

import numpy as np
import pytest

from analysis.policy.rhythm import period


@pytest.mark.parametrize(
    "ticks, every",
    [
        ([0, 5, 10, 15], 5),
        ([15, 0, 5, 10, 5], 5),
        ([0, 1, 2, 60, 61, 120, 180, 181], 60),
        ([0, 60, 121, 180, 239], 60),
        ([0, 24, 48, 72, 120, 144], 24),
        ([0, 2, 4, 6], 2),
        ([0, 5, 10], None),
        ([0, 2, 4, 7], None),
        ([0, 10, 20, 34], None),
        ([0, 10, 40, 70, 80], None),
        ([1, 2, 3, 4, 5, 6], None),
        ([], None),
    ],
    ids=[
        "even",
        "in any order",
        "bursts",
        "a little late",
        "one missed",
        "every other tick",
        "too few",
        "hardly apart",
        "uneven",
        "more missed than met",
        "always",
        "never",
    ],
)
def test_period(ticks: list[int], every: int | None) -> None:
    assert period(np.array(ticks, np.int64)) == every
