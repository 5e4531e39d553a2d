"""What a collector handed on so far, added up from the batches themselves as they pass."""

from collections import OrderedDict
from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from contract.columns import COUNT
from contract.coverage import COVERAGE

MAX_INTERFACES = 256  # told apart; of more, those that were silent for longest are added up under OTHERS
OTHERS = "(others)"
UNKNOWN = "(unknown)"
BY_INTERFACE = ("packets", "bytes", "cut_packets")
# Counts of the whole node; of a clock there is nothing to add up.
OF_NODE = tuple(
    column.name
    for column in COVERAGE.columns
    if column.type == COUNT and column.name not in (*BY_INTERFACE, "clock_skew_us")
)


class ByInterface:
    """Counts by interface. Pods come and go, and each has an interface of its own: there is no end to their names."""

    def __init__(self) -> None:
        self._counts: OrderedDict[str, int] = OrderedDict()

    def add(self, interface: str, count: int) -> None:
        self._counts[interface] = self._counts.pop(interface, 0) + count
        if len(self._counts) > MAX_INTERFACES:
            silent = next(name for name in self._counts if name != OTHERS)
            self.add(OTHERS, self._counts.pop(silent))

    def __call__(self) -> dict[str, int]:
        return dict(self._counts)


class Tally:
    def __init__(self) -> None:
        self.records: dict[str, int] = {}
        self.by_interface = {name: ByInterface() for name in BY_INTERFACE}
        self.of_node = dict.fromkeys(OF_NODE, 0)
        self.discarded: dict[str, int] = {}

    def add(self, table: str, batch: pa.RecordBatch) -> None:
        self.records[table] = self.records.get(table, 0) + batch.num_rows
        if table == COVERAGE.name:
            self._add_coverage(batch)

    def _add_coverage(self, batch: pa.RecordBatch) -> None:
        names = batch["interface"].fill_null(UNKNOWN).to_pylist()
        for column, counts in self.by_interface.items():
            for interface, count in zip(names, batch[column].to_pylist(), strict=True):
                if count:
                    counts.add(interface, count)
        for column in OF_NODE:
            self.of_node[column] += pc.sum(batch[column]).as_py() or 0
        for reason, count in _reasons(batch["discarded"]).items():
            self.discarded[reason] = self.discarded.get(reason, 0) + count


def _reasons(discarded: pa.MapArray) -> Mapping[str, int]:
    pairs = pa.table({"reason": discarded.keys, "count": discarded.items})
    sums = pairs.group_by("reason").aggregate([("count", "sum")])
    return dict(zip(sums["reason"].to_pylist(), sums["count_sum"].to_pylist(), strict=True))
