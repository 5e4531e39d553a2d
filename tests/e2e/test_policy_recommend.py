"""Policies recommended by the real command line: from the shop's recording, and from packets made for the purpose."""

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from analysis.policy.dialects import read_policies
from analysis.policy.evaluate import Edges, evaluate
from analysis.policy.topology import read_endpoints
from tests.support.applications import Application, Workload
from tests.support.sample import OBJECTS, tailrace, truth

NAMESPACES = ("shop", "payments", "ops")


def recommend(lake: Path, objects: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return tailrace("policy", "recommend", "--lake", lake, "--kube", objects, *options)


def replay(lake: Path, objects: Path, policies: str, folder: Path) -> list[dict[str, Any]]:
    file = folder / "policies.yaml"
    file.write_text(policies)
    done = tailrace("policy", "replay", file, "--lake", lake, "--kube", objects, "-o", "json")
    rows: list[dict[str, Any]] = json.loads(done.stdout)["edges"]
    return rows


@pytest.fixture(scope="module")
def of_the_shop(sample_lake: Path) -> str:
    done = recommend(sample_lake, OBJECTS, *(f"--namespace={name}" for name in NAMESPACES))
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_what_works_in_the_shop_goes_on_and_attacks_do_not(of_the_shop: str, sample_lake: Path, tmp_path: Path) -> None:
    """Whatever is denied is part of an attack in the recorder's own truth, and every attack is denied or unnameable."""
    rows = replay(sample_lake, OBJECTS, of_the_shop, tmp_path)
    cut = {
        (row["src_name"], row["dst_name"], row["protocol"], row["port"]) for row in rows if row["finding"] != "unused"
    }
    attacks = {
        (edge["src"]["workload"], edge["dst"].get("workload") or edge["dst"]["ip"], edge["protocol"], edge["port"])
        for edge in truth()["edges"]
        if edge["note"] in ("scan", "metadata")
    }
    assert cut == attacks
    assert len(attacks) == 34


def test_attacks_are_listed_with_the_reason(of_the_shop: str) -> None:
    head = of_the_shop.partition("---")[0]
    assert "# Left out, part of a scan: 33 edges, 2 of them answered (33 connections)." in head
    assert "#   ops/netdebug → payments/payments TCP 9090: 1 connection, " in head
    assert "#   shop/recommender → 169.254.169.254 TCP 80: 2 connections, 2 failed" in head
    assert "ops/netdebug →" not in of_the_shop.partition("---")[2]


def test_the_same_bytes_every_time_from_a_dump_and_from_the_lake(of_the_shop: str, sample_lake: Path) -> None:
    again = tailrace("policy", "recommend", "--lake", sample_lake, "--all-namespaces")
    first, read_at, rest = again.stdout.split("\n", 2)
    assert read_at.startswith("# The cluster is taken as it was read at ")
    assert (f"{first}\n{rest}", again.returncode) == (of_the_shop, 0)


def test_the_documents_are_what_the_shop_needs(of_the_shop: str) -> None:
    documents = {
        (found["metadata"]["namespace"], found["metadata"]["name"]): found["spec"]
        for found in yaml.safe_load_all(of_the_shop)
    }
    in_shop = {name for namespace, name in documents if namespace == "shop"}
    workloads = {"api", "campaign", "catalog-sync", "frontend", "loader", "recommender", "redis"}
    assert in_shop == {"tailrace-default-deny", "tailrace-dns", *(f"tailrace-{name}" for name in workloads)}
    assert documents["shop", "tailrace-default-deny"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    sources = [rule["from"] for rule in documents["shop", "tailrace-frontend"]["ingress"]]
    assert [{"ipBlock": {"cidr": "192.0.2.50/32"}}] in sources
    (to_partner,) = (
        rule for rule in documents["shop", "tailrace-catalog-sync"]["egress"] if "ipBlock" in rule["to"][0]
    )
    assert to_partner == {
        "to": [{"ipBlock": {"cidr": "198.51.100.20/32"}}],
        "ports": [{"protocol": "TCP", "port": 443}],
    }
    assert (
        "# Warning: these are the addresses that partner-api.example had; it may have others tomorrow." in of_the_shop
    )


def test_every_rule_has_its_evidence_above(of_the_shop: str) -> None:
    lines = [line.strip() for line in of_the_shop.splitlines()]
    rules = [place for place, line in enumerate(lines) if line in ("- from:", "- to:")]
    told = "# shop/api → shop/redis TCP 6379: 67 connections, 45.3 kB, 2026-11-22T04:22:50Z to 2026-11-22T04:24:10Z"
    assert told in lines
    assert len(rules) > 20
    # DNS is allowed to those who never asked, too.
    assert [place for place in rules if not lines[place - 1].startswith("# ")] == []


REVIEWS = {"app": "reviews"}
WORKLOADS = (
    Workload("books", "page", {"app": "page", "tier": "front"}, {"http": 9080}),
    Workload("books", "reviews-v1", {**REVIEWS, "version": "v1"}, {"http": 9080}),
    Workload("books", "reviews-v2", {**REVIEWS, "version": "v2"}, {"http": 9080}),
    Workload("books", "stars", {"app": "stars", "tier": "back"}, {"http": 9080}),
    Workload("books", "idle", {"app": "idle", "tier": "back"}, {"http": 9080}),
    Workload("data", "store", {"app.kubernetes.io/name": "store"}, {"sql": 5432, "metrics": 9100}),
)
# (src, dst, port of the pod): what the application needs.
NEEDED = {
    ("books/page", "books/reviews-v1", 9080),
    ("books/page", "books/reviews-v2", 9080),
    ("books/reviews-v2", "books/stars", 9080),
    ("books/stars", "data/store", 5432),
}


def books() -> Application:
    """``reviews`` is seen at the address of its Service only, ``store`` at both; somebody scans."""
    made = Application(*WORKLOADS)
    made.serve("books", "reviews", REVIEWS, "10.96.0.20", {80: "http"})
    made.serve("data", "store", {"app.kubernetes.io/name": "store"}, "10.96.0.21", {5432: 5432})
    for number in (0, 1):
        page, stars = made.pods["books/page"][number], made.pods["books/stars"][number]
        made.ask(page)
        made.connect(page, ("10.96.0.20", 80))
        made.connect(made.pods["books/reviews-v2"][number], (made.pods["books/stars"][1 - number], 9080))
        made.connect(stars, ("10.96.0.21", 5432), (made.pods["data/store"][number], 5432))
        made.connect("203.0.113.9", (page, 9080))
    for port in range(8000, 8030):
        made.knock(made.pods["books/idle"][0], (made.pods["data/store"][0], port))
    made.connect(made.pods["books/idle"][0], (made.pods["data/store"][0], 9100))
    return made


@pytest.fixture(scope="module")
def of_the_books(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("books")
    objects, capture = books().write(folder)
    done = tailrace("ingest", f"node-1={capture}", "--kube", objects, "--cluster", "books", "--lake", folder / "lake")
    assert done.returncode == 0, done.stderr
    done = recommend(folder / "lake", objects, "-n", "books", "-n", "data")
    assert done.returncode == 0, done.stderr
    return objects, done.stdout


def test_nothing_but_what_is_needed_is_open(of_the_books: tuple[Path, str], tmp_path: Path) -> None:
    objects, text = of_the_books
    (tmp_path / "policies.yaml").write_text(text)
    endpoints = [one for one in read_endpoints(objects) if one.namespace in ("books", "data")]
    ports = (53, 80, 5432, 9080, 9100)
    asked = [(src, dst, port) for src in range(len(endpoints)) for dst in range(len(endpoints)) for port in ports]
    src, dst, port = np.array(asked).T
    allowed = evaluate(
        read_policies([str(tmp_path / "policies.yaml")]), endpoints, Edges(src, dst, np.full(len(src), 6), port)
    ).allowed
    names = [f"{one.namespace}/{one.name.rpartition('-5d8f-')[0]}" for one in endpoints]
    found = {
        (names[src], names[dst], port)
        for (src, dst, port), one in zip(asked, allowed, strict=True)
        if one and src != dst
    }
    assert found == NEEDED


def test_pods_behind_one_service_are_one_peer(of_the_books: tuple[Path, str]) -> None:
    found = {one["metadata"]["name"]: one["spec"] for one in yaml.safe_load_all(of_the_books[1])}
    (rule,) = found["tailrace-page"]["egress"]
    assert rule == {
        "to": [{"podSelector": {"matchLabels": {"app": "reviews"}}}],
        "ports": [{"protocol": "TCP", "port": 9080}],
    }
    assert found["tailrace-reviews-v2"]["podSelector"] == {"matchLabels": {"app": "reviews", "version": "v2"}}
    assert "through Service books/reviews" in of_the_books[1]


def test_a_pod_that_only_scans_gets_default_deny_and_dns(of_the_books: tuple[Path, str]) -> None:
    text = of_the_books[1]
    assert (
        "# Nothing was learned of these; of the policies here only those of every pod are about them:\n#   idle\n"
        in text
    )
    assert "# Left out, part of a scan: 31 edges, 1 of them answered (31 connections)." in text


@pytest.mark.parametrize(
    "options, words, status",
    [
        ((), "--namespace", 2),
        (("-n", "shop", "-A"), "--all-namespaces", 2),
        (("-n", "shpo"), "no pod of namespace 'shpo'", 2),
        (("-n", "shop", "--since", "2020-01-01T00:00:00Z", "--until", "2020-01-02T00:00:00Z"), "nothing to learn", 2),
    ],
)
def test_what_is_wrong_is_one_line(sample_lake: Path, options: tuple[str, ...], words: str, status: int) -> None:
    done = recommend(sample_lake, OBJECTS, *options)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (status, "", 1)
    assert words in done.stderr
