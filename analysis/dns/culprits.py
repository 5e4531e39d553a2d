"""Whose fault it is that something is lost: what sets those that lose apart from those that do not.

Rows are figures of groups (``transactions``, ``lost``, the dimensions, and ``TOLD_BESIDE``). A value of a dimension is
suspected by how unlikely it is that what is in it loses so much more than the rest (the likelihood ratio of two
shares). The likeliest takes its rows with it; then the rest is looked at anew, so that two faults at once are told
apart.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import log

from analysis.dns.finding import Row

# Among values that explain the same rows, the first is named.
DIMENSIONS = ("zone", "server", "zone_at_server", "client", "client_node")

# What was asked for a zone is told beside what it lost; all else is asked in rows of its own.
TOLD_BESIDE = {"zone": "zone_transactions", "zone_at_server": "zone_server_transactions"}

# Twice the logarithm of the likelihood ratio; chance alone is above 15 once in ten thousand suspects.
LEAST_EVIDENCE = 15.0
# A suspect loses so many times the share of the others: less is told of everybody.
LEAST_FACTOR = 5.0
# Any network loses a packet now and then; a thousandth of all queries is felt by nobody.
USUAL_SHARE = 0.001
# So few that have nothing in common are chance.
LEAST_SHARED = 10
# Faults told apart; what is left is told as one.
MOST = 20


@dataclass(frozen=True)
class Tally:
    transactions: int
    lost: int

    @property
    def share(self) -> float:
        return self.lost / self.transactions if self.transactions else 0.0

    def less(self, other: "Tally") -> "Tally":
        """Of a zone all transactions are known, though some may have gone with a culprit that was found before."""
        lost = self.lost - other.lost
        return Tally(max(self.transactions - other.transactions, lost), lost)


@dataclass(frozen=True)
class Culprit:
    """``dimension`` is None where nothing is set apart; ``same`` are values of other dimensions that have the very same rows."""

    dimension: str | None
    value: str | None
    rows: Sequence[Row]
    tally: Tally
    others: Tally
    same: Sequence[tuple[str, str]] = ()


def culprits(rows: Sequence[Row], least: int) -> list[Culprit]:
    """Those that lost at least ``least`` transactions, the likeliest first."""
    found: list[Culprit] = []
    remaining = list(rows)
    while tally(remaining).lost >= least and len(found) < MOST:
        suspect = _likeliest(remaining, least)
        if suspect is None:
            return [*found, *_everybody(remaining)]
        found.append(suspect)
        remaining = [row for row in remaining if row[suspect.dimension or ""] != suspect.value]
    return found


def tally(rows: Iterable[Row]) -> Tally:
    transactions = lost = 0
    for row in rows:
        transactions += row["transactions"]
        lost += row["lost"]
    return Tally(transactions, lost)


def _likeliest(rows: Sequence[Row], least: int) -> Culprit | None:
    whole = tally(rows)
    suspects = []
    for place, dimension in enumerate(DIMENSIONS):
        for value, inside in _tallies(rows, dimension).items():
            outside = whole.less(inside)
            if inside.lost >= least and inside.share >= max(USUAL_SHARE, LEAST_FACTOR * outside.share):
                suspects.append((-round(_evidence(inside, outside), 6), place, value, dimension, inside, outside))
    if not suspects or -min(suspects)[0] < LEAST_EVIDENCE:
        return None
    evidence, _, value, dimension, inside, outside = min(suspects)
    same = [(other[3], other[2]) for other in suspects if other[0] == evidence and other[3] != dimension]
    own = [row for row in rows if row[dimension] == value]
    return Culprit(dimension, value, own, inside, outside, same)


def _everybody(rows: Sequence[Row]) -> list[Culprit]:
    whole = tally(rows)
    told = whole.lost >= LEAST_SHARED and whole.share >= USUAL_SHARE
    return [Culprit(None, None, rows, whole, Tally(0, 0))] if told else []


def _tallies(rows: Sequence[Row], dimension: str) -> dict[str, Tally]:
    """Of each value; NULL is nobody, so it is no suspect."""
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row[dimension] is not None:
            groups[row[dimension]].append(row)
    return {value: _tallied(dimension, own) for value, own in groups.items()}


def _tallied(dimension: str, rows: Sequence[Row]) -> Tally:
    seen = tally(rows)
    return Tally(max(rows[0][TOLD_BESIDE[dimension]], seen.lost), seen.lost) if dimension in TOLD_BESIDE else seen


def _evidence(inside: Tally, outside: Tally) -> float:
    together = Tally(inside.transactions + outside.transactions, inside.lost + outside.lost)
    return 2 * (_likelihood(inside) + _likelihood(outside) - _likelihood(together))


def _likelihood(seen: Tally) -> float:
    """Logarithm of the greatest probability that a constant share of loss gives to what was seen."""
    parts = (seen.lost, seen.transactions - seen.lost)
    return sum(part * log(part / seen.transactions) for part in parts if part)
