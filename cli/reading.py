"""What the reading verbs have in common: ask, write the answer, say what is missing from it."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cli.output import Format, say, write, writer_of
from cli.times import parse_time, rfc3339
from contract.errors import QuestionError, UsageError

if TYPE_CHECKING:
    import pyarrow as pa

    from analysis.dns.examination import Report
    from analysis.running import Answer
    from store.lake import Lake

POLL_S = 1.0
TIMEOUT_S = 60.0


@dataclass(frozen=True)
class Asked:
    """A named question as a verb asks it; ``shown`` makes its rows fit for people."""

    name: str
    parameters: Mapping[str, object] = field(default_factory=dict)
    limit: int = 1000
    timeout_s: float = TIMEOUT_S
    shown: Callable[["pa.Table"], "pa.Table"] = lambda rows: rows


def window(since: str | None, until: str | None, cluster: str | None = None) -> dict[str, Any]:
    """The parameters of every question that were given."""
    now = datetime.now(UTC)
    ends = {"since": parse_time("--since", since, now), "until": parse_time("--until", until, now)}
    return {name: value for name, value in {**ends, "cluster": cluster}.items() if value is not None}


def place(folder: str, chosen: Mapping[str, object]) -> dict[str, object]:
    """Options that lead to the rows of a window."""
    told = {name: rfc3339(value) if isinstance(value, datetime) else value for name, value in chosen.items()}
    return {"lake": folder, **told}


def open_lake(folder: str, cluster: object = None) -> "Lake":
    """A cluster that the lake does not have is refused, with those that it has."""
    from analysis.clusters import clusters
    from store.lake import Lake

    lake = Lake.open(folder)
    there = clusters(lake) if cluster is not None else []
    if there and cluster not in there:
        raise UsageError(f"--cluster: the lake has no {cluster!r}; {_clusters_there(there)}")
    return lake


def _clusters_there(names: Sequence[str]) -> str:
    from store.views import UNTOLD

    if names == [UNTOLD]:
        return "its captures were ingested without a cluster; leave --cluster out"
    return f"it has {', '.join(f'{name!r} (not told)' if name == UNTOLD else repr(name) for name in names)}"


def read(folder: str, asked: Asked, form: Format) -> bool:
    """Answer once: False where there is nothing to answer."""
    lake = open_lake(folder, asked.parameters.get("cluster"))
    answer = _answer(lake, asked)
    write(_formed(answer.table, asked, form), form)
    tell(lake, answer, asked.limit, asked.parameters.get("cluster"))
    return bool(answer.table.num_rows)


def follow(folder: str, asked: Asked, form: Format) -> None:
    """Answer with what is there, oldest first, then with what is appended, until interrupted."""
    lake = open_lake(folder, asked.parameters.get("cluster"))
    versions = lake.versions()
    writer = writer_of(form, endless=True)
    news = _answer(lake, asked).table
    while True:
        if news.num_rows:
            writer.write(_formed(news.sort_by("start_time"), asked, form))
        time.sleep(POLL_S)
        seen, versions = versions, lake.versions()
        news = _answer(lake.after(seen), asked).table if versions != seen else news.slice(0, 0)


def tell(lake: "Lake", answer: "Answer", limit: int | None, cluster: object = None) -> None:
    """Say on stderr what the rows do not."""
    if answer.truncated:
        say(f"the first {limit} rows; --limit gives more")
    if answer.table.num_rows == 0:
        say(nothing(lake, cluster))


def tell_judged(lake: "Lake", report: "Report", asked: Mapping[str, object], timeout_s: float) -> None:
    """How much a report stands on; where nothing was asked for, who may have been meant."""
    from analysis.dns.judged import judged

    try:
        found = judged(lake, asked, timeout_s)
    except QuestionError as error:
        say(f"how much was judged is not known: {error}")
        return
    if found:
        say(f"judged {found}")
    elif not report.findings:
        say(nothing(lake, asked.get("cluster")))
        tell_meant(lake, asked, timeout_s)


def tell_meant(lake: "Lake", asked: Mapping[str, object], timeout_s: float, only_clients: bool = True) -> None:
    """Nothing, where that takes too long: the answer does not hang on it."""
    from analysis.dns.meant import meant

    with suppress(QuestionError):
        words = meant(lake, asked, only_clients, timeout_s) if lake.span() else None
        if words:
            say(words)


def nothing(lake: "Lake", cluster: object = None) -> str:
    from analysis.clusters import span_of, words

    named = None if cluster is None else str(cluster)
    span = span_of(lake, named)
    if span is None:
        return "nothing matched: the lake is empty"
    whose = "" if named is None else f" ({words(named)})"
    return f"nothing matched; the lake has records from {rfc3339(span[0])} to {rfc3339(span[1])}{whose}"


def unrooted(name: str | None) -> str | None:
    """As the lake writes it, without the last dot; the root keeps its own."""
    return name and (name.removesuffix(".") or name)


def _answer(lake: "Lake", asked: Asked) -> "Answer":
    from analysis.questions import ask

    return ask(lake, asked.name, asked.parameters, asked.limit, asked.timeout_s)


def _formed(rows: "pa.Table", asked: Asked, form: Format) -> "pa.Table":
    return asked.shown(rows) if form is Format.TABLE else rows
