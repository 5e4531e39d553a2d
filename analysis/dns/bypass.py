"""Queries past the cluster's DNS, which can neither answer nor cache them; policies by name do not see them."""

from collections.abc import Sequence

from analysis.dns.finding import CONNECTIONS, Context, Diagnosis, Finding, Row, Severity, asked_by, client_of
from analysis.words import counted

PLAIN = "dns"
SECRET = {"dns over tls": ("DNS over TLS or QUIC (port 853)", 853), "dns over https": ("DNS over HTTPS", 443)}


def judge(rows: Sequence[Row], context: Context) -> list[Finding]:
    return [_plain(row) if row["way"] == PLAIN else _secret(row) for row in rows]


def _plain(row: Row) -> Finding:
    queries, names = counted(row["queries"], "query", "queries"), counted(row["names"], "name")
    return Finding(
        diagnosis=DIAGNOSIS.name,
        severity=Severity.WARNING,
        subject=_subject(row),
        says=f"{client_of(row)} sent {queries} for {names} (such as {row['example']}) to {_server(row)}, "
        f"not to the cluster's DNS.{_lost(row, 'transaction')}",
        fix="Take that server out of the program's settings and of the pod's dnsConfig, and let dnsPolicy be "
        "ClusterFirst; where it is meant, allow it in a network policy, and deny port 53 outside to all others.",
        queries=row["queries"],
        waited_us=row["waited_us"],
        evidence=row,
        look={**asked_by(row), "to_ip": row["server_ip"]},
    )


def _secret(row: Row) -> Finding:
    way, port = SECRET[row["way"]]
    named = row["server"] != row["server_ip"]
    return Finding(
        diagnosis=DIAGNOSIS.name,
        severity=Severity.WARNING,
        subject=_subject(row),
        says=f"{client_of(row)} opened {counted(row['uses'], 'connection')} for {way} to {_server(row)}."
        f"{_lost(row, 'connection')} Which names it asks for is not seen.",
        fix="Turn encrypted DNS off in the program (a browser, a mesh or a library may have it built in); "
        f"where it is not meant, deny {row['server_ip']} on port {port} in a network policy.",
        queries=row["queries"],
        waited_us=row["waited_us"],
        evidence=row,
        look=asked_by(row) | {"to_port": port} | ({"domain": row["server"]} if named else {"to_ip": row["server_ip"]}),
        question=CONNECTIONS,
    )


def _lost(row: Row, thing: str) -> str:
    lost = row["uses"] - row["answered"]
    return f" {counted(lost, thing)} had no answer." if lost else ""


def _subject(row: Row) -> str:
    return f"{client_of(row)} → {row['server']} ({row['way']})"


def _server(row: Row) -> str:
    more = [row["server_ip"]] if row["server"] != row["server_ip"] else []
    more += [row["operator"]] if row["operator"] else []
    return f"{row['server']} ({', '.join(more)})" if more else str(row["server"])


DIAGNOSIS = Diagnosis("bypass", "Queries past the cluster's DNS", judge)
