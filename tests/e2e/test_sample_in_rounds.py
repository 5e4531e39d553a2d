"""The sample as a running cluster would have sent it, a round at a time: the same lake as from its files."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from cli.knowing import Knowledge
from cli.pipeline import Pipeline
from enricher.kubernetes import read_dump
from store.lake import Lake
from tests.e2e.test_sample import seen_end, true_edges
from tests.support.arrivals import arrivals
from tests.support.relabelled import differing, everything, relabel, with_own_ids
from tests.support.sample import OBJECTS

ROUND_S = 25
# Which nodes' collectors an enricher hears.
ONE_ENRICHER = (("node-1", "node-2"),)
AN_ENRICHER_EACH = (("node-1",), ("node-2",))


@pytest.fixture(scope="module", params=[ONE_ENRICHER, AN_ENRICHER_EACH], ids=["one", "each"])
def lake(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    made = Lake.create(tmp_path_factory.mktemp("rounds") / "lake")
    directory = read_dump(str(OBJECTS), "shop")
    made.append({"assignments": directory.assignments, "objects": directory.objects})
    known = Knowledge(lambda: directory, dict, list)
    arrived = arrivals("shop", ROUND_S)
    rounds = range(arrived[0].round, arrived[-1].round + 3)
    for nodes in request.param:
        pipeline = Pipeline(made, known, directory.objects["seen_time"][0].as_py)
        for number in rounds:
            for one in arrived:
                if one.round == number and one.node in nodes:
                    pipeline.add(one.table, one.batch)
            pipeline.turn()
        assert pipeline.rows_waiting == 0
    return made


def counts(lake: Lake, query: str) -> Any:
    with lake.connect() as views:
        return views.sql(query).fetchall()


def test_each_connection_is_counted_once(lake: Lake) -> None:
    with lake.connect() as views:
        rows = views.sql("select * from edges").to_arrow_table().to_pylist()
    edges = {
        (seen_end(row, "src"), seen_end(row, "dst"), row["protocol"], row["port"]): row["connections"] for row in rows
    }
    true = true_edges()
    assert edges.keys() == true.keys()
    told = {edge: count for edge, count in true.items() if count is not None}
    assert {edge: edges[edge] for edge in told} == told


def test_the_view_that_is_sooner_says_the_same(lake: Lake) -> None:
    assert counts(lake, "select count(*), sum(bytes) from counted") == counts(
        lake, "select count(*), sum(src_bytes + dst_bytes) from connections"
    )


def test_transactions_and_resolutions_are_those_of_the_files(lake: Lake, sample_lake: Path) -> None:
    files = Lake.open(sample_lake)
    for view in ("dns", "resolutions"):
        query = f"select outcome, count(*) from {view} group by outcome order by outcome"
        assert counts(lake, query) == counts(files, query)


def test_relabelled_it_has_the_rows_of_the_files(lake: Lake, sample_lake: Path, tmp_path: Path) -> None:
    copy = Lake.open(shutil.copytree(lake.folder, tmp_path / "lake"))
    relabel(copy)
    found, files = (with_own_ids(everything(one)) for one in (copy, Lake.open(sample_lake)))
    assert differing(found, files) == []
