"""A day of an enricher's rounds in a lake, before and after its small files are merged: files, octets, and how long questions take.

The records are those of the shop sample, told again and again with later times and other ids.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from analysis.questions import ask
from benchmarks import machine
from contract.columns import COUNT, TIME
from contract.tables import TABLES
from enricher.enrich import Enriched, enrich
from enricher.kubernetes import read_dump
from store.compaction import compact
from store.lake import Lake
from tests.support.arrivals import arrivals
from tests.support.sample import OBJECTS

ROUND = timedelta(seconds=15)
START = datetime(2026, 11, 22, tzinfo=UTC)
IDS = {"flows": ("connection_id",), "dns": ("transaction_id", "resolution_id"), "resolutions": ("resolution_id",)}
QUESTIONS = ("overview/summary", "graph/edges", "dns/latency")
TIMES = 3


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--commits", type=int, default=5_760, help="a day has %(default)s")
    options.add_argument("--rows", type=int, default=150, help="records of each table in a commit (%(default)s)")
    chosen = options.parse_args()
    print(machine.describe())
    with tempfile.TemporaryDirectory() as folder:
        lake = Lake.create(folder)
        took = [timed(lambda one=one: lake.append(one)) for one in rounds(chosen.commits, chosen.rows)]
        print(f"\nA commit of all tables took {statistics.median(took[:100]):.3f} s at the start,", end=" ")
        print(f"{statistics.median(took[-100:]):.3f} s at the end.\n")
        header()
        show("before", lake)
        seconds = timed(lambda: list(compact(lake, None, None, lambda: datetime.now(UTC))))
        show("after", lake)
        print(f"\nMerging took {seconds:.1f} s.")


def rounds(count: int, size: int) -> Iterator[dict[str, pa.Table]]:
    told = sample()
    for number in range(count):
        yield {name: _round(name, getattr(told, name), number, size) for name in IDS}


def sample() -> Enriched:
    collected = {
        name: pa.Table.from_batches(
            [one.batch for one in arrivals("shop", 60) if one.table == name], TABLES[name].collected
        )
        for name in ("flows", "dns")
    }
    return enrich(collected["flows"], collected["dns"], read_dump(OBJECTS, "shop"))


def _round(name: str, rows: pa.Table, number: int, size: int) -> pa.Table:
    """Another part of the sample each time, begun within one round."""
    size = min(size, rows.num_rows)
    rows = rows.slice(number * size % (rows.num_rows - size + 1), size)
    first = pc.min(rows[TABLES[name].time]).cast(COUNT).as_py()
    begin = int((START + number * ROUND).timestamp()) * 1_000_000
    for place, field in enumerate(rows.schema):
        if field.type == TIME:
            rows = rows.set_column(place, field, pc.add(rows[field.name].cast(COUNT), begin - first).cast(TIME))
        elif field.name in IDS[name]:
            rows = rows.set_column(place, field, pc.binary_join_element_wise(rows[field.name], str(number), "-"))
    return rows


def header() -> None:
    asked = " | ".join(f"{name} s" for name in QUESTIONS)
    print(f"| | files | MB | MB of Delta's log | {asked} |")
    print("|---|---:|---:|---:|" + "---:|" * len(QUESTIONS))


def show(when: str, lake: Lake) -> None:
    stats = lake.stats()
    files, octets = (sum(stats[name].to_pylist()) for name in ("files", "bytes"))
    log = sum(path.stat().st_size for path in Path(lake.folder).glob("*/_delta_log/*"))
    answered = " | ".join(f"{statistics.median(_asked(lake, name)):.2f}" for name in QUESTIONS)
    print(f"| {when} | {files:,} | {octets / 1e6:.1f} | {log / 1e6:.1f} | {answered} |", flush=True)


def _asked(lake: Lake, question: str) -> list[float]:
    return [timed(lambda: ask(lake, question, {}, 1000, 600.0)) for _ in range(TIMES)]


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
