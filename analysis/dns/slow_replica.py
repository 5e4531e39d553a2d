"""A server that is slower than its siblings, or has more to do."""

from collections import Counter
from collections.abc import Sequence
from itertools import groupby

from analysis.dns.finding import Context, Diagnosis, Finding, Row, Severity
from analysis.dns.words import share, took
from analysis.words import counted

# A median of fewer answers is chance.
LEAST = 30
# Two powers of two apart, as the histogram cannot tell less for sure; and a client's call of eight queries feels 5 ms each.
FACTOR = 4
LEAST_US = 5_000
# Callers time out.
STALL_US = 1_000_000
# Clients choose at random: three times the load of the others is no chance from a thousand answers on.
BUSY_FACTOR = 3
BUSY_LEAST = 1_000


def judge(rows: Sequence[Row], context: Context) -> list[Finding]:
    findings: list[Finding] = []
    for _, group in groupby(rows, key=lambda row: row["siblings"]):
        replicas = [list(own) for _, own in groupby(group, key=lambda row: row["server"])]
        for number, own in enumerate(replicas):
            others = replicas[:number] + replicas[number + 1 :]
            findings += _compared(own, [row for sibling in others for row in sibling], len(others))
    return findings


def median_us(rows: Sequence[Row]) -> float:
    """The mean of those answers that took as long as the one in the middle, to a power of two."""
    seen: Counter[int] = Counter()
    total_us: Counter[int] = Counter()
    for row in rows:
        seen[row["exponent"]] += row["transactions"]
        total_us[row["exponent"]] += row["total_us"]
    half, before = seen.total() / 2, 0
    for exponent in sorted(seen):
        before += seen[exponent]
        if before >= half:
            break
    return total_us[exponent] / seen[exponent]


def _compared(own: Sequence[Row], others: Sequence[Row], siblings: int) -> list[Finding]:
    mine, theirs = (sum(row["transactions"] for row in rows) for rows in (own, others))
    if mine < LEAST or theirs < LEAST:
        return []
    figures = {
        "siblings": own[0]["siblings"],
        "server": own[0]["server"],
        "server_node": own[0]["server_node"],
        "transactions": mine,
        "median_us": median_us(own),
        "other_servers": siblings,
        "other_transactions": theirs,
        "other_median_us": median_us(others),
    }
    if figures["median_us"] >= max(FACTOR * figures["other_median_us"], figures["other_median_us"] + LEAST_US):
        return [_slow(figures)]
    return [_busy(figures)] if mine >= max(BUSY_LEAST, BUSY_FACTOR * theirs / siblings) else []


def _slow(figures: Row) -> Finding:
    lost_us = figures["median_us"] - figures["other_median_us"]
    return Finding(
        diagnosis=DIAGNOSIS.name,
        severity=Severity.CRITICAL if lost_us >= STALL_US else Severity.WARNING,
        subject=figures["server"],
        says=f"{figures['server']} takes {took(figures['median_us'])} by itself, its siblings of {figures['siblings']} "
        f"{took(figures['other_median_us'])} (medians of {figures['transactions']:,} and "
        f"{figures['other_transactions']:,} answers, waits for upstreams apart). {_load(figures)}",
        fix=f"Look at this pod and its node{_node(figures)}: CPU limit and throttling, a noisy neighbour, packet loss; "
        "delete the pod, and see whether the next one is slow as well.",
        queries=figures["transactions"],
        waited_us=int(lost_us * figures["transactions"]),
        evidence=figures,
        effect=f"{counted(figures['transactions'], 'answer')} come {took(lost_us)} sooner, as those of its siblings.",
        look={"to_pod": figures["server"]},
    )


def _busy(figures: Row) -> Finding:
    return Finding(
        diagnosis=DIAGNOSIS.name,
        severity=Severity.INFO,
        subject=figures["server"],
        says=f"{_load(figures)} It is not slower for it ({took(figures['median_us'])}; others {took(figures['other_median_us'])}).",
        fix="Look for what ties clients to it: an address of the pod in a resolv.conf, topology-aware routing or "
        "`internalTrafficPolicy: Local` with most clients in one place, long-lived TCP.",
        queries=figures["transactions"],
        waited_us=0,
        evidence=figures,
        look={"to_pod": figures["server"]},
    )


def _load(figures: Row) -> str:
    whole = figures["transactions"] + figures["other_transactions"]
    return (
        f"It answers {share(figures['transactions'], whole)} of all that {figures['other_servers'] + 1} servers of "
        f"{figures['siblings']} answer."
    )


def _node(figures: Row) -> str:
    return f" ({figures['server_node']})" if figures["server_node"] else ""


DIAGNOSIS = Diagnosis("slow_replica", "Uneven servers", judge, rows=10_000)
