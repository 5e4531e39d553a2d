"""What the reading verbs have in common: ask, write the answer, say what is missing from it."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cli.output import Format, say, write, writer_of
from cli.times import parse_time, rfc3339

if TYPE_CHECKING:
    import pyarrow as pa

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


def window(since: str | None, until: str | None) -> dict[str, datetime]:
    now = datetime.now(UTC)
    ends = {"since": parse_time("--since", since, now), "until": parse_time("--until", until, now)}
    return {name: end for name, end in ends.items() if end is not None}


def read(folder: str, asked: Asked, form: Format) -> None:
    """Answer once."""
    lake = _opened(folder)
    answer = _answer(lake, asked)
    write(_formed(answer.table, asked, form), form)
    tell(lake, answer, asked.limit)


def follow(folder: str, asked: Asked, form: Format) -> None:
    """Answer with what is there, oldest first, then with what is appended, until interrupted."""
    lake = _opened(folder)
    versions = lake.versions()
    writer = writer_of(form, endless=True)
    news = _answer(lake, asked).table
    while True:
        if news.num_rows:
            writer.write(_formed(news.sort_by("start_time"), asked, form))
        time.sleep(POLL_S)
        seen, versions = versions, lake.versions()
        news = _answer(lake.after(seen), asked).table if versions != seen else news.slice(0, 0)


def tell(lake: "Lake", answer: "Answer", limit: int | None) -> None:
    """Say on stderr what the rows do not."""
    if answer.truncated:
        say(f"the first {limit} rows; --limit gives more")
    if answer.table.num_rows == 0:
        say(nothing(lake))


def nothing(lake: "Lake") -> str:
    span = lake.span()
    if span is None:
        return "nothing matched: the lake is empty"
    return f"nothing matched; the lake has records from {rfc3339(span[0])} to {rfc3339(span[1])}"


def unrooted(name: str | None) -> str | None:
    """As the lake writes it, without the last dot; the root keeps its own."""
    return name and (name.removesuffix(".") or name)


def _opened(folder: str) -> "Lake":
    from store.lake import Lake

    return Lake.open(folder)


def _answer(lake: "Lake", asked: Asked) -> "Answer":
    from analysis.questions import ask

    return ask(lake, asked.name, asked.parameters, asked.limit, asked.timeout_s)


def _formed(rows: "pa.Table", asked: Asked, form: Format) -> "pa.Table":
    return asked.shown(rows) if form is Format.TABLE else rows
