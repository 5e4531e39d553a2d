"""The recorded sample: the dump gives every pod the address and the time that its truth tells."""

import json
from datetime import datetime, timedelta
from pathlib import Path

from enricher.kubernetes import read_dump

SHOP = Path(__file__).parents[3] / "samples" / "shop"
SECOND = timedelta(seconds=1)


def test_dump_of_the_sample_agrees_with_its_truth() -> None:
    rows = read_dump(SHOP / "objects.json").assignments.to_pylist()
    found = {
        (r["ip"], r["namespace"], r["name"], r["workload_kind"], r["workload"], r["node"]): (
            r["from_time"],
            r["until_time"],
        )
        for r in rows
        if r["kind"] == "pod" and not r["host_network"]
    }
    for told in json.loads((SHOP / "truth.json").read_text())["assignments"]:
        start, end = found.pop(
            (told["ip"], told["namespace"], told["pod"], told["workload_kind"], told["workload"], told["node"])
        )
        assert start == datetime.fromisoformat(told["from"])
        assert end == (told["until"] and datetime.fromisoformat(told["until"]) + SECOND)
    assert not found
