"""How many queries the names of a workload would take under another ``ndots`` (resolv.conf(5)).

A name of so many dots is asked for as it stands first, one of fewer is first searched for: with each suffix behind it. What
glibc and Go do with what comes back is simulated, as far as it was seen what each step brings:

- They go on to the next step after NXDOMAIN, after an answer without data and after SERVFAIL, and end with the name as it stands
  if that had not come first. A name that no step answers thus takes all steps in either order, and no ndots helps it.
- musl (Alpine) does not search for a name of so many dots at all: what only the search path answers is not found any more. So
  an ndots that would do this to a name is not recommended, whatever it saves.
- A and AAAA are asked for together, so that a step costs as many queries as types were asked for.
- A name found through the search path was never asked for as it stands: it is taken not to exist there.
- A name of the client's own namespace that is found at once may have been written shorter (``redis-0.redis``):
  the queries look the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from analysis.dns.finding import Row

# What resolv.conf(5) takes; more is cut to 15. Of 0, by which single labels would go upstream, nothing good comes.
NDOTS = range(1, 16)
BY_KUBELET = 5
SUFFIXES_OF_A_POD = 3


@dataclass(frozen=True)
class Today:
    """The ``ndots`` that what was seen allows; ``most`` is the smaller one where the pods, or their programs, differ."""

    least: int
    most: int

    @property
    def differs(self) -> bool:
        return self.least > self.most

    @property
    def likely(self) -> int:
        """What kubelet writes into a pod that does not say otherwise, if it can be."""
        return max(self.least, BY_KUBELET if self.differs else min(BY_KUBELET, self.most))


@dataclass(frozen=True)
class Prediction:
    """``best`` is None where no ``ndots`` saves a query; ``calls`` are those that it makes shorter."""

    today: Today
    measured: int
    queries: Mapping[int, int]
    best: int | None
    saved: int
    saved_us: int
    calls: int


def predict(rows: Sequence[Row]) -> Prediction:
    """Of all names of one workload: the rows of question ``dns/search_path``."""
    today = seen_today(rows)
    measured = sum(row["queries"] for row in rows)
    queries = {ndots: measured + sum(change(row, ndots, today, suffixes(rows)) for row in rows) for ndots in NDOTS}
    best = best_of(queries, [ndots for ndots in NDOTS if not lost(rows, ndots)], today)
    saved = 0 if best is None else measured - queries[best]
    if best is None or saved <= 0:
        return Prediction(today, measured, queries, None, 0, 0, 0)
    helped = [row for row in rows if row["dots"] >= best]
    waited, calls = (sum(row[name] for row in helped) for name in ("late_us", "found_late"))
    return Prediction(today, measured, queries, best, saved, waited, calls)


def seen_today(rows: Sequence[Row]) -> Today:
    """A name that was searched for first has too few dots; one that was searched for after it had failed has enough."""
    return Today(
        least=max((row["dots"] + 1 for row in rows if row["searched_first"]), default=NDOTS[0]),
        most=min((row["dots"] for row in rows if row["searched_last"]), default=NDOTS[-1]),
    )


def suffixes(rows: Sequence[Row]) -> int:
    """How long the search path is; never shorter than that of a pod, as names found at once do not show its end."""
    return max(SUFFIXES_OF_A_POD, *(int(row["steps"]) - 1 for row in rows))


def change(row: Row, ndots: int, today: Today, path: int) -> int:
    """In queries, for the calls whose first step would be another one."""
    if row["dots"] >= ndots:
        return int(row["search_step"] - row["late_queries"])
    # Asked for as it stands though it has too few dots: its final dot was written, or it was found by the first suffix.
    absolute = row["dots"] < today.likely or row["short_dots"] is not None
    return int((0 if absolute else path * row["bare_step"]) - row["vain_queries"])


def left(row: Row, ndots: int | None) -> int:
    """Queries that are still wasted on a name under another ``ndots``, or under that of today."""
    if ndots is None:
        return int(row["wasted_queries"])
    return int(row["wasted_queries"] - (row["late_queries"] if row["dots"] >= ndots else row["vain_queries"]))


def lost(rows: Sequence[Row], ndots: int) -> list[Row]:
    """Names found by search now that would be asked for as they stand first: dearer with glibc and Go, not found with musl."""
    return [row for row in rows if (row["search_step"] and row["dots"] >= ndots) or (row["short_dots"] or 0) >= ndots]


def best_of(queries: Mapping[int, int], safe: Sequence[int], today: Today) -> int | None:
    """The fewest queries; of equals the one nearest to what is there now, which changes least."""
    return min(safe, key=lambda ndots: (queries[ndots], abs(ndots - today.likely), -ndots), default=None)
