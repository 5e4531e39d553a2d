from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where policies are written, over and over."""
    return tmp_path_factory.mktemp("policies")
