"""Zones that fail with an error, and which upstream lets them down."""

from collections.abc import Sequence
from itertools import groupby, takewhile

from analysis.dns.extended_errors import purpose
from analysis.dns.finding import Context, Diagnosis, Finding, Row, Severity
from analysis.dns.words import share, took
from analysis.words import counted

# A zone that fails less often is asked again by its resolver, and answers: nobody sees it.
LEAST_SHARE = 0.01
# From here callers see it: both of two tries fail once in a hundred calls.
CRITICAL_SHARE = 0.1
# At least three calls, of up to four transactions: fewer fail by chance somewhere in a large cluster.
CRITICAL_FAILURES = 10

RCODES = ("servfail", "refused", "notimp", "formerr")
FIXES = {
    "silent": "{upstream} does not answer: see that it lives and that UDP and TCP 53 reach it from the DNS pods, or "
    "forward {zone} elsewhere (CoreDNS: the `forward` line of the server block for {zone}).",
    "refusing": "{upstream} refuses: allow recursion there for the addresses that the DNS pods ask from, or forward "
    "{zone} to a server that has it.",
    "failing": "{upstream} fails itself: look there at the delegation of {zone}, its name servers, and DNSSEC.",
    "well": "{upstream} answers, the cluster's own server fails: look at its log for {zone}.",
    None: "No query to an upstream was seen: look at the log and the configuration of {server} for {zone}.",
}
STATES = {
    "silent": "never answered {upstream_unanswered:,} of {upstream_transactions:,} queries",
    "refusing": "refused {upstream_refused:,} of {upstream_transactions:,} queries",
    "failing": "answered {upstream_failed:,} of {upstream_transactions:,} queries with an error itself",
    "well": "answered all of {upstream_transactions:,} queries",
}


def judge(rows: Sequence[Row], context: Context) -> list[Finding]:
    zones = [list(own) for _, own in groupby(rows, key=lambda row: row["zone"])]
    return [_finding(own) for own in zones if own[0]["failures"] >= LEAST_SHARE * own[0]["transactions"]]


def _finding(rows: Sequence[Row]) -> Finding:
    worst = max(rows, key=lambda row: _failing_share(row, "unanswered", "refused", "failed"))
    zone = _zone(worst)
    state = _state(worst)
    told = {**worst, "zone": zone}
    seen = f" The upstream {told['upstream']} {STATES[state].format_map(told)}." if state else ""
    return Finding(
        diagnosis=DIAGNOSIS.name,
        severity=_severity(worst),
        subject=zone,
        says=f"{_failures(told)}{_reason(told)}{seen}",
        fix=FIXES[state].format_map(told),
        queries=told["queries"],
        waited_us=told["waited_us"],
        evidence=told,
        effect=f"{counted(told['failures'], 'query', 'queries')} no longer fail, after {took(told['longest_us'] or 0)} at worst.",
        look={"domain": f"*{zone}", "rcode": max(RCODES, key=lambda rcode: told[rcode]).upper()},
    )


def _zone(row: Row) -> str:
    """The registered domain where all of it fails; else the end that the failing names share."""
    if row["registered_domain"] and row["failures"] == row["transactions"]:
        return str(row["registered_domain"])
    return common_suffix(row["first_from_end"], row["last_from_end"]) or str(row["zone"])


def common_suffix(first: str, last: str) -> str:
    """The labels at the end of both names."""
    pairs = zip(reversed(first.split(".")), reversed(last.split(".")), strict=False)
    return ".".join(reversed([label for label, _ in takewhile(lambda pair: pair[0] == pair[1], pairs)]))


def _severity(row: Row) -> Severity:
    """A type that a server does not know hurts no caller as long as addresses are found."""
    felt = row["address_failures"] >= CRITICAL_FAILURES and row["failures"] >= CRITICAL_SHARE * row["transactions"]
    return Severity.CRITICAL if felt else Severity.WARNING


def _state(row: Row) -> str | None:
    if not row["upstream"]:
        return None
    if _failing_share(row, "unanswered", "refused", "failed") < LEAST_SHARE:
        return "well"
    kinds = {"silent": "unanswered", "refusing": "refused", "failing": "failed"}
    return max(kinds, key=lambda kind: _failing_share(row, kinds[kind]))


def _failing_share(row: Row, *kinds: str) -> float:
    if not row["upstream"]:
        return 0.0
    return float(sum(row[f"upstream_{kind}"] for kind in kinds) / row["upstream_transactions"])


def _failures(row: Row) -> str:
    codes = ", ".join(f"{row[rcode]:,} {rcode.upper()}" for rcode in RCODES if row[rcode])
    names = f"{counted(row['names'], 'name')} like {row['example']}" if row["names"] > 1 else row["example"]
    clients = row["client"] if row["clients"] == 1 else f"{row['clients']:,} clients, {row['client']} among them"
    return (
        f"{row['failures']:,} of {counted(row['transactions'], 'transaction')} ({share(row['failures'], row['transactions'])}) "
        f"failed ({codes or 'other errors'}) for {names}, asked by {clients}."
    )


def _reason(row: Row) -> str:
    codes = [code for code in (row["edns_error"], row["upstream_edns_error"]) if code is not None]
    return f" The reason given: {purpose(codes[0])}." if codes else ""


DIAGNOSIS = Diagnosis("servfail", "Zones that fail", judge)
