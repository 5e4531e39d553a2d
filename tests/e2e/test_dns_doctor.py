"""On both samples the doctor and the detections find what went wrong on purpose, all of it, and nothing else."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from analysis.detect.detections import DETECTIONS
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
DOCTOR, DETECT = ("dns", "doctor"), ("detect",)
TWINS = truth("resolvers")["benign"]


@pytest.fixture(scope="module")
def resolvers_lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    lake = tmp_path_factory.mktemp("resolvers") / "lake"
    done = ingest_sample(lake, "resolvers")
    assert done.returncode == 0, done.stderr
    return lake


def told(lake: Path, *verb: str) -> list[Row]:
    done = tailrace(*verb, "--lake", lake, "--format", "json")
    assert done.returncode == 0, done.stderr
    rows: list[Row] = json.loads(done.stdout)["findings"]
    return rows


def told_of(lake: Path, diagnosis: str, client: Row) -> list[Row]:
    """What one diagnosis says where only one workload is looked at."""
    detections = {detection.name for detection in DETECTIONS}
    verb = (*DETECT, "--detection") if diagnosis in detections else (*DOCTOR, "--diagnosis")
    return told(lake, *verb, diagnosis, "--namespace", client["namespace"], "--workload", client["workload"])


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
    server = f"kube-system/{incident['pod']}" if "pod" in incident else None
    found = [*named, *names, *domains, incident.get("service"), server]
    return [word for word in found if word and word != "cluster.local"]


def tells(finding: Row, incident: Row) -> bool:
    """Whole words: a finding of payments/billing-ndots tells nothing of payments/billing."""
    subject = re.split(r":?\s", finding["subject"])
    return finding["diagnosis"] == incident["diagnosis"] and not set(subject).isdisjoint(words(incident))


@pytest.mark.parametrize("sample", ["shop", "resolvers"])
def test_what_is_found_is_what_went_wrong(sample: str, request: pytest.FixtureRequest) -> None:
    lake = request.getfixturevalue("sample_lake" if sample == "shop" else "resolvers_lake")
    found = told(lake, *DOCTOR) + told(lake, *DETECT)
    wanted = incidents(sample)
    missing = [incident for incident in wanted if not any(tells(finding, incident) for finding in found)]
    invented = [finding for finding in found if not any(tells(finding, incident) for incident in wanted)]
    assert (missing, invented) == ([], [])


@pytest.mark.parametrize("twin", TWINS, ids=lambda twin: f"{twin['twin_of']}-{twin['client']['workload']}")
def test_an_incident_is_told_from_its_twin(resolvers_lake: Path, twin: Row) -> None:
    """Each looked at alone, where nobody else's names stand beside it."""
    diagnosis = twin["twin_of"]
    victim = next(incident["client"] for incident in incidents("resolvers") if incident["diagnosis"] == diagnosis)
    assert told_of(resolvers_lake, diagnosis, victim)
    assert told_of(resolvers_lake, diagnosis, twin["client"]) == []


def test_a_lost_query_is_found_where_one_looks_at_one_client(resolvers_lake: Path) -> None:
    """The others, who are answered, are compared with, whoever is looked at."""
    of_all = told(resolvers_lake, *DOCTOR, "--diagnosis", "unanswered")
    found = told_of(resolvers_lake, "unanswered", {"namespace": "shop", "workload": "checkout"})
    assert [one["evidence"] for one in found] == [
        one["evidence"] for one in of_all if "shop/checkout" in one["evidence"]["clients"]
    ]
    assert found
