"""Queries that the search path wastes, and the ``ndots`` or the name that saves them."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import groupby

from analysis.dns.finding import Context, Diagnosis, Finding, Row, Severity, asked_by, client_of
from analysis.dns.prediction import NDOTS, Prediction, Today, left, lost, predict
from analysis.dns.words import listed, share, took
from analysis.words import counted

# A tenth of what a workload asks, at ten queries a minute, is load that servers feel; a wait of 50 ms is one that users feel. Below
# both it is worth knowing only: the default of Kubernetes wastes something for every name outside of the cluster.
SHARE = 0.1
A_MINUTE = 10
WAIT_US = 50_000

# Names whose own fix is told; the evidence has all.
WRITTEN = 3

# Enough for the names of a hundred workloads at the question's default of names told one by one.
ROWS = 2_500

# Columns of a name that are shown as evidence.
TOLD = ("asked", "dots", "qtypes", "steps", "resolutions", "queries", "wasted_queries", "wasted_us")

POD_SPEC = {"Pod": "spec", "CronJob": "spec.jobTemplate.spec.template.spec"}


def judge(rows: Sequence[Row], context: Context) -> list[Finding]:
    workloads = [list(of_one) for _, of_one in groupby(rows, key=_workload)]
    return [_finding(names) for names in workloads if _whole(names)]


def _workload(row: Row) -> tuple[object, ...]:
    return row["client_namespace"], row["client_workload_kind"], row["client_name"]


def _whole(names: Sequence[Row]) -> bool:
    """Nothing is predicted of a workload whose last names the row limit took away."""
    return bool(sum(row["queries"] for row in names) == names[0]["workload_queries"])


def _finding(names: Sequence[Row]) -> Finding:
    prediction = predict(names)
    wasted, waited = (sum(row[figure] for row in names) for figure in ("wasted_queries", "wasted_us"))
    return Finding(
        diagnosis=DIAGNOSIS.name,
        severity=_severity(names, wasted, waited),
        subject=client_of(names[0]),
        says=_says(names, wasted, waited, prediction.measured),
        fix=" ".join(_fixes(names, prediction)),
        queries=wasted,
        waited_us=waited,
        evidence=_evidence(names, prediction),
        effect=_effect(names, prediction),
        look=asked_by(names[0]) | {"rcode": "NXDOMAIN"},
    )


def _severity(names: Sequence[Row], wasted: int, waited_us: int) -> Severity:
    seen = max(row["last_seen"] for row in names) - min(row["first_seen"] for row in names)
    minutes = max(seen / timedelta(minutes=1), 1)
    loads = wasted >= SHARE * names[0]["workload_queries"] and wasted >= A_MINUTE * minutes
    return Severity.WARNING if loads or waited_us >= WAIT_US * _wasteful(names) else Severity.INFO


def _says(names: Sequence[Row], wasted: int, waited_us: int, measured: int) -> str:
    told = [f"{row['asked']} ({row['wasted_queries']:,})" for row in names if row["asked"] and row["wasted_queries"]]
    return (
        f"{wasted:,} of its {measured:,} queries ({share(wasted, measured)}) asked for names with a suffix of the search path that"
        f" does not have them: {listed(told) or 'many names'}. They took {took(waited_us / _wasteful(names))} of each of"
        f" {counted(_wasteful(names), 'call')}."
    )


def _wasteful(names: Sequence[Row]) -> int:
    return sum(row["wasteful"] for row in names) or 1


def _fixes(names: Sequence[Row], prediction: Prediction) -> list[str]:
    if prediction.best is None:
        return [*_written(names, None), _no_ndots(names, prediction)]
    return [
        _option(names[0], prediction.best),
        _today(prediction.today),
        *_warnings(prediction.best, prediction.today),
        *_written(names, prediction.best),
    ]


def _option(row: Row, ndots: int) -> str:
    kind = row["client_workload_kind"]
    if kind is None or kind == "Node":
        return f"Write `options ndots:{ndots}` into its /etc/resolv.conf."
    where = POD_SPEC.get(kind, "spec.template.spec")
    option = f'dnsConfig: {{options: [{{name: ndots, value: "{ndots}"}}]}}'
    return f"Put `{option}` under {where} of {kind} {client_of(row)}."


def _today(today: Today) -> str:
    if today.differs:
        return "Its pods or programs have no common ndots today."
    if today.least == today.most:
        return f"Today it is {today.least}."
    return f"Today it is {today.likely}, as far as can be told: {today.least} to {today.most} would look the same."


def _warnings(ndots: int, today: Today) -> list[str]:
    """What would leave the cluster, or break, that did not come up in this time."""
    if ndots >= today.likely:
        return []
    example = {1: "SERVICE.NAMESPACE", 2: "SERVICE.NAMESPACE.svc"}.get(
        ndots, "a name of so many dots within the cluster"
    )
    return [
        f"Names of {counted(ndots, 'dot')} and more are then asked for as they stand first: {example}, if ever written so,"
        " would leave the cluster before it is searched for, and with musl (Alpine) would not be found."
    ]


def _written(names: Sequence[Row], ndots: int | None) -> list[str]:
    """Names that no such ``ndots`` helps, as a program should have them."""
    also = "Write" if ndots is None else "Also write"
    pairs = ", ".join(f"{full(row)} for {row['asked']}" for row in _to_write(names, ndots))
    return [f"{also} {pairs}: with its last dot a name is never searched for."] if pairs else []


def _to_write(names: Sequence[Row], ndots: int | None) -> list[Row]:
    wasting = [row for row in names if row["asked"] and left(row, ndots)]
    return sorted(wasting, key=lambda row: -left(row, ndots))[:WRITTEN]


def full(row: Row) -> str:
    """The name as no resolver searches for it; where it was found both ways, by the one that was more often."""
    by_search = row["search_suffix"] is not None and 2 * row["found_by_search"] >= row["resolutions"]
    return f"{row['asked']}.{row['search_suffix']}." if by_search else f"{row['asked']}."


def _no_ndots(names: Sequence[Row], prediction: Prediction) -> str:
    """Why: names would be lost, or none of them is found as it stands."""
    fewest = min(prediction.queries, key=lambda ndots: (prediction.queries[ndots], -ndots))
    saved = prediction.measured - prediction.queries[fewest]
    if saved > 0:
        kept = [str(row["asked"]) for row in lost(names, fewest) if row["asked"]]
        return (
            f"ndots:{fewest} would save {saved:,} queries, but send {listed(kept) or 'names of the cluster'} out of the"
            " cluster first, and with musl (Alpine) not find them."
        )
    dearer = prediction.queries[NDOTS[0]] - prediction.measured
    if dearer > 0:
        return f"No ndots helps: ndots:{NDOTS[0]} would cost {dearer:,} queries more, which leave the cluster."
    return "No ndots helps: for a name that no step answers, glibc and Go take every step in either order."


def _effect(names: Sequence[Row], prediction: Prediction) -> str | None:
    by_name = sum(left(row, prediction.best) for row in _to_write(names, prediction.best))
    told = [] if prediction.best is None else [_by_ndots(prediction)]
    if by_name:
        told.append(f"The names written out remove {by_name:,} ({share(by_name, prediction.measured)}).")
    return " ".join(told) or None


def _by_ndots(prediction: Prediction) -> str:
    waited = ""
    if prediction.calls:
        each = took(prediction.saved_us / prediction.calls)
        waited = f", and {each} of each of {counted(prediction.calls, 'call')}"
    return (
        f"ndots:{prediction.best} removes {prediction.saved:,} of {prediction.measured:,} queries"
        f" ({share(prediction.saved, prediction.measured)}){waited}."
    )


def _evidence(names: Sequence[Row], prediction: Prediction) -> Row:
    return {
        "client_namespace": names[0]["client_namespace"],
        "client_workload_kind": names[0]["client_workload_kind"],
        "client_name": names[0]["client_name"],
        "queries": prediction.measured,
        "ndots_today": [prediction.today.least, prediction.today.most],
        "ndots": prediction.best,
        "queries_by_ndots": {str(ndots): queries for ndots, queries in prediction.queries.items()},
        "names": [
            {name: row[name] for name in TOLD} | {"write": full(row), "left": left(row, prediction.best)}
            for row in names
            if row["asked"]
        ],
    }


DIAGNOSIS = Diagnosis("search_path", "Queries that the search path wastes", judge, rows=ROWS)
