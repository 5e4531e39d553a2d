"""The charts over time. Their colours say the same on every page: red failed, amber is on the way there."""

from collections.abc import Mapping
from typing import Any

import altair as alt
import pyarrow as pa
import pyarrow.compute as pc
import streamlit as st

HEIGHT = 210
FAILED = "#dc4a5a"
DIRECTIONS = {"inside": "#14958a", "outbound": "#6d72e8", "inbound": "#e0a030", "unknown": "#93a1a6"}
STATES = {"connections": "#93a1a6", "failed": FAILED}
ENDINGS = {"answered": "#14958a", "NXDOMAIN": "#e0a030", "error": "#a35bd6", "unanswered": FAILED}
LATENCIES = {"p50_us": "#14958a", "p95_us": "#e0a030", "p99_us": FAILED}

# Opacities from little to much: they say the same on light and on dark paper.
HEAT = (0.08, 1.0)
HEAT_ROW = 24
NAMES_AXIS = alt.Axis(labelLimit=220, ticks=False, domain=False, labelPadding=8)

# The longest bar whose time of day is told to the second, and to the minute; beyond, the date is told.
SECONDS_BAR_S = 2
MINUTES_BAR_S = 1800


def bars(table: pa.Table, bar_s: int, value: str, kinds: tuple[str, Mapping[str, str]], unit: str = "") -> None:
    """Stacked bars; ``kinds`` is the column that splits a bar, and the colour of each of its values, from the bottom."""
    column, colours = kinds
    ranks = pc.index_in(table[column], value_set=pa.array(list(colours)))
    present = {kind: colours[kind] for kind in colours if kind in set(table[column].to_pylist())}
    _legend(present)
    chart = (
        alt.Chart(_timed(table, bar_s).append_column("rank", ranks))
        .transform_stack(stack=value, as_=["low", "high"], groupby=["time"], sort=[alt.SortField("rank")])
        .mark_rect()
        .encode(
            x=_time_axis(bar_s),
            x2="until",
            y=alt.Y("low:Q", title=None, axis=_axis(unit)),
            y2="high",
            color=alt.Color(f"{column}:N", legend=None, scale=_scale(present)),
            tooltip=[_when(), alt.Tooltip(f"{column}:N", title="what"), _number(value, unit)],
        )
    )
    _draw(chart)


def failures(table: pa.Table, bar_s: int) -> None:
    """Connections, and before them in red those that failed."""
    _legend({"all": STATES["connections"], "failed": FAILED})
    base = alt.Chart(_timed(table, bar_s)).transform_aggregate(
        connections="sum(connections)", failed="sum(failed)", zero="min(0)", groupby=["time", "until"]
    )
    layers = [
        base.mark_rect(color=colour).encode(
            x=_time_axis(bar_s),
            x2="until",
            y=alt.Y(f"{name}:Q", title=None, axis=_axis("")),
            y2=alt.datum(0),
            tooltip=[_when(), _number("connections"), _number("failed")],
        )
        for name, colour in STATES.items()
    ]
    _draw(alt.layer(*layers))


def latencies(table: pa.Table, bar_s: int) -> None:
    colours = {name.removesuffix("_us"): colour for name, colour in LATENCIES.items()}
    _legend({"median": colours["p50"], "p95": colours["p95"], "p99": colours["p99"]})
    chart = (
        alt.Chart(_timed(table, bar_s))
        .transform_fold(list(LATENCIES), as_=["percentile", "latency_us"])
        .transform_calculate(seconds="datum.latency_us / 1e6", label="slice(datum.percentile, 0, 3)")
        .mark_line(strokeWidth=1.8, point=alt.OverlayMarkDef(size=12))
        .encode(
            x=_time_axis(bar_s),
            y=alt.Y("seconds:Q", title=None, axis=_axis("s"), scale=alt.Scale(type="log", nice=True)),
            color=alt.Color("label:N", legend=None, scale=_scale(colours)),
            tooltip=[_when(), alt.Tooltip("label:N", title="percentile"), _number("seconds", "s")],
        )
    )
    _draw(chart)


def heat(table: pa.Table, bar_s: int, row: str, value: str, unit: str = "") -> None:
    """One line for each ``row``, in the order of the table; the stronger, the more of ``value``."""
    rows = list(dict.fromkeys(table[row].to_pylist()))
    chart = (
        alt.Chart(_timed(table, bar_s).filter(pc.greater(table[value], 0)))
        .mark_rect(cornerRadius=2, color=FAILED)
        .encode(
            x=_time_axis(bar_s),
            x2="until",
            y=alt.Y(
                f"{row}:N", title=None, sort=rows, scale=alt.Scale(domain=rows, paddingInner=0.15), axis=NAMES_AXIS
            ),
            opacity=alt.Opacity(f"{value}:Q", legend=None, scale=alt.Scale(type="sqrt", range=list(HEAT))),
            tooltip=[_when(), alt.Tooltip(f"{row}:N", title="who"), _number(value, unit), _number("calls")],
        )
    )
    _draw(chart, 60 + HEAT_ROW * len(rows))


def _legend(colours: Mapping[str, str]) -> None:
    """Words and colours of this file only."""
    entries = "".join(f'<span><i style="background:{colour}"></i>{name}</span>' for name, colour in colours.items())
    st.html(f'<div class="tailrace-legend">{entries}</div>')


def _scale(colours: Mapping[str, str]) -> alt.Scale:
    return alt.Scale(domain=list(colours), range=list(colours.values()))


def _timed(table: pa.Table, bar_s: int) -> pa.Table:
    """``time`` and ``until`` of each bar instead of its number of seconds."""
    millisecond = pa.timestamp("ms", tz="UTC")
    time = pc.multiply(table["bar"], 1000).cast(millisecond)
    until = pc.multiply(pc.add(table["bar"], bar_s), 1000).cast(millisecond)
    return table.drop_columns(["bar"]).append_column("time", time).append_column("until", until)


def _time_axis(bar_s: int) -> alt.X:
    told = "%H:%M:%S" if bar_s <= SECONDS_BAR_S else "%H:%M" if bar_s <= MINUTES_BAR_S else "%d %b"
    axis = alt.Axis(grid=False, labelOverlap=True, tickCount=6, format=told)
    return alt.X("time:T", title=None, scale=alt.Scale(type="utc"), axis=axis)


def _axis(unit: str) -> alt.Axis:
    return alt.Axis(labelExpr=f"replace(format(datum.value, '~s'), /([a-zA-Zµ]?)$/, ' $1{unit}')", tickCount=4)


def _when() -> alt.Tooltip:
    return alt.Tooltip("time:T", title="from (UTC)", timeUnit="utcyearmonthdatehoursminutesseconds")


def _number(value: str, unit: str = "") -> alt.Tooltip:
    return alt.Tooltip(f"{value}:Q", title=f"{value} ({unit})" if unit else value, format=".3~s")


def _draw(chart: Any, height: int = HEIGHT) -> None:
    st.altair_chart(chart.properties(height=height), width="stretch")
