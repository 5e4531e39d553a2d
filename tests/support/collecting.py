"""What the collector makes of a capture, with settings of its own."""

from pathlib import Path

import pyarrow as pa

from collector.driver import Settings, collect
from collector.sources.capture import CaptureFile, open_capture
from contract.coverage import COVERAGE
from contract.dns import DNS
from contract.flows import FLOWS
from tests.support.frames import NOBODY, Collected


def records_of(source: Path | bytes, settings: Settings) -> Collected:
    """``source``: a file, or the octets of one."""
    if isinstance(source, Path):
        with open_capture(str(source), NOBODY) as capture:
            return _collected(capture, settings)
    return _collected(CaptureFile("test", pa.BufferReader(source), source[:4]), settings)


def _collected(capture: CaptureFile, settings: Settings) -> Collected:
    schemas = {"flows": FLOWS.collected, "dns": DNS.collected, "coverage": COVERAGE.schema}
    batches: dict[str, list[pa.RecordBatch]] = {name: [] for name in schemas}
    for name, batch in collect(capture, settings):
        batch.validate(full=True)
        batches[name].append(batch)
    tables = {name: pa.Table.from_batches(batches[name], schema) for name, schema in schemas.items()}
    FLOWS.validate(tables["flows"], FLOWS.collected)
    DNS.validate(tables["dns"], DNS.collected)
    COVERAGE.validate(tables["coverage"])
    return Collected(tables["flows"], tables["dns"], tables["coverage"], capture.fault)
