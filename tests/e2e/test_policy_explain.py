"""Why rules are there, who reaches whom, and what another set changes, on the recording of the shop."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.test_policy_replay import ALLOWED, DENIED, FORGOTTEN, PAYMENTS_CLOSED, true_edges
from tests.support.sample import OBJECTS, tailrace


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("policies")
    forgetful = ALLOWED.replace(FORGOTTEN, "")
    assert forgetful != ALLOWED
    for name, text in {
        "allowed": ALLOWED,
        "forgetful": forgetful,
        "denied": DENIED,
        "payments": PAYMENTS_CLOSED,
    }.items():
        (folder / f"{name}.yaml").write_text(text)
    return folder


def asked(verb: str, *arguments: object) -> tuple[int, Any]:
    done = tailrace("policy", verb, *arguments, "--kube", OBJECTS, "-o", "json")
    assert done.stderr == "", done.stderr
    return done.returncode, json.loads(done.stdout)


def test_every_edge_that_works_is_decided_by_the_rule_that_names_it(sample_lake: Path, files: Path) -> None:
    status, found = asked("explain", files / "allowed.yaml", "--lake", sample_lake)
    assert status == 0
    decided: dict[tuple[object, ...], set[int]] = {}
    for rule in found["rules"]:
        for row in rule["edges"]:
            assert row["decided_by"] is None
            edge = tuple(
                row[name] for name in ("src_namespace", "src_name", "dst_namespace", "dst_name", "protocol", "port")
            )
            decided.setdefault(edge, set()).add(row["connections"])
    true = true_edges()
    assert sorted(map(repr, decided.keys() ^ true.keys())) == []
    assert {edge: decided[edge] for edge, count in true.items() if count is not None} == {
        edge: {count} for edge, count in true.items() if count is not None
    }
    rules = {rule["rule"].partition(" in ")[0]: rule["edges"] for rule in found["rules"]}
    (catalog,) = rules["NetworkPolicy/shop/catalog-sync egress[1]"]
    assert (catalog["src_name"], catalog["dst_name"], catalog["periodic"]) == ("catalog-sync", "redis", "CronJob")


def test_a_rule_that_nothing_used_says_so(sample_lake: Path, files: Path) -> None:
    options = ("--kube", OBJECTS, "--lake", sample_lake, "--rule", "closed ingress[2]")
    done = tailrace("policy", "explain", files / "payments.yaml", *options)
    assert done.stdout.splitlines()[-1].endswith("(allow): nothing used it")
    assert "0 of 1 rule used by anything that history has." in done.stdout
    done = tailrace("policy", "explain", files / "payments.yaml", *options, "-o", "csv")
    (row,) = csv.DictReader(io.StringIO(done.stdout))
    assert (row["direction"], row["connections"]) == ("ingress", "")


def test_can_one_reach_another(sample_lake: Path, files: Path) -> None:
    status, found = asked("explain", files / "allowed.yaml", "--from", "shop/frontend", "--to", "shop/api:http")
    assert (status, found["reachable"], found["history"]) == (0, True, None)
    assert found["answers"][0]["ingress"].startswith("allowed by NetworkPolicy/shop/api ingress[0]")
    ends = ("--from", "shop/frontend", "--to", "shop/redis:6379", "--lake", sample_lake)
    status, found = asked("explain", files / "allowed.yaml", *ends)
    assert (status, found["reachable"], found["history"]) == (3, False, [])
    (answer,) = found["answers"]
    assert answer["egress"].startswith("denied: isolated by NetworkPolicy/shop/default-deny, ")
    assert [line.partition(" in ")[0] for line in answer["near"]] == ["NetworkPolicy/shop/redis ingress[0]"]
    domain = ("--from", "payments/fx-rates", "--to", "rates.partner-api.example", "--lake", sample_lake)
    status, found = asked("explain", files / "allowed.yaml", *domain)
    assert [(row["port"], row["connections"]) for row in found["history"]] == [(443, 14)]


def test_a_misspelt_name_is_one_line_with_the_nearest(files: Path) -> None:
    ends = ("--from", "shop/frontnd", "--to", "shop/api")
    done = tailrace("policy", "explain", files / "allowed.yaml", "--kube", OBJECTS, *ends)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "'shop/frontnd' is nobody that is known; nearest: shop/frontend" in done.stderr


@pytest.mark.parametrize("options", [("--from", "a/b"), ()])
def test_what_is_missing_is_said(files: Path, options: tuple[str, ...]) -> None:
    done = tailrace("policy", "explain", files / "allowed.yaml", "--kube", OBJECTS, *options)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)


def test_the_same_set_is_no_difference(files: Path) -> None:
    status, found = asked("diff", files / "allowed.yaml", files / "allowed.yaml")
    assert (status, found["same"], found["rows"]) == (0, True, [])


def test_a_forgotten_line_closes_one_edge(sample_lake: Path, files: Path) -> None:
    status, found = asked("diff", files / "allowed.yaml", files / "forgetful.yaml", "--lake", sample_lake)
    (row,) = found["rows"]
    assert (status, row["change"], row["on"], row["connections"]) == (3, "closes", "TCP 6379", 2)
    assert (row["src"], row["dst"]) == (["shop/catalog-sync"], ["shop/redis"])
    _, back = asked("diff", files / "forgetful.yaml", files / "allowed.yaml", "--lake", sample_lake)
    assert [(row["change"], row["connections"]) for row in back["rows"]] == [("opens", 2)]


def test_a_default_deny_closes_a_namespace_and_what_history_used(sample_lake: Path, files: Path) -> None:
    status, found = asked("diff", "none", files / "denied.yaml", "--lake", sample_lake)
    assert status == 3
    assert [(row["change"], row["on"], row["undecided"]) for row in found["rows"]] == [
        ("closes", "anything", "all other protocols")
    ] * 2
    _, replayed = asked("replay", files / "denied.yaml", "--lake", sample_lake)
    denied = sum(row["connections"] for row in replayed["edges"] if row["finding"].startswith("denied"))
    assert sum(row["connections"] for row in found["rows"]) == denied
    reach = found["reach"]
    assert (reach["before"]["pairs"], reach["before"]["all_pairs"]) == (182, 182)
    others = [row for row in reach["after"]["workloads"] if row["namespace"] != "shop"]
    assert reach["after"]["pairs"] == len(others) * (len(others) - 1)


def test_the_report_names_ends_and_what_it_means(files: Path) -> None:
    done = tailrace("policy", "diff", "none", files / "denied.yaml", "--kube", OBJECTS)
    lines = done.stdout.splitlines()
    assert lines[0] == "2 kinds of connections would close."
    assert lines[1].startswith("Workload pairs that can talk: 182 of 182 before, ")
    assert any(line.startswith("closes  shop/*") for line in lines)
    assert (done.returncode, done.stderr) == (3, "")
