"""The records of a sample's captures as collectors would have sent them: in the order in which they ended, in small batches."""

import sys
from collections.abc import Iterator
from io import BufferedReader
from typing import NamedTuple, cast

import numpy as np
import pyarrow as pa

from collector.driver import Settings, collect
from collector.sources.capture import open_capture
from contract.columns import COUNT
from contract.coverage import COVERAGE
from contract.flows import FLOWS
from tests.support.sample import captures

LINGER_US = 5_000_000  # a record comes so long after its last packet


class Arrival(NamedTuple):
    """``round`` counts from some moment on."""

    round: int
    node: str
    table: str
    batch: pa.RecordBatch


def arrivals(sample: str, round_s: int) -> list[Arrival]:
    """In the order of their rounds."""
    found = [one for capture in captures(sample) for one in _of_node(str(capture), sample, round_s)]
    return sorted(found, key=lambda one: one.round)


def _of_node(path: str, sample: str, round_s: int) -> Iterator[Arrival]:
    node = path.rpartition("/")[2].partition(".")[0]
    with open_capture(path, cast(BufferedReader, sys.stdin.buffer)) as capture:
        for table, batch in collect(capture, Settings(seed=1, cluster=sample, node=node)):
            rounds = _arrived_us(table, batch) // (round_s * 1_000_000)
            for number in np.unique(rounds):
                yield Arrival(int(number), node, table, batch.filter(pa.array(rounds == number)))


def _arrived_us(table: str, batch: pa.RecordBatch) -> np.ndarray:
    ends = {FLOWS.name: "end_time", COVERAGE.name: "until_time"}
    last: np.ndarray = batch[ends.get(table, "start_time")].cast(COUNT).to_numpy()
    return last + LINGER_US
