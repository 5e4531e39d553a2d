from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.support.broker import Broker, running
from tests.support.browser import Watched, app, chromium, watching
from tests.support.sample import ingest_sample


@pytest.fixture(scope="session")
def sample_lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake with the recorded sample, made once by the real command line."""
    lake = tmp_path_factory.mktemp("sample") / "lake"
    done = ingest_sample(lake)
    assert done.returncode == 0, done.stderr
    return lake


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """Shared: each test has its own topic, and leaves the broker running."""
    with running(tmp_path_factory.mktemp("broker")) as started:
        yield started


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="session")
def sample_address(sample_lake: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with app(sample_lake, tmp_path_factory.mktemp("app")) as started:
        yield started


@pytest.fixture(params=["light", "dark"])
def scheme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def sampled(scheme: str, browser: Browser, sample_address: str) -> Iterator[Watched]:
    with watching(browser, sample_address, scheme) as view:
        yield view
