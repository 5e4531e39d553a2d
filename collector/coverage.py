"""What a capture gave and what was not taken from it, as the batch of ``COVERAGE`` that ends a run."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from collector.arrays import list_array, number_array, text_array
from collector.kernels.layout import Records
from contract.columns import COUNT
from contract.coverage import COVERAGE
from contract.errors import Discard

LATEST = np.iinfo(np.int64).max
GIVEN_UP = ("evictions", "pending_overflows", "stream_overflows", "datagram_overflows", "hello_overflows")
SCHEMA = COVERAGE.schema


class Totals(NamedTuple):
    """What each interface of a capture gave, as arrays with a row an interface."""

    packets: np.ndarray
    octets: np.ndarray
    cut: np.ndarray
    first: np.ndarray
    last: np.ndarray

    @classmethod
    def none(cls, interfaces: int) -> "Totals":
        packets, octets, cut, last = (np.zeros(interfaces, np.int64) for _ in range(4))
        return cls(packets, octets, cut, np.full(interfaces, LATEST), last)


def coverage_batch(
    texts: dict[str, list[str | None]], totals: Totals, discarded: np.ndarray, control: Records
) -> pa.RecordBatch:
    """A row for each interface that gave packets; what the tables gave up is told with the first.

    ``texts`` has a text for every interface of the capture.
    """
    which = np.flatnonzero(totals.packets)
    first = (np.arange(which.size) == 0).astype(np.int64)
    numbers = {
        "from_time": totals.first[which],
        "until_time": totals.last[which],
        "packets": totals.packets[which],
        "bytes": totals.octets[which],
        "cut_packets": totals.cut[which],
        "dns_malformed": first * int(control.dns_malformed),
        **{name: first * int(control[name]) for name in GIVEN_UP},
    }
    arrays = {name: number_array(values, SCHEMA.field(name)) for name, values in numbers.items()}
    arrays |= {name: text_array([column[number] for number in which.tolist()]) for name, column in texts.items()}
    arrays["discarded"] = _by_reason(discarded[which])
    columns = [arrays[f.name] if f.name in arrays else pa.nulls(which.size, f.type) for f in SCHEMA]
    return pa.record_batch(columns, schema=SCHEMA)


def _by_reason(counts: np.ndarray) -> pa.Array:
    """The counts of each row that are not zero, as a map."""
    kind = SCHEMA.field("discarded").type
    _, reasons = np.nonzero(counts)
    offsets = np.zeros(len(counts) + 1, np.int32)
    np.cumsum(np.count_nonzero(counts, axis=1), out=offsets[1:])
    names = text_array([list(Discard)[number].value for number in reasons.tolist()])
    numbers = number_array(counts[counts != 0], pa.field("value", COUNT))
    entries = pa.StructArray.from_arrays([names, numbers], fields=[kind.key_field, kind.item_field])
    return list_array(kind, offsets, entries, None)
