"""What is said while kernels are compiled; tests/e2e/test_collect_starts.py compiles some."""

import logging
from threading import Event

import pytest

from cli.compiling import kernels_ready
from cli.config import CollectConfig
from collector import warming

CONFIG = CollectConfig.model_validate({"interfaces": ["lo"], "lake": "lake"})
EARLIER, NEVER = [False, True], [False, False]


def started(monkeypatch: pytest.MonkeyPatch, warm: list[bool]) -> None:
    """With kernels that are kept so before they are compiled, and afterwards."""
    monkeypatch.setattr(warming, "is_warm", lambda: warm.pop(0))
    monkeypatch.setattr(warming, "warm", lambda: None)
    kernels_ready(CONFIG, Event())


@pytest.mark.parametrize(("warm", "levels"), [([True], []), (EARLIER, ["INFO"]), (NEVER, ["INFO", "WARNING"])])
def test_it_is_said_when_kernels_are_compiled_and_when_they_are_not_kept(
    warm: list[bool], levels: list[str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "tailrace")
    started(monkeypatch, [*warm])
    assert [record.levelname for record in caplog.records] == levels
    assert all(text in record.message for text, record in zip(("compiling", "written"), caplog.records, strict=False))


def test_what_compiling_meets_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails() -> None:
        raise MemoryError

    monkeypatch.setattr(warming, "is_warm", lambda: False)
    monkeypatch.setattr(warming, "warm", fails)
    with pytest.raises(MemoryError):
        kernels_ready(CONFIG, Event())
