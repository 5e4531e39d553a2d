"""``counted`` and ``connections`` on the recorded sample."""

from pathlib import Path

from store.lake import Lake
from tests.support.counted import differences


def test_they_say_the_same_of_the_sample(sample_lake: Path) -> None:
    with Lake.open(sample_lake).connect() as connection:
        assert differences(connection) == ([], [])
        assert connection.sql("select count(*) from counted").fetchall() == [(1559,)]


def test_they_say_the_same_of_a_part_of_its_time(sample_lake: Path) -> None:
    lake = Lake.open(sample_lake)
    span = lake.span()
    assert span is not None
    third = (span[1] - span[0]) / 3
    with lake.connect(since=span[0] + third, until=span[1] - third) as connection:
        assert differences(connection) == ([], [])
