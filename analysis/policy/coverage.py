"""What the captures of a window did not see, in words."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any

import pyarrow as pa

from analysis.policy import words
from analysis.policy.endpoints import Endpoint
from analysis.policy.history import Window
from analysis.words import counted

# Captures of several nodes never begin at the same moment; this much apart is no gap.
LEAST_GAP = timedelta(seconds=60)
SHORT = timedelta(days=7)


def shortcomings(rows: pa.Table, window: Window, known: Iterable[Endpoint]) -> list[str]:
    """``rows`` of ``policy/coverage``; empty where nothing was missed that anybody knows of."""
    told = rows.to_pylist()
    lines = [_short(window)] if window.until - window.since < SHORT else []
    if not told:
        return [*lines, "Nothing says how much was captured: the lake has no coverage of this time."]
    nodes = {row["node"] for row in told}
    if None not in nodes:
        lines += _uncaptured(nodes, known)
    for row in told:
        parts = list(_parts(row, window))
        lines += [f"{row['node'] or 'A node that is not told'}: {', '.join(parts)}."] if parts else []
    return lines


def _short(window: Window) -> str:
    return f"{words.apart(window.until - window.since)} is less than a week: what happens more rarely is not in it."


def _uncaptured(captured: set[str], known: Iterable[Endpoint]) -> list[str]:
    nodes = {name for one in known if (name := one.name if one.kind == "node" else one.node) is not None}
    missing = nodes - captured
    return (
        [f"No capture of {words.listed(missing)}: what its pods said among themselves was not seen."] if missing else []
    )


def _parts(row: Mapping[str, Any], window: Window) -> Iterator[str]:
    late, early = row["from_time"] - window.since, window.until - row["until_time"]
    if late > LEAST_GAP:
        yield f"the first {words.apart(late)} were not captured"
    if early > LEAST_GAP:
        yield f"the last {words.apart(early)} were not captured"
    if row["gaps"]:
        yield f"{counted(row['gaps'], 'gap')} of {words.length(row['gap_s'])} in all"
    if row["least_sampled_ratio"] is not None and row["least_sampled_ratio"] < 1:
        yield f"only {row['least_sampled_ratio']:.2%} of the packets were taken"
    if row["kernel_drops"]:
        yield f"{counted(row['kernel_drops'], 'packet')} lost by the kernel"
    if row["evictions"]:
        yield f"{counted(row['evictions'], 'flow record')} written early because the table was full"
    if row["cut_packets"]:
        yield f"{counted(row['cut_packets'], 'packet')} cut short, which hides names"
