"""The obvious version of what the enricher computes, for the properties to compare with."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

Row = dict[str, Any]

SAME_OPENING = timedelta(milliseconds=50)
SILENCE = timedelta(seconds=120)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
GRACE = timedelta(hours=1)
RECENT, MOST = 16, 8


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


def domain_at(told: list[Row], flow: Row) -> Row:
    """What ``told`` (client, owner, address, name, at, until) makes of a flow's destination (docs/outside-names.md)."""
    here = [row for row in told if row["address"] == flow["dst_ip"]]
    own = _known([row for row in here if row["client"] == flow["src_ip"]], flow, timedelta(0), GRACE)
    workload = _known([row for row in here if row["owner"] == flow["owner"]], flow, GRACE, timedelta(0))
    cluster = _known(here, flow, GRACE, timedelta(0))
    sni = flow["tls_sni"]
    if own:
        sure = "high" if own["names"] == 1 and own["is_valid"] and sni is None else "medium"
        against = "medium" if flow["tls_ech"] else "low"
        sure = "high" if own["agrees"] else sure if sni is None else against
        return _domain(own, "dns" if own["is_valid"] else "dns_expired", sure)
    if sni is not None:
        known = {"name": sni, "others": None, "names": 0, "agrees": True}
        return _domain(known, "sni", "medium" if cluster and cluster["agrees"] else "low")
    if workload:
        sure = "medium" if workload["names"] == 1 else "low"
        return _domain(workload if _one_party(workload) else None, "dns_workload", sure)
    return _domain(cluster if cluster and _one_party(cluster) else None, "dns_cluster", "low")


def _domain(known: Row | None, method: str, sure: str) -> Row:
    if known is None:
        return dict.fromkeys(("dst_domain", "domain_method", "domain_confidence", "domain_alternatives")) | {
            "ambiguous": False
        }
    told = {"dst_domain": known["name"], "domain_method": method, "domain_confidence": sure}
    ambiguous = known["names"] > 1 and not known["agrees"]
    return told | {"domain_alternatives": known["others"] or None, "ambiguous": ambiguous}


def _known(told: list[Row], flow: Row, slack: timedelta, grace: timedelta) -> Row | None:
    """By which name those who were told these answers knew the address when the flow began."""
    time, sni = flow["start_time"], flow["tls_sni"]
    heard = [row for row in _stretches(told, slack) if row["from"] <= time]
    ends = {row["name"]: max(one["until"] for one in heard if one["name"] == row["name"]) for row in heard}
    if not heard or (time >= max(ends.values()) + grace):
        return None
    valid = list(dict.fromkeys(row["name"] for row in heard if time < row["until"]))
    agrees = sni in ends and time < ends[sni] + grace
    name = sni if agrees else (valid or [heard[0]["name"]])[0]
    recent = [row["name"] for row in heard[:RECENT] if time < row["until"]]
    others = [one for one in dict.fromkeys(recent) if one != name][:MOST]
    is_valid = time < ends[name]
    return {"name": name, "names": len(valid), "agrees": agrees, "is_valid": is_valid, "others": others}


def _stretches(told: list[Row], slack: timedelta) -> list[Row]:
    """One row for each name and time, the newest first; with slack, for each name and stretch of it."""
    found: dict[Any, list[Row]] = {}
    for row in told:
        stretch = (row["at"] - EPOCH) // slack if slack else row["at"]
        found.setdefault((row["name"], stretch), []).append(row)
    end = max if slack else min
    rows = [
        {
            "name": name,
            "from": min(row["at"] for row in rows) - slack,
            "until": end(row["until"] for row in rows) + slack,
        }
        for (name, _), rows in found.items()
    ]
    return sorted(sorted(rows, key=lambda row: str(row["name"])), key=lambda row: row["from"], reverse=True)


def _one_party(known: Row) -> bool:
    parties = {".".join(name.split(".")[-2:]) for name in (known["name"], *known["others"])}
    return known["names"] <= len(known["others"]) + 1 and len(parties) == 1
