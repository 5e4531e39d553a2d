"""Zones that clients wait for, because the cluster's servers wait for an upstream."""

from collections.abc import Sequence

from analysis.dns.finding import Context, Diagnosis, Finding, Row, Severity
from analysis.dns.words import share, took
from analysis.words import counted

# Of the time of an answer, so much is the upstream's: else the server itself is what costs.
UPSTREAM_SHARE = 0.5
# Less than a second in all is nothing to change a configuration for.
LEAST_WAITED_US = 500_000


def judge(rows: Sequence[Row], context: Context) -> list[Finding]:
    return [_finding(row) for row in rows if _is_upstream(row)]


def _is_upstream(row: Row) -> bool:
    return bool(row["waited_us"] >= LEAST_WAITED_US and row["waited_us"] >= UPSTREAM_SHARE * row["latency_us"])


def _finding(row: Row) -> Finding:
    hits, misses = row["from_cache"], row["from_upstream"]
    upstream = row["upstream"] or "its upstream"
    return Finding(
        diagnosis=DIAGNOSIS.name,
        severity=Severity.WARNING,
        subject=f"{_zone(row)} at {row['server']}",
        says=f"{row['server']} waits {took(row['p50_upstream_us'])} for {upstream} ({took(row['longest_us'])} at worst) and takes "
        f"{took(row['p50_own_us'])} itself. Of {counted(hits + misses, 'answer')}, {hits:,} ({share(hits, hits + misses)}) came "
        f"from its cache.",
        fix=f"Look at {upstream}: a nearer one, or for {_zone(row)} its own name servers (CoreDNS: a server block of it with "
        f"`forward`). Until then keep answers longer: `cache 300` with `prefetch`; the zone's own TTL is the bound.",
        queries=misses,
        waited_us=row["waited_us"],
        evidence=row,
        effect=_effect(row),
        look={"domain": f"*{row['zone']}"} if row["zone"] else {"domain": row["example"]},
    )


def _zone(row: Row) -> str:
    return str(row["zone"] or f"{row['example']} and others")


def _effect(row: Row) -> str:
    if row["p50_cache_us"] is None:
        return f"Each answer from the cache saves a client {took(row['p50_upstream_us'])}."
    return f"Each answer from the cache takes {took(row['p50_cache_us'])}, not {took(row['p50_own_us'] + row['p50_upstream_us'])}."


DIAGNOSIS = Diagnosis("slow_upstream", "Slow upstreams", judge)
