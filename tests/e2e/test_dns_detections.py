"""What the recording's ground truth calls an attack by names is found in the sample, and nothing else."""

import json
from pathlib import Path
from typing import Any

from tests.support.sample import tailrace, truth


def findings(lake: Path, *arguments: str) -> list[dict[str, Any]]:
    done = tailrace("detect", "--lake", lake, "--format", "json", *arguments)
    assert done.returncode == 0, done.stderr
    told: list[dict[str, Any]] = json.loads(done.stdout)["findings"]
    return told


def test_the_tunnel_and_nothing_else(sample_lake: Path) -> None:
    (incident,) = (one for one in truth()["dns_incidents"] if one["name"] == "random-subdomains")
    (finding,) = findings(sample_lake)
    client = incident["client"]
    zone = incident["qname_suffix"].partition(".")[2]
    assert (finding["diagnosis"], finding["severity"]) == ("tunnelling", "critical")
    assert finding["subject"] == f"{client['namespace']}/{client['workload']} → {zone}"
    assert (finding["evidence"]["names"], finding["queries"]) == (incident["queries"], incident["transactions"])


def test_other_namespaces_are_clean(sample_lake: Path) -> None:
    assert findings(sample_lake, "--namespace", "payments") == []
