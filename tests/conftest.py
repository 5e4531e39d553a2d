"""What every test shares."""

import pytest
from hypothesis import settings

# The first call of a kernel compiles it, and an example found once must be found again.
settings.register_profile("tailrace", derandomize=True, deadline=None)
settings.load_profile("tailrace")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--bless", action="store_true", help="accept the present output of the golden cases")


@pytest.fixture
def bless(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--bless"))
