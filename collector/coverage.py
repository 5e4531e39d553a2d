"""What a capture gave and what was not taken from it, as the batch of ``COVERAGE`` that ends a run."""

from typing import NamedTuple, Protocol

import numpy as np
import pyarrow as pa

from collector.arrays import list_array, number_array, text_array
from collector.kernels.layout import Records
from collector.records import Origin
from contract.columns import COUNT
from contract.coverage import COVERAGE
from contract.errors import Discard

LIVE = "live"  # the source that is no file
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

    def clear(self) -> None:
        for counts in (self.packets, self.octets, self.cut, self.last):
            counts[:] = 0
        self.first[:] = LATEST


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


class Counted(Protocol):
    totals: Totals
    discarded: np.ndarray
    control: Records


class Interval(NamedTuple):
    """Of live capture: times in µs, and what its socket tells of all interfaces together."""

    since: int
    until: int
    drops: int
    freezes: int
    step: int  # by how much the clock was set at the end, 0: it was not
    each_since: int | None  # since when nothing was told of each interface; None: nor is it now


def interval_batch(origin: Origin, tables: Counted, interval: Interval) -> pa.RecordBatch:
    """Where each interface is told of: a row for those that gave packets; then one of them all, for what cannot be told of one."""
    totals, discarded, each = tables.totals, tables.discarded, interval.each_since is not None
    which = np.flatnonzero(((totals.packets > 0) | discarded.any(axis=1)) & each)
    silent, none, unknown = totals.packets[which] == 0, np.zeros(which.size, np.int64), np.full(which.size, -1)
    numbers = {
        "from_time": np.append(np.where(silent, interval.each_since or 0, totals.first[which]), interval.since),
        "until_time": np.append(np.where(silent, interval.until, totals.last[which]), interval.until),
        "packets": np.append(totals.packets[which], 0),
        "bytes": np.append(totals.octets[which], 0),
        "cut_packets": np.append(totals.cut[which], 0),
        "kernel_drops": np.append(unknown, interval.drops),
        "ring_freezes": np.append(unknown, interval.freezes),
        "sampled_ratio": np.ones(which.size + 1),
        **{name: np.append(none, int(tables.control[name])) for name in ("dns_malformed", *GIVEN_UP)},
    }
    size = which.size + 1
    texts: dict[str, list[str | None]] = {
        "cluster": [origin.cluster] * size,
        "node": [origin.node] * size,
        "interface": [*(origin.interfaces[number] for number in which.tolist()), None],
        "source": [LIVE] * size,
    }
    arrays = {name: number_array(values, SCHEMA.field(name)) for name, values in numbers.items()}
    arrays |= {name: text_array(column) for name, column in texts.items()}
    arrays["discarded"] = _by_reason(np.append(discarded[which], np.zeros_like(discarded[:1]), axis=0))
    step = np.append(none, interval.step)
    arrays["clock_skew_us"] = number_array(step, SCHEMA.field("clock_skew_us"), known=step != 0)
    return pa.record_batch([arrays[field.name] for field in SCHEMA], schema=SCHEMA)
