"""`tailrace lake relabel` and `lake compact`: what they change, what they say of it, and what stops them."""

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from typer.testing import CliRunner, Result

from cli import relabelling
from cli.main import app
from cli.times import rfc3339
from contract.errors import OvertakenError
from enricher.directory import Directory
from store.lake import Lake
from store.portion import Portion
from tests.support.relabelled import (
    CLUSTER,
    add,
    collected,
    differing,
    directory,
    everything,
    known_lake,
    relabel,
)
from tests.support.sample import OBJECTS

LONG_AGO = "2020-01-01T00:00:00Z"


def tailrace(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> dict[str, pa.Table]:
    lake = known_lake(tmp_path_factory.mktemp("named"))
    add(lake, collected(), directory())
    return everything(lake)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Records that nobody had told of the cluster."""
    lake = Lake.create(tmp_path_factory.mktemp("nameless") / "lake")
    add(lake, collected(), Directory.empty(CLUSTER))
    lake.append({"coverage": coverage(lake)})
    return lake.folder


@pytest.fixture
def nameless(made: Path, tmp_path: Path) -> Lake:
    return Lake.open(shutil.copytree(made, tmp_path / "lake"))


def coverage(lake: Lake) -> pa.Table:
    from contract.coverage import COVERAGE

    span = lake.span()
    assert span
    row: dict[str, Any] = {"cluster": CLUSTER, "node": "node-1", "source": "made up", "discarded": []}
    row |= {"from_time": span[0], "until_time": span[1]}
    zeros = {one.name: 0 for one in COVERAGE.columns if one.name not in row and not one.null}
    return pa.Table.from_pylist([row | zeros], schema=COVERAGE.schema)


def test_a_dump_names_what_was_nameless_and_stays_in_the_lake(nameless: Lake, named: dict[str, pa.Table]) -> None:
    done = tailrace("lake", "relabel", "--lake", nameless.folder, "--since", LONG_AGO, "--kube", OBJECTS)
    records = sum(table.num_rows for table in collected().values())
    assert done.exit_code == 0, done.stderr
    assert done.stdout == ""
    assert f"{records:,} records of cluster 'shop' from " in done.stderr
    assert f": {records:,} changed; " in done.stderr
    assert differing(everything(nameless), named) == []
    again = tailrace("lake", "relabel", "--lake", nameless.folder, "--since", LONG_AGO)
    assert again.exit_code == 0, again.stderr
    assert ": 0 changed; 0 of their ends get another label" in again.stderr


def test_a_dry_run_says_the_same_and_writes_nothing(nameless: Lake) -> None:
    versions = nameless.versions()
    relabelled = ("lake", "relabel", "--lake", nameless.folder, "--since", LONG_AGO, "--kube", OBJECTS)
    dry = tailrace(*relabelled, "--dry-run")
    assert dry.exit_code == 0, dry.stderr
    assert nameless.versions() == versions
    assert dry.stderr.replace("would change", "changed") == tailrace(*relabelled).stderr


def test_without_objects_nothing_is_unlabelled(nameless: Lake) -> None:
    versions = nameless.versions()
    done = tailrace("lake", "relabel", "--lake", nameless.folder, "--since", LONG_AGO)
    assert (done.exit_code, nameless.versions()) == (2, versions)
    assert "has no Kubernetes objects of cluster 'shop'; give them with --kube" in done.stderr


def test_a_time_without_records_is_said(nameless: Lake) -> None:
    for window in (("--since", "2100-01-01T00:00:00Z"), ("--since", LONG_AGO, "--until", "2020-01-02T00:00:00Z")):
        done = tailrace("lake", "relabel", "--lake", nameless.folder, *window)
        assert (done.exit_code, done.stderr) == (0, "nothing to relabel: the lake has no records of that time\n")


def test_whose_objects_a_dump_has_must_be_said(nameless: Lake) -> None:
    other = coverage(nameless)
    place = other.schema.get_field_index("cluster")
    nameless.append({"coverage": other.set_column(place, other.schema.field(place), pa.array(["another"]))})
    done = tailrace("lake", "relabel", "--lake", nameless.folder, "--since", LONG_AGO, "--kube", OBJECTS)
    assert done.exit_code == 2
    assert "the lake has 2 clusters; say whose objects they are with --cluster" in done.stderr


def test_interrupted_it_says_from_where_to_go_on(nameless: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Portion, "replace", interrupted)
    done = tailrace("lake", "relabel", "--lake", nameless.folder, "--since", LONG_AGO, "--kube", OBJECTS)
    span = nameless.span()
    assert span
    assert done.exit_code == 130
    assert f"run it again with --since {rfc3339(span[0])}" in done.stderr


def test_cut_off_between_two_tables_the_next_run_repairs_it(
    nameless: Lake, named: dict[str, pa.Table], monkeypatch: pytest.MonkeyPatch
) -> None:
    replace, done = Portion.replace, []

    def cut_off(portion: Portion, rows: pa.Table, now: datetime) -> None:
        if done:
            raise KeyboardInterrupt
        done.append(rows)
        replace(portion, rows, now)

    with monkeypatch.context() as patched:
        patched.setattr(Portion, "replace", cut_off)
        with pytest.raises(KeyboardInterrupt):
            relabel(nameless, dump=directory())
    assert differing(everything(nameless), named)
    with nameless.connect() as views:
        assert views.sql("select count(*) from connections").fetchall()[0][0]
    relabel(nameless, dump=directory())
    assert differing(everything(nameless), named) == []


def test_overtaken_it_tries_again(nameless: Lake, named: dict[str, pa.Table], monkeypatch: pytest.MonkeyPatch) -> None:
    replace, overtakings = Portion.replace, iter(range(3))

    def overtaken(portion: Portion, rows: pa.Table, now: datetime) -> None:
        if next(overtakings, None) is not None:
            raise OvertakenError("rewritten meanwhile")
        replace(portion, rows, now)

    monkeypatch.setattr(Portion, "replace", overtaken)
    relabel(nameless, dump=directory())
    assert differing(everything(nameless), named) == []


def test_overtaken_all_the_time_it_gives_up(nameless: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    def overtaken(*_: object) -> None:
        raise OvertakenError("rewritten meanwhile")

    monkeypatch.setattr(Portion, "replace", overtaken)
    monkeypatch.setattr(relabelling, "TRIES", 2)
    with pytest.raises(OvertakenError):
        relabel(nameless, dump=directory())


def test_compact_says_what_became_of_each_table(tmp_path: Path, nameless: Lake) -> None:
    flows = everything(nameless)["flows"]
    for start in range(100, 150, 10):
        nameless.append({"flows": flows.slice(start, 10)})
    done = tailrace("lake", "compact", "--lake", nameless.folder)
    assert done.exit_code == 0, done.stderr
    assert "flows: 5 files merged into 1, 0 removed\n" in done.stderr
    assert "dns: 0 files merged into 0, 0 removed\n" in done.stderr
    assert done.stdout == ""
    none = tailrace("lake", "compact", "--lake", nameless.folder, "--until", rfc3339(datetime(2020, 1, 1, tzinfo=UTC)))
    assert "flows: 0 files merged into 0" in none.stderr
