"""Where a client never asked for a name: what it asked for instead, and who did ask for it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from difflib import get_close_matches

from analysis.clusters import clusters, name_of, span_of
from analysis.dns.explain.asked import Asked, Client
from analysis.dns.finding import Row, client_of
from analysis.dns.meant import nearest
from analysis.questions import ask, asking
from store.lake import Lake

# Names that are compared with the one that was not found: those that are asked for most.
MOST_COMPARED = 2000
SHOWN = 5

# Names of one suffix alone are more alike than the six tenths that difflib asks for.
ALIKE = 0.75


@dataclass(frozen=True)
class Instead:
    """``names``: what the client asked for, the nearest first; ``clients``: who asked for the name.

    ``elsewhere``: names like it that others asked for, where nobody asked for this one; ``known``: the client asked for any name;
    ``like``: clients that are spelt almost so, where it did not. ``span`` is that of the lake, or of the cluster of ``asked``:
    the one that was named, or the only one with the client. ``several``: the rows are of several clusters.
    """

    asked: Asked
    known: bool
    names: Sequence[Row]
    clients: Sequence[Row]
    elsewhere: Sequence[Row]
    like: Sequence[Row]
    span: tuple[datetime, datetime] | None
    several: bool


def asked_instead(lake: Lake, asked: Asked, timeout_s: float) -> Instead:
    asked, several = _placed(lake, asked, timeout_s)
    name = str(asked.spellings["name"])
    with asking(lake, {"cluster": asked.cluster}) as answer:

        def rows(question: str, parameters: Mapping[str, object], limit: int = MOST_COMPARED) -> list[Row]:
            return list(answer(f"dns/explain/{question}", parameters, limit, timeout_s).table.to_pylist())

        names = rows("names", asked.client.parameters)
        clients = rows("clients", asked.spellings, SHOWN)
        all_names = [] if clients else rows("names", Client().parameters)
        all_clients = [] if names else rows("clients", {})
    return Instead(
        asked=asked,
        known=bool(names),
        names=_near(name, names, "asked") or names[:SHOWN],
        clients=clients,
        elsewhere=_elsewhere(name, all_names, names),
        like=_like(asked.client, all_clients),
        span=span_of(lake, asked.cluster, timeout_s),
        several=several,
    )


def _placed(lake: Lake, asked: Asked, timeout_s: float) -> tuple[Asked, bool]:
    """In the only cluster that has the client; whether it may be any of several."""
    if asked.cluster is not None or len(clusters(lake, timeout_s)) < 2:
        return asked, False
    rows = ask(lake, "dns/explain/of_client", asked.client.parameters, 2, timeout_s).table.to_pylist()
    if len(rows) != 1:
        return asked, True
    return replace(asked, cluster=name_of(rows[0]["cluster"])), False


def _elsewhere(name: str, all_names: Iterable[Row], own: Iterable[Row]) -> list[Row]:
    known = {row["asked"] for row in own}
    return _near(name, [row for row in all_names if row["asked"] not in known], "asked")


def _like(client: Client, clients: Iterable[Row]) -> list[Row]:
    told = _by([{**row, "client": client_of(row)} for row in clients], "client")
    return [row for name in nearest(str(client), told, SHOWN) or told for row in told[name]][:SHOWN]


def _near(name: str, rows: Sequence[Row], column: str) -> list[Row]:
    """Those that hold the name or are part of it, then those that are spelt almost so."""
    by_name = _by(rows, column)
    parts = [other for other in by_name if f".{name}." in f".{other}." or f".{other}." in f".{name}."]
    like = get_close_matches(name, by_name, SHOWN, ALIKE)
    return [row for other in dict.fromkeys([*like, *parts]) for row in by_name[other]][:SHOWN]


def _by(rows: Iterable[Row], column: str) -> dict[str, list[Row]]:
    """One may be of several clusters."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(str(row[column]), []).append(row)
    return found
