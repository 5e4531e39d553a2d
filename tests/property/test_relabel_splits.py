"""However the records of the sample came into a lake, relabelled it says what it says ingested whole."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enricher.directory import Directory
from tests.support.relabelled import CLUSTER, add, collected, differing, directory, everything, known_lake, relabel


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, pa.Table]:
    lake = known_lake(tmp_path_factory.mktemp("whole"))
    add(lake, collected(), directory())
    return everything(lake)


@settings(max_examples=2)
@given(st.lists(st.booleans(), min_size=1, max_size=3), st.integers(0, 2**32), st.floats(0.05, 0.95))
def test_any_split(whole: dict[str, pa.Table], known: list[bool], seed: int, cut: float) -> None:
    """Dealt at random to enrichers of which some know the cluster, then relabelled in two ranges, one after the other."""
    random = np.random.default_rng(seed)
    with TemporaryDirectory() as folder:
        lake = known_lake(Path(folder))
        dealt = {name: random.integers(0, len(known), table.num_rows) for name, table in collected().items()}
        for number, knows in enumerate(known):
            part = {name: table.filter(pa.array(dealt[name] == number)) for name, table in collected().items()}
            add(lake, part, directory() if knows else Directory.empty(CLUSTER))
        span = lake.span()
        assert span
        middle = span[0] + cut * (span[1] - span[0])
        relabel(lake, until=middle)
        relabel(lake, since=middle)
        assert differing(everything(lake), whole) == []
        versions = lake.versions()
        assert relabel(lake).changed == 0
        assert lake.versions() == versions
