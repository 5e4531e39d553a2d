"""Whatever ends `collect`, what captures is told, and nobody waits for ever for somebody who reads on."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from typing import Any

import pyarrow as pa
import pytest

from cli import collect, sinks
from cli.config import CollectConfig
from contract.coverage import COVERAGE
from contract.errors import LakeError

BATCH = pa.RecordBatch.from_pylist([], schema=COVERAGE.collected)


class Full:
    """A sink that keeps its error, and with it the frames that it went through."""

    metrics = ()

    def __init__(self) -> None:
        self.error: LakeError | None = None

    def faults(self) -> list[str]:
        return []

    def add(self, table: str, batch: pa.RecordBatch) -> None:
        try:
            raise LakeError("full")
        except LakeError as error:
            self.error = error
            raise


def test_an_error_of_the_sink_closes_what_collects(monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[bool] = []
    full = Full()

    def endless(*told: Any) -> Iterator[tuple[str, pa.RecordBatch]]:
        try:
            while True:
                yield COVERAGE.name, BATCH
        finally:
            closed.append(True)

    @contextmanager
    def sink(*told: Any) -> Iterator[Full]:
        yield full

    monkeypatch.setattr(collect, "_of_files", endless)
    monkeypatch.setattr(sinks, "sink", sink)
    config = CollectConfig.model_validate({"from": ["x.pcap"], "lake": "lake"})
    with pytest.raises(LakeError, match="full"):
        collect._run(config, [], None, Event())
    assert closed == [True]
