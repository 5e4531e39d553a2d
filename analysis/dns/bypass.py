"""Queries past the cluster's DNS: it can neither answer nor cache them, and what a policy says of names does not see them."""

from collections.abc import Sequence

from analysis.dns.finding import Context, Diagnosis, Finding, Row, Severity, asked_by, client_of
from analysis.dns.words import counted

PLAIN = "dns"
WAYS = {PLAIN: "DNS", "dns over tls": "DNS over TLS or QUIC (port 853)", "dns over https": "DNS over HTTPS"}


def judge(rows: Sequence[Row], context: Context) -> list[Finding]:
    return [_plain(row) if row["way"] == PLAIN else _secret(row) for row in rows]


def _plain(row: Row) -> Finding:
    unanswered = row["uses"] - row["answered"]
    lost = f" {counted(unanswered, 'transaction')} had no answer." if unanswered else ""
    return Finding(
        diagnosis=DIAGNOSIS.name,
        severity=Severity.WARNING,
        subject=_subject(row),
        says=f"{client_of(row)} sent {counted(row['queries'], 'query', 'queries')} for {counted(row['names'], 'name')} "
        f"(such as {row['example']}) to {_server(row)}, not to the cluster's DNS.{lost}",
        fix="Take that server out of the program's settings and of the pod's dnsConfig, and let dnsPolicy be ClusterFirst; "
        "where it is meant, allow it in a network policy, and deny port 53 outside to all others.",
        queries=row["queries"],
        waited_us=row["waited_us"],
        evidence=row,
        look={**asked_by(row), "to_ip": row["server_ip"]},
    )


def _secret(row: Row) -> Finding:
    named = row["server"] != row["server_ip"]
    unanswered = row["uses"] - row["answered"]
    lost = f" {counted(unanswered, 'connection')} had no answer." if unanswered else ""
    return Finding(
        diagnosis=DIAGNOSIS.name,
        severity=Severity.WARNING,
        subject=_subject(row),
        says=f"{client_of(row)} opened {counted(row['uses'], 'connection')} for {WAYS[row['way']]} to {_server(row)}.{lost} "
        "Which names it asks for is not seen.",
        fix="Turn encrypted DNS off in the program (a browser, a mesh or a library may have it built in); where it is not "
        f"meant, deny {row['server_ip']} on port {853 if row['way'] != 'dns over https' else 443} in a network policy.",
        queries=row["queries"],
        waited_us=row["waited_us"],
        evidence=row,
        look={**asked_by(row), "domain": row["server"]} if named else asked_by(row),
    )


def _subject(row: Row) -> str:
    return f"{client_of(row)} → {row['server']} ({row['way']})"


def _server(row: Row) -> str:
    more = [row["server_ip"]] if row["server"] != row["server_ip"] else []
    more += [row["operator"]] if row["operator"] else []
    return f"{row['server']} ({', '.join(more)})" if more else str(row["server"])


DIAGNOSIS = Diagnosis("bypass", "Queries past the cluster's DNS", judge)
