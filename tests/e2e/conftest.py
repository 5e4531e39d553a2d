from pathlib import Path

import pytest

from tests.support.sample import ingest_sample


@pytest.fixture(scope="session")
def sample_lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake with the recorded sample, made once by the real command line."""
    lake = tmp_path_factory.mktemp("sample") / "lake"
    done = ingest_sample(lake)
    assert done.returncode == 0, done.stderr
    return lake
