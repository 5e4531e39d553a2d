"""The story of one resolution: its steps, the connections that followed, and how it compares with others of that name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from analysis.clusters import clusters, name_of, span_of
from analysis.dns.explain.asked import Asked
from analysis.dns.explain.concerns import Concerns, concerns
from analysis.dns.explain.instead import Instead, asked_instead
from analysis.dns.finding import Row
from analysis.questions import TIMEOUT_S, ask, asking
from contract.resolutions import AS_IT_STANDS
from store.lake import Lake

# A name is looked for here first, as a lake of months takes long to read.
NEAR = timedelta(days=1)

# What is usual is what was so from a day before to an hour after.
BEFORE, AFTER = timedelta(days=1), timedelta(hours=1)

# Connections are looked for that long, unless the client asks for the name again.
FOLLOWED = timedelta(minutes=10)

# Patience of a step without an answer, and of its upstream; the collector gives up after as long.
PATIENCE = timedelta(seconds=10)

MOST_STEPS = 200
MOST_CONNECTIONS = 50

INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True)
class Story:
    """``again``: when the name was asked for the next time, if it was while connections were ``followed``.

    ``cut``: there are more steps or connections than are told. ``window`` is that of ``usual`` and ``concerns``, and ``whole`` if
    it holds all that the lake has. ``cluster`` is told where the lake has several.
    """

    asked: Asked
    resolution: Row
    steps: Sequence[Row]
    connections: Sequence[Row]
    again: datetime | None
    usual: Row
    window: tuple[datetime, datetime]
    whole: bool
    concerns: Concerns
    cut: bool
    followed: timedelta
    cluster: str | None


def explain(lake: Lake, asked: Asked, timeout_s: float = TIMEOUT_S) -> Story | Instead:
    """``timeout_s`` is that of every single question."""
    return _Teller(lake, asked, timeout_s, asked.cluster).tell()


@dataclass(frozen=True)
class _Teller:
    lake: Lake
    asked: Asked
    timeout_s: float
    cluster: str | None

    def tell(self) -> Story | Instead:
        span = span_of(self.lake, self.cluster, self.timeout_s)
        found = None if span is None else self._resolution(self.asked.at or span[1])
        if span is None or found is None:
            return asked_instead(self.lake, self.asked, self.timeout_s)
        cluster = self._cluster(found)
        whole = span if cluster is None else span_of(self.lake, cluster, self.timeout_s) or span
        return replace(self, cluster=cluster)._story(found, whole)

    def _story(self, found: Row, span: tuple[datetime, datetime]) -> Story:
        """``span`` is that of its cluster."""
        began = found["start_time"]
        window = max(span[0], began - BEFORE), min(span[1] + INSTANT, began + AFTER)
        steps, more_steps = self._steps(found)
        again, connections, more_connections = self._followed(found)
        names = [found["asked"], *(step["qname"] for step in steps)]
        return Story(
            asked=self.asked,
            resolution=found,
            steps=steps,
            connections=connections,
            again=again,
            usual=self._usual(found, window),
            window=window,
            whole=window == (span[0], span[1] + INSTANT),
            concerns=concerns(self.lake, found, names, self._between(*window), self.timeout_s),
            cut=more_steps or more_connections,
            followed=min(FOLLOWED, span[1] - began),
            cluster=self.cluster,
        )

    def _cluster(self, found: Row) -> str | None:
        """That of what was found, where it is one of several."""
        several = self.cluster is not None or len(clusters(self.lake, self.timeout_s)) > 1
        return name_of(found["cluster"]) if several else None

    def _between(self, since: datetime, until: datetime) -> dict[str, object]:
        return {"since": since, "until": until, "cluster": self.cluster}

    def _resolution(self, at: datetime) -> Row | None:
        for window in (self._between(at - NEAR, at + INSTANT), {"cluster": self.cluster}):
            for asked_for in (False, True):
                how = {"at": at, "asked_for": asked_for}
                client = self.asked.client.parameters
                rows = self._rows("resolution", self.asked.spellings | client | how | window)
                if rows:
                    return rows[0]
        return None

    def _steps(self, found: Row) -> tuple[Sequence[Row], bool]:
        window = self._between(found["start_time"], found["end_time"] + PATIENCE + INSTANT)
        this = {"resolution": found["resolution_id"]} | window
        with asking(self.lake, window) as answer:
            told = answer("dns/explain/steps", this, MOST_STEPS, self.timeout_s)
            patience = {"patience": int(PATIENCE.total_seconds())}
            legs = answer("dns/explain/upstream", this | patience, MOST_STEPS, self.timeout_s).table.to_pylist()
        return [_step(row, found, legs) for row in told.table.to_pylist()], told.truncated

    def _followed(self, found: Row) -> tuple[datetime | None, Sequence[Row], bool]:
        """When the name was asked for again, and the connections until then."""
        began = found["start_time"]
        window = self._between(began, began + FOLLOWED)
        who = {name: found[name] for name in ("asked", "client_ip")} | {"after": began} | window
        with asking(self.lake, window) as answer:
            rows = answer("dns/explain/again", who, 1, self.timeout_s).table.to_pylist()
            again = rows[0]["again_time"] if rows else None
            this = {"resolution": found["resolution_id"], "again": again} | window
            told = answer("dns/explain/connections", this, MOST_CONNECTIONS, self.timeout_s)
        rows = [{**row, "offset_us": _offset(row, began)} for row in told.table.to_pylist()]
        return again, rows, told.truncated

    def _usual(self, found: Row, window: tuple[datetime, datetime]) -> Row:
        when = self._between(*window) | {"duration_us": found["duration_us"]}
        return self._rows("usual", {"asked": found["asked"]} | self.asked.client.parameters | when)[0]

    def _rows(self, name: str, parameters: Mapping[str, object]) -> list[Row]:
        """The first one at most."""
        return list(ask(self.lake, f"dns/explain/{name}", parameters, 1, self.timeout_s).table.to_pylist())


def _step(row: Row, found: Row, legs: Sequence[Row]) -> Row:
    suffix = _suffix(row["qname"], found["asked"])
    began = found["start_time"]
    upstream = [{**leg, "offset_us": _offset(leg, began)} for leg in legs if leg["step"] == row["transaction_id"]]
    wasted = suffix is not None and suffix != (found["answered_suffix"] or AS_IT_STANDS)
    return {**row, "offset_us": _offset(row, began), "suffix": suffix, "wasted": wasted, "upstream": upstream}


def _suffix(qname: str | None, asked: str) -> str | None:
    """What was put behind the name that was asked for; None where the query is for another name."""
    if qname == asked:
        return AS_IT_STANDS
    return qname.removeprefix(f"{asked}.") if qname and qname.startswith(f"{asked}.") else None


def _offset(row: Row, began: datetime) -> int:
    after: timedelta = row["start_time"] - began
    return after // INSTANT
