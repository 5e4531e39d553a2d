"""What is served as metrics: what was collected, and names that Prometheus takes."""

import re
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families as parsed

from cli import document
from cli.config import VERBS, keys
from cli.configuring import variable
from cli.metrics import Metrics, Observed
from cli.observed import COLLECTED, EVERY
from cli.tally import MAX_INTERFACES, OTHERS, ByInterface, Tally
from collector.driver import Settings, collect
from collector.sources.capture import open_capture
from contract.coverage import COVERAGE

ROOT = Path(__file__).parents[3]
SAMPLE = ROOT / "samples/shop/node-1.pcapng.gz"


def served(tally: Tally) -> dict[tuple[str, ...], float]:
    registry = CollectorRegistry()
    registry.register(Metrics([Observed(lambda: tally, COLLECTED)]))
    families = parsed(generate_latest(registry).decode())
    return {(sample.name, *sample.labels.values()): sample.value for family in families for sample in family.samples}


def test_metrics_of_a_collector_are_the_sums_of_what_it_handed_on() -> None:
    tally, tables = Tally(), dict[str, list[pa.RecordBatch]]()
    with open_capture(str(SAMPLE), None) as capture:  # type: ignore[arg-type]
        for table, batch in collect(capture, Settings(seed=1)):
            tally.add(table, batch)
            tables.setdefault(table, []).append(batch)
    seen = served(tally)
    for table, batches in tables.items():
        assert seen["tailrace_collector_records_total", table] == sum(batch.num_rows for batch in batches) > 0
    coverage = pa.Table.from_batches(tables["coverage"])
    rows = coverage.to_pylist()
    for row in rows:
        assert seen["tailrace_collector_packets_total", row["interface"]] == row["packets"]
        assert seen["tailrace_collector_bytes_total", row["interface"]] == row["bytes"]
    discarded = sum(count for row in rows for _, count in row["discarded"])
    assert sum(value for key, value in seen.items() if key[0] == "tailrace_collector_discarded_total") == discarded > 0
    assert seen["tailrace_collector_dns_malformed_total",] == pc.sum(coverage["dns_malformed"]).as_py()
    assert seen["tailrace_collector_kernel_drops_total",] == 0


def coverage_of(interface: str | None, **counts: int) -> pa.RecordBatch:
    row: dict[str, object] = {
        field.name: 0 if pa.types.is_integer(field.type) else None for field in COVERAGE.schema if not field.nullable
    }
    return pa.RecordBatch.from_pylist(
        [row | {"interface": interface, "discarded": []} | counts],
        pa.schema([field.with_nullable(True) for field in COVERAGE.schema]),
    )


def test_batches_add_up_and_what_is_unknown_adds_nothing() -> None:
    tally = Tally()
    tally.add("coverage", coverage_of("eth0", packets=3, evictions=1, kernel_drops=5))
    tally.add("coverage", coverage_of("eth0", packets=4))
    tally.add("coverage", coverage_of(None, packets=1))
    seen = served(tally)
    assert seen["tailrace_collector_packets_total", "eth0"] == 7
    assert seen["tailrace_collector_packets_total", "(unknown)"] == 1
    assert seen["tailrace_collector_kernel_drops_total",] == 5
    assert seen["tailrace_collector_given_up_total", "evictions"] == 1


def test_interfaces_of_pods_that_come_and_go_are_bounded() -> None:
    counts = ByInterface()
    for number in range(5 * MAX_INTERFACES):
        counts.add("eth0", 1)
        counts.add(f"veth{number}", 1)
    told = counts()
    assert len(told) == MAX_INTERFACES
    assert told["eth0"] == 5 * MAX_INTERFACES
    assert f"veth{5 * MAX_INTERFACES - 1}" in told
    assert sum(told.values()) == 10 * MAX_INTERFACES
    assert told[OTHERS] > 4 * MAX_INTERFACES - 5


def test_names_are_as_prometheus_has_them() -> None:
    names = [metric.name for metric in EVERY]
    assert len(names) == len(set(names))
    for metric in EVERY:
        assert re.fullmatch(r"tailrace_(collector|publisher|spool|consumer|enricher|watch)_[a-z_]+", metric.name)
        assert metric.meaning and not metric.meaning.endswith(".")
        assert all(re.fullmatch(r"[a-z]+", label) for label in metric.labels)


@pytest.mark.parametrize("stale", [False, True])
def test_the_page_is_fresh(tmp_path: Path, stale: bool) -> None:
    page = tmp_path / "settings.md"
    page.write_text((ROOT / "docs/settings.md").read_text() + "x" * stale)
    assert document.main(["--check", str(page)]) == int(stale)


def test_pages_name_metrics_and_settings_that_there_are() -> None:
    text = (ROOT / "docs/operating.md").read_text()
    names = set(re.findall(r"\btailrace_\w+", text))
    assert names and names <= {metric.name for metric in EVERY}
    variables = set(re.findall(r"\bTAILRACE_\w+", text)) - {"TAILRACE_CACHE"}
    assert variables <= {variable(path) for model in VERBS.values() for path, _ in keys(model)}
