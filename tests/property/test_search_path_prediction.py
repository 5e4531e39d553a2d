"""The prediction for another ndots against resolvers that are asked, one name after the other, under that ndots."""

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from analysis.dns.prediction import NDOTS, lost, predict
from analysis.questions import bind, find
from analysis.running import run_question
from contract.tables import TABLES
from tests.support.names import resolution

DOMAIN = "cluster.local"
PATH = (f"shop.svc.{DOMAIN}", f"svc.{DOMAIN}", DOMAIN)
SERVICES = (f"redis.{PATH[0]}", f"redis-0.redis.{PATH[0]}", f"api.pay.{PATH[1]}", f"a.b.pay.{PATH[1]}")
OUTSIDE = ("partner.example", "www.partner.example", "a.b.c.partner.example")
HAVE_ADDRESSES = {*SERVICES, *OUTSIDE}
WRITTEN = (
    *("redis", "redis-0.redis", "api.pay", "api.pay.svc", "a.b.pay", *SERVICES, *OUTSIDE),
    *("gone", "gone.pay", "www.gone.example", *(f"{name}." for name in (*SERVICES, *OUTSIDE))),
)


def tried(name: str, ndots: int) -> list[str]:
    """What glibc and Go ask for, up to the first answer with data."""
    searched = [f"{name}.{suffix}" for suffix in PATH]
    if name.endswith("."):
        steps = [name[:-1]]
    elif name.count(".") >= ndots:
        steps = [name, *searched]
    else:
        steps = [*searched, name]
    found = next((place for place, step in enumerate(steps) if step in HAVE_ADDRESSES), len(steps) - 1)
    return steps[: found + 1]


def found_by_musl(name: str, ndots: int) -> bool:
    bare = name.endswith(".") or name.count(".") >= ndots
    return bool(HAVE_ADDRESSES & {name.removesuffix(".")} if bare else HAVE_ADDRESSES & {*tried(name, ndots)})


def told(number: int, name: str, ndots: int) -> dict[str, Any]:
    """The resolution, as far as the queries tell what was asked for: who finds a name at once shows no search."""
    steps = tried(name, ndots)
    asked = name if len(steps) > 1 else steps[0]
    suffixes = [step.removeprefix(asked).removeprefix(".") or "." for step in steps]
    answered = steps[-1] in HAVE_ADDRESSES
    bare_is_needed = suffixes[-1] if answered else "."
    wasted = len([suffix for suffix in suffixes if suffix != bare_is_needed])
    return resolution(
        number,
        asked,
        suffixes=suffixes,
        answered_suffix=suffixes[-1] if answered else None,
        outcome="answered" if answered else "nxdomain",
        queries=2 * len(steps),
        wasted_queries=2 * wasted,
    )


def rows_of(calls: Sequence[str], ndots: int) -> list[Mapping[str, Any]]:
    resolutions = pa.Table.from_pylist(
        [told(i, name, ndots) for i, name in enumerate(calls)], schema=TABLES["resolutions"].schema
    )
    connection = duckdb.connect()
    connection.register("resolutions", resolutions)
    question = find("dns/search_path")
    answer = run_question(connection, question.sql, bind(question, {"least": 0, "most": 3}), None, 30)
    return answer.table.to_pylist()


def asked(calls: Sequence[str], ndots: int) -> int:
    return sum(2 * len(tried(name, ndots)) for name in calls)


@given(st.lists(st.sampled_from(WRITTEN), min_size=1, max_size=25), st.sampled_from(NDOTS))
def test_another_ndots_costs_what_was_predicted(calls: list[str], today: int) -> None:
    rows = rows_of(calls, today)
    prediction = predict(rows)
    assert prediction.measured == asked(calls, today)
    assert prediction.today.least <= today <= prediction.today.most
    # Above, it matters which names had their last dot written, and that is not seen.
    for ndots in range(NDOTS[0], min(today, prediction.today.likely) + 1):
        if not lost(rows, ndots):
            assert prediction.queries[ndots] == asked(calls, ndots)


@given(st.lists(st.sampled_from(WRITTEN), min_size=1, max_size=25), st.sampled_from(NDOTS))
def test_what_is_recommended_saves_and_loses_nothing(calls: list[str], today: int) -> None:
    prediction = predict(rows_of(calls, today))
    if prediction.best is not None:
        assert asked(calls, prediction.best) < asked(calls, today)
        for name in calls:
            assert found_by_musl(name, prediction.best) or not found_by_musl(name, today)
