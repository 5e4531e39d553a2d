"""What every test shares."""

from collections.abc import Generator

import pytest
from hypothesis import settings

# The first call of a kernel compiles it, and an example found once must be found again.
settings.register_profile("tailrace", derandomize=True, deadline=None)
settings.load_profile("tailrace")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--bless", action="store_true", help="accept the present output of the golden cases")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What was logged goes from a worker to the terminal as UTF-8, and tests log what is none."""
    report = yield
    report.sections = [(name, text.encode(errors="backslashreplace").decode()) for name, text in report.sections]
    return report


@pytest.fixture
def bless(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--bless"))
