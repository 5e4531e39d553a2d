"""On both samples the doctor and the detections find what went wrong on purpose, all of it, and nothing else."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.sample import ingest_sample, tailrace, truth

Row = dict[str, Any]

# What the shop's recording calls its incidents.
DIAGNOSIS_OF = {
    "search-path-nxdomain": "search_path",
    "never-answers": "unanswered",
    "dead-upstream": "servfail",
    "truncated": "truncated",
    "random-subdomains": "tunnelling",
}


@pytest.fixture(scope="module")
def resolvers_lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    lake = tmp_path_factory.mktemp("resolvers") / "lake"
    done = ingest_sample(lake, "resolvers")
    assert done.returncode == 0, done.stderr
    return lake


def findings(lake: Path) -> list[Row]:
    rows: list[Row] = []
    for verb in (("dns", "doctor"), ("detect",)):
        done = tailrace(*verb, "--lake", lake, "--format", "json")
        assert done.returncode == 0, done.stderr
        rows += json.loads(done.stdout)["findings"]
    return rows


def incidents(sample: str) -> list[Row]:
    return [
        {"diagnosis": DIAGNOSIS_OF.get(incident.get("name", ""), incident.get("diagnosis"))} | incident
        for incident in truth(sample)["dns_incidents"]
        if (incident["client"] or {}).get("workload") != "coredns"
    ]


def words(incident: Row) -> list[str]:
    """By any of which a finding may call an incident: its client, a name, or the domain that the name is of."""
    client = incident["client"] or {}
    named = [f"{client['namespace']}/{client['workload']}"] if client else []
    names = [incident.get(key) for key in ("asked", "qname", "qname_suffix", "zone")] + incident.get("names", [])
    domains = [".".join(name.split(".")[-2:]) for name in names if name]
    found = [*named, *names, *domains, incident.get("service"), incident.get("pod")]
    return [word for word in found if word and word != "cluster.local"]


def tells(finding: Row, incident: Row) -> bool:
    return finding["diagnosis"] == incident["diagnosis"] and any(word in finding["subject"] for word in words(incident))


@pytest.mark.parametrize("sample", ["shop", "resolvers"])
def test_what_is_found_is_what_went_wrong(sample: str, request: pytest.FixtureRequest) -> None:
    found = findings(request.getfixturevalue("sample_lake" if sample == "shop" else "resolvers_lake"))
    wanted = incidents(sample)
    missing = [incident for incident in wanted if not any(tells(finding, incident) for finding in found)]
    invented = [finding for finding in found if not any(tells(finding, incident) for incident in wanted)]
    assert (missing, invented) == ([], [])
