"""The recorded samples: the dump gives every pod the address and the time that its truth tells."""

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from enricher.kubernetes import read_dump

SAMPLES = Path(__file__).parents[3] / "samples"
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize("sample", ["shop", "resolvers"])
def test_dump_of_the_sample_agrees_with_its_truth(sample: str) -> None:
    rows = read_dump(SAMPLES / sample / "objects.json").assignments.to_pylist()
    found = {
        (r["ip"], r["namespace"], r["name"], r["workload_kind"], r["workload"], r["node"]): (
            r["from_time"],
            r["until_time"],
        )
        for r in rows
        if r["kind"] == "pod" and not r["host_network"]
    }
    for told in json.loads((SAMPLES / sample / "truth.json").read_text())["assignments"]:
        start, end = found.pop(
            (told["ip"], told["namespace"], told["pod"], told["workload_kind"], told["workload"], told["node"])
        )
        assert start == datetime.fromisoformat(told["from"])
        assert end == (told["until"] and datetime.fromisoformat(told["until"]) + SECOND)
    assert not found
