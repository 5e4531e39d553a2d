"""What the lake has beside a window that is enriched again: records of other times that belong together with its own."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy as np

from contract.dns import DNS
from contract.flows import FLOWS
from contract.resolutions import RESOLUTIONS
from enricher.domains import GRACE_US
from enricher.memory import SILENT_US
from enricher.readings import Lake
from enricher.relabel import Records, Window
from enricher.resolutions import EDGE_US
from enricher.sightings import FLOW_GAPS
from enricher.sql import fetch

# Enriched at a time: about 1.5 GB.
WINDOW_ROWS = 1_000_000
# Transactions of the hour before a window: beyond, names told longest ago are not found again.
MOST_TOLD_BEFORE = 2_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def windows(lake: Lake, since: datetime, until: datetime, cluster: str) -> Iterator[tuple[datetime, datetime]]:
    """Ranges of about ``WINDOW_ROWS`` records each, that together are the whole."""
    with lake.connect(since, until, cluster) as views:
        times = fetch(views, "record_times")
    if not times.num_rows:
        return
    at = np.cumsum(times["records"].to_numpy()) // WINDOW_ROWS
    cuts = times["second"].to_numpy()[1:][np.diff(at) > 0]
    edges = [since, *(EPOCH + timedelta(seconds=int(cut)) for cut in cuts), until]
    yield from ((begin, end) for begin, end in zip(edges[:-1], edges[1:], strict=True) if begin < end)


def around(lake: Lake, window: Window, cluster: str) -> Records:
    edges = {"since_us": _microseconds(window.since), "until_us": _microseconds(window.until)}
    far = timedelta(microseconds=SILENT_US)
    with lake.connect(window.since - far, window.until + far, cluster) as views:
        flows = fetch(views, "around_flows", **edges, near_us=FLOW_GAPS.gap_us).cast(FLOWS.schema)
    before, after = timedelta(microseconds=GRACE_US), timedelta(microseconds=2 * EDGE_US)
    with lake.connect(window.since - before, window.until + after, cluster) as views:
        dns = fetch(views, "around_dns", **edges, most=MOST_TOLD_BEFORE).cast(DNS.schema)
    return Records(flows, dns, RESOLUTIONS.schema.empty_table())


def _microseconds(time: datetime) -> int:
    return (time - EPOCH) // timedelta(microseconds=1)
