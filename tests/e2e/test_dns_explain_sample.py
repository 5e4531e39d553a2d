"""The stories of names in the recorded sample, by the real command line, against what its recording says is wrong there."""

import json
from pathlib import Path
from typing import Any

from tests.support.sample import tailrace, truth

DEAD_UPSTREAM, UPSTREAM = "203.0.113.99", "203.0.113.53"


def told(lake: Path, name: str, client: str, *options: str) -> dict[str, Any]:
    done = tailrace("dns", "explain", name, "--client", client, "--lake", lake, "--format", "json", *options)
    assert (done.returncode, done.stderr) == (0, "")
    story: dict[str, Any] = json.loads(done.stdout)
    return story


def incident(name: str, **wanted: str) -> dict[str, Any]:
    return next(one for one in truth()["dns_incidents"] if one["name"] == name and wanted.items() <= one.items())


def test_the_search_path_of_a_name_outside(sample_lake: Path) -> None:
    story = told(sample_lake, "rates.partner-api.example", "payments/fx-rates")
    steps = story["steps"]
    tried = [step["suffix"] for step in steps if step["qtype"] == "A"]
    assert tried == ["payments.svc.cluster.local", "svc.cluster.local", "cluster.local", "."]
    assert [step["wasted"] for step in steps] == [True] * 6 + [False] * 2
    assert {step["rcode"] for step in steps if step["wasted"]} == {"NXDOMAIN"}
    assert [leg["server_ip"] for leg in steps[-2]["upstream"]] == [UPSTREAM]
    wasted = incident("search-path-nxdomain", asked="rates.partner-api.example")
    assert story["usual"]["wasted_queries"] == wasted["queries"]


def test_what_it_connected_to(sample_lake: Path) -> None:
    outside = told(sample_lake, "rates.partner-api.example", "payments/fx-rates")
    (connection,) = outside["connections"]
    (address,) = outside["resolution"]["addresses"]
    assert (connection["dst_ip"], connection["dst_port"], connection["failed"]) == (address, 443, False)
    (service,) = told(sample_lake, "payments.payments", "shop/api")["connections"]
    assert (service["service"], service["dst_workload"], service["backend_port"]) == ("payments", "payments", 9090)


def test_a_dead_upstream(sample_lake: Path) -> None:
    stories = [
        told(sample_lake, "erp.legacy.example", "payments/reconciler", *options)
        for options in ((), ("--at", "2026-11-22T04:23:25Z"))
    ]
    assert {story["resolution"]["rcode"] for story in stories} == {"SERVFAIL"}
    assert stories[1]["resolution"]["start_time"].startswith("2026-11-22T04:23:24")
    legs = [leg for step in stories[1]["steps"] for leg in step["upstream"]]
    assert {(leg["server_ip"], leg["outcome"]) for leg in legs} == {(DEAD_UPSTREAM, "unanswered")}
    waited = [step["upstream_us"] for step in stories[1]["steps"] if not step["wasted"]]
    assert min(waited) > 700_000
    assert [stories[1]["usual"][name] for name in ("answered", "failed")] == [0, stories[1]["usual"]["resolutions"]]


def test_an_answer_cut_short_is_asked_for_again_over_tcp(sample_lake: Path) -> None:
    steps = told(sample_lake, "edge-pool.cdn.example", "shop/recommender")["steps"]
    cut, again = steps[-2:]
    assert (cut["tc"], cut["transport"], again["transport"]) == (True, "udp", "tcp")
    assert again["retry_of"] == cut["transaction_id"]
    assert len(again["answers"]) == 60


def test_a_query_without_an_answer_is_a_finding_of_its_name(sample_lake: Path) -> None:
    story = told(sample_lake, "pushgateway.ops.svc.cluster.local", "ops/prometheus")
    lost = incident("never-answers")
    assert [story["resolution"][name] for name in ("outcome", "queries")] == ["unanswered", lost["queries"]]
    assert "unanswered" in [finding["diagnosis"] for finding in story["findings"]]


def test_a_name_spelt_wrong_on_the_command_line(sample_lake: Path) -> None:
    found = told(sample_lake, "rates.partner-api.exmple", "payments/fx-rates")
    assert found["resolution"] is None
    assert [row["asked"] for row in found["client_asked_for"]] == ["rates.partner-api.example"]


def test_the_story_fits_a_terminal(sample_lake: Path) -> None:
    for name, client in (("erp.legacy.example", "payments/reconciler"), ("payments.payments", "shop/api")):
        done = tailrace("dns", "explain", name, "--client", client, "--lake", sample_lake)
        assert (done.returncode, done.stderr) == (0, "")
        assert [line for line in done.stdout.splitlines() if len(line) > 100 and "See " not in line] == []
