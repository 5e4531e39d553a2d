"""Names of destinations against the naive twin, on any answers and flows of a few clients and addresses."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enricher.directory import Directory
from enricher.enrich import enrich
from tests.naive.enricher import domain_at
from tests.unit.enricher.cluster import answer, at, directory, dns, flow, flows, pod, query

Row = dict[str, Any]

# The first two are of one workload.
CLIENTS = {"10.1.0.1": "web", "10.1.0.2": "web", "10.1.0.3": "db"}
ADDRESSES = ("93.184.216.34", "93.184.216.35")
NAMES = ("a.cdn.example", "b.cdn.example", "www.shop.example")
COLUMNS = ("dst_domain", "domain_method", "domain_confidence", "domain_alternatives", "ambiguous")

moments = st.integers(0, 20).map(lambda part: part * 600) | st.integers(0, 12_000)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Directory:
    folder: Path = tmp_path_factory.mktemp("cluster")
    pods = (pod(f"{owner}-{ip[-1]}", ip, owner=("StatefulSet", owner)) for ip, owner in CLIENTS.items())
    return directory(folder, *pods)


@st.composite
def told(draw: st.DrawFn) -> Row:
    client = draw(st.sampled_from(tuple(CLIENTS)))
    start = draw(moments)
    found = {"client": client, "owner": CLIENTS[client], "at": at(start)}
    found |= {"address": draw(st.sampled_from(ADDRESSES)), "name": draw(st.sampled_from(NAMES))}
    return found | {"until": at(start) + timedelta(seconds=draw(st.sampled_from((0, 5, 600, 5000))))}


@st.composite
def outward(draw: st.DrawFn) -> Row:
    src = draw(st.sampled_from(tuple(CLIENTS)))
    found = {"src_ip": src, "owner": CLIENTS[src], "dst_ip": draw(st.sampled_from(ADDRESSES))}
    sni = draw(st.sampled_from((None, None, *NAMES)))
    return found | {
        "start_time": at(draw(moments)),
        "tls_sni": sni,
        "tls_ech": draw(st.sampled_from((None, False, True))),
    }


@settings(derandomize=True, deadline=None, max_examples=30)
@given(answers=st.lists(told(), max_size=24), going=st.lists(outward(), min_size=10, max_size=30))
def test_names_are_those_of_the_naive_twin(cluster: Directory, answers: list[Row], going: list[Row]) -> None:
    asked = [_answered(number, row) for number, row in enumerate(answers)]
    rows = [_sent(number, row) for number, row in enumerate(going)]
    found = enrich(flows(*rows), dns(*asked), cluster).flows.select(COLUMNS).to_pylist()
    assert found == [domain_at(answers, row) for row in going], json.dumps([answers, going], default=str)


def _answered(number: int, row: Row) -> Row:
    ttl = int((row["until"] - row["at"]).total_seconds())
    told = query(
        f"{row['client']}:{40000 + number}", "10.96.0.10:53", row["name"], 0, [answer(row["name"], row["address"], ttl)]
    )
    return told | {"start_time": row["at"], "query_time": row["at"], "response_time": row["at"]}


def _sent(number: int, row: Row) -> Row:
    """A port of its own each, so that each is a connection of its own."""
    sent = flow(
        f"{row['src_ip']}:{20000 + number}", f"{row['dst_ip']}:443", tls_sni=row["tls_sni"], tls_ech=row["tls_ech"]
    )
    return sent | {"start_time": row["start_time"], "end_time": row["start_time"]}
