"""The obvious version of what the enricher computes, for the properties to compare with."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

Row = dict[str, Any]

SAME_OPENING = timedelta(milliseconds=50)
SILENCE = timedelta(seconds=120)


def owner_at(assignments: Iterable[Row], ip: str, time: datetime) -> tuple[Row | None, bool]:
    """Who held the address then, and whether several did: the latest start wins, a Service comes last."""
    holders = [row for row in assignments if row["ip"] == ip and not row["host_network"] and _holds(row, time)]
    holders = [row for row in holders if row["kind"] != "service"] or holders
    latest = max(holders, key=lambda row: (row["from_time"], row["uid"]), default=None)
    return latest, len(holders) > 1


def is_believed(assignments: Iterable[Row], record: Row) -> bool:
    """Whether the inner addresses of a record may be named: a tunnel has to go from node to node."""
    held = list(assignments)
    outer = (owner_at(held, record[name], record["start_time"])[0] for name in ("tunnel_src_ip", "tunnel_dst_ip"))
    return record["tunnel"] is None or all(owner is not None and owner["kind"] == "node" for owner in outer)


def connection_numbers(records: list[Row]) -> list[int]:
    """Which connection of one tuple each record belongs to, as the index of a record of it; see connections.sql."""
    opened: list[datetime] = []
    for record in sorted(records, key=lambda row: row["start_time"]):
        if _opens(record, records) and not (opened and record["start_time"] - opened[-1] <= SAME_OPENING):
            opened.append(record["start_time"])
    parts = [sum(start - SAME_OPENING <= record["start_time"] for start in opened) for record in records]
    return [parts.index(part) for part in parts]


def _opens(record: Row, records: list[Row]) -> bool:
    start = record["start_time"]
    earlier = [other["end_time"] for other in records if other["start_time"] < start - SAME_OPENING]
    return bool(earlier) and start > max(earlier) + (SAME_OPENING if record["started"] else SILENCE)


def _holds(row: Row, time: datetime) -> bool:
    return bool(row["from_time"] <= time) and (row["until_time"] is None or bool(time < row["until_time"]))
