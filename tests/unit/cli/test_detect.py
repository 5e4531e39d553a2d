"""``tailrace detect``: what goes to stdout and stderr, and how it ends."""

import csv
import io
import json
import re
from pathlib import Path

import pyarrow as pa
import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from store.lake import Lake
from tests.support.detected import asked, digits
from tests.support.names import make_names

CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def detect(lake: Lake, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["detect", "--lake", str(lake.folder), *arguments])


@pytest.fixture(scope="module")
def tunnelled(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    zone = "\x1b[31m<b>\u202eevil.example"
    names = [f"{digits(number, 40)}.{zone}" for number in range(60)]
    return make_names(tmp_path_factory.mktemp("detect") / "lake", resolutions=asked(names, zone, qtypes="TXT"))


@pytest.mark.parametrize("form", ["json", "csv", "arrow"])
def test_programs_get_the_finding(tunnelled: Lake, form: str) -> None:
    result = detect(tunnelled, "--format", form)
    assert (result.exit_code, result.exception) == (0, None)
    read = {
        "arrow": lambda: pa.ipc.open_stream(result.stdout_bytes).read_all().to_pylist(),
        "json": lambda: json.loads(result.stdout)["findings"],
        "csv": lambda: list(csv.DictReader(io.StringIO(result.stdout))),
    }
    (row,) = read[form]()
    assert (row["diagnosis"], row["severity"]) == ("tunnelling", "critical")
    assert "60 different names" in row["says"]


def test_a_report_for_people(tunnelled: Lake) -> None:
    told = " ".join(detect(tunnelled).stdout.split())
    assert told.startswith("1 critical CRITICAL Data carried in names: shop/api → ")
    assert f"See tailrace dns --lake {tunnelled.folder} --from-namespace shop --from-workload api --domain" in told
    assert told.endswith("Nothing found by dga, fast_flux, rebinding, typosquat.")


def test_hostile_names_stay_text(tunnelled: Lake) -> None:
    result = detect(tunnelled)
    assert "60 different names" in result.stdout
    assert not CONTROL.search(result.stdout)


def test_only_what_is_chosen_and_not_known(tunnelled: Lake) -> None:
    def findings(*arguments: str) -> list[dict[str, object]]:
        found: list[dict[str, object]] = json.loads(detect(tunnelled, "--format", "json", *arguments).stdout)[
            "findings"
        ]
        return found

    assert len(findings("--detection", "tunnelling", "--workload", "api")) == 1
    assert findings("--detection", "dga") == []
    assert findings("--known", "\x1b[31m<b>\u202eevil.example.") == []
    assert findings("--namespace", "other") == []


def test_an_unknown_detection_is_wrong_usage(tunnelled: Lake) -> None:
    result = detect(tunnelled, "--detection", "dag")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "no detection 'dag'; there are dga, fast_flux, rebinding, tunnelling, typosquat" in result.stderr


def test_an_empty_lake(tmp_path: Path) -> None:
    result = detect(Lake.create(tmp_path))
    assert result.exit_code == 0
    told = "Could not judge dga, fast_flux, rebinding, tunnelling, typosquat: no DNS transaction of such a client in that time."
    assert " ".join(result.stdout.split()) == told
    assert result.stderr == "nothing matched: the lake is empty\n"
