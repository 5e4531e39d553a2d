"""How names fare at a glance, and how they fared in the time before."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from contract.errors import QuestionError
from viz import data
from viz.dns.resolvers import Focus
from viz.filters import Filters
from viz.humane import duration, latency, number, share
from viz.plain import code

Row = Mapping[str, Any]
Value = Callable[[Row], float | None]
Slots = Sequence[DeltaGenerator]

# What stands in place of a change against the time before: it is being asked for, it is none, it cannot be told.
WITHOUT_SIGN = ASKED, UNCHANGED, UNKNOWN = "…", "as before", "–"


@dataclass(frozen=True)
class Figure:
    """``colour``: normal where more is better, inverse where less is, off where it is neither. ``words`` say what it means."""

    label: str
    value: Value
    told: Callable[[float | None], str]
    colour: Literal["normal", "inverse", "off"]
    words: str


def _part(name: str, whole: str = "transactions") -> Value:
    return lambda row: row[name] / row[whole] if row.get(whole) else None


def _cached(row: Row) -> float | None:
    known = row["from_cache"] + row["from_upstream"]
    return row["from_cache"] / known if known else None


def _percent(value: float | None) -> str:
    return share(value, 1)


def _count(value: float | None) -> str:
    return number(None if value is None else int(value))


FIGURES = (
    Figure(
        "Transactions", lambda row: row["transactions"], _count, "off", "Queries with their answer, or its absence."
    ),
    Figure(
        "Answered",
        _part("answered"),
        _percent,
        "normal",
        "Answered without an error, be it that the name has no record of that type.",
    ),
    Figure(
        "NXDOMAIN",
        _part("nxdomain"),
        _percent,
        "inverse",
        "Answered that there is no such name. Most are search paths.",
    ),
    Figure(
        "Wasted",
        _part("wasted_queries", "queries"),
        _percent,
        "inverse",
        "Of all queries, those for a name with a search suffix behind it that was of no use: with another ndots or a final"
        " dot they would not be sent.",
    ),
    Figure(
        "Unanswered", _part("unanswered"), _percent, "inverse", "No answer was seen, however often the client asked."
    ),
    Figure("Median", lambda row: row["p50_us"], latency, "inverse", "Half of the answers came sooner than this."),
    Figure("p95", lambda row: row["p95_us"], latency, "inverse", "One answer of twenty took longer than this."),
    Figure(
        "From cache",
        _cached,
        _percent,
        "normal",
        "Of the answers that are not of the server's own zones, where it shows.",
    ),
)


def shown(filters: Filters, focus: Focus) -> Slots:
    """The figures; in their slots ``compare`` puts them again, as the time before takes as long to ask for."""
    now = _row(filters.parameters, filters, focus)
    with st.container(key="health"):
        slots = [st.empty() for _ in FIGURES]
    for slot, figure in zip(slots, FIGURES, strict=True):
        value = figure.value(now) if now else None
        slot.metric(
            figure.label,
            figure.told(value),
            ASKED if filters.before else None,
            delta_color="off",
            delta_arrow="off",
            help=figure.words,
            border=True,
        )
    return slots


def compare(slots: Slots, filters: Filters, focus: Focus) -> None:
    """With the time of the same length before, where the lake has it."""
    if filters.before is None:
        return
    since, until = filters.before
    now = _row(filters.parameters, filters, focus)
    try:
        before, said = _row({**filters.parameters, "since": since, "until": until}, filters, focus), ""
    except QuestionError as error:
        before, said = None, f" The time before gave no answer: {code(str(error))}."
    for slot, figure in zip(slots, FIGURES, strict=True):
        value = figure.value(now) if now else None
        change = _change(figure, value, figure.value(before) if before else None)
        slot.metric(
            figure.label,
            figure.told(value),
            change,
            delta_color="off" if change in WITHOUT_SIGN else figure.colour,
            delta_arrow="off" if change in WITHOUT_SIGN else "auto",
            help=f"{figure.words} Compared with the {duration(filters.length)} before.{said}",
            border=True,
        )


def _row(parameters: Mapping[str, Any], filters: Filters, focus: Focus) -> Row | None:
    """The figures of all bars together; None where nothing was asked. A resolver call may ask several servers."""
    rows = data.rows("pages/dns_time", **{**parameters, **focus.parameters}, bar_s=filters.bar_s)
    if "server" in focus.parameters:
        return rows[0] if rows else None
    calls = data.resolver_calls({**parameters, **focus.client}, filters.bar_s)
    return {**rows[0], **calls.slice(0, 1).to_pylist()[0]} if rows else None


def _change(figure: Figure, value: float | None, before: float | None) -> str:
    """With its sign first, by which Streamlit chooses arrow and colour, if it is one."""
    if value is None or before is None:
        return UNKNOWN
    sign = "+" if value > before else "-"
    if figure.told is _percent:
        points = f"{100 * abs(value - before):.1f}"
        return f"{sign}{points} points" if float(points) else UNCHANGED
    if figure.told(value) == figure.told(before):
        return UNCHANGED
    return f"{sign}{share(abs(value - before), before)}" if before else UNKNOWN
