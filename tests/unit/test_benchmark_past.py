"""The generated past holds what it says, the same for the same seed, and a replay finds what was forgotten in its policies."""

from pathlib import Path

import pytest

from analysis.policy.dialects import read_policies
from analysis.policy.recommend.cluster import read_cluster
from analysis.policy.replay import Asked, Replay, replay
from benchmarks.past import Past
from benchmarks.past.write import write
from store.lake import Lake

SMALL = Past(records=3_000, policies=20, namespaces=4, workloads=30, nodes=5, calls=60, domains=10, visitors=20, days=2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("past")
    write(SMALL, made)
    return made


def replayed(folder: Path) -> Replay:
    policies = read_policies([str(folder / "policies")])
    return replay(Lake.open(folder / "lake"), policies, read_cluster(folder / "objects.json"), Asked())


def test_there_are_as_many_records_as_were_asked_for_and_all_kinds(folder: Path) -> None:
    connection = Lake.open(folder / "lake").connect()
    query = """select count(*), count(distinct src_kind), count(distinct dst_kind), count(distinct reporter),
        count(*) filter (backend_ip is not null) > 0, count(*) filter (tunnel is not null) > 0 from flows"""
    ((records, *rest),) = connection.sql(query).fetchall()
    assert SMALL.records <= records < SMALL.records + 100
    assert rest == [3, 3, 3, True, True]
    several = "select bool_or(sightings > 1), bool_or(records > sightings), bool_or(failed) from connections"
    assert connection.sql(several).fetchall() == [(True, True, True)]


def test_a_replay_judges_it_and_finds_what_is_denied(folder: Path) -> None:
    found = replayed(folder)
    assert found.denies
    assert found.unused.num_rows > 0
    assert len(list((folder / "policies").iterdir())) == SMALL.policies


def test_the_same_seed_makes_the_same_and_it_is_kept(folder: Path, tmp_path: Path) -> None:
    write(SMALL, tmp_path / "again")
    first, again = replayed(folder), replayed(tmp_path / "again")
    assert (again.summary, again.edges) == (first.summary, first.edges)
    before = (folder / "objects.json").stat().st_mtime_ns
    write(SMALL, folder)
    assert (folder / "objects.json").stat().st_mtime_ns == before
