from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from analysis.detect.detections import detect
from analysis.detect.tunnelling import carried
from analysis.dns.finding import Severity
from benchmarks.names.asked import WORDS
from tests.support.detected import asked, detected, digits
from tests.support.names import COREDNS, NOON, UPSTREAM, Row, make_names, pod, resolution, transaction

ZONE = "evil.example"
NAMES = [f"{digits(number, 40)}.{ZONE}" for number in range(60)]
TXT = asked(NAMES, ZONE, qtypes="TXT", addresses=None)
ADDRESSES = asked(NAMES, ZONE)


def test_data_in_txt_queries_with_what_went_each_way(tmp_path: Path) -> None:
    answers = [
        transaction(number, name, registered_domain=ZONE, query_bytes=70, response_bytes=200)
        for number, name in enumerate(NAMES)
    ]
    (finding,) = detected(tmp_path, "tunnelling", TXT, dns=answers)
    figures = ("names", "resolutions", "characters", "longest", "without_address", "query_bytes", "response_bytes")
    assert [finding.evidence[name] for name in figures] == [60, 60, 2400, 53, 60, 4200, 12000]
    assert finding.subject == "shop/api → evil.example"
    assert finding.severity is Severity.CRITICAL
    assert "60 different names below evil.example in 60 resolutions, 40 characters each" in finding.says
    assert finding.look == {"from_namespace": "shop", "from_workload": "api", "domain": "*.evil.example"}
    assert len(finding.evidence["sample"]) == 8


def test_queries_for_addresses_weigh_less(tmp_path: Path) -> None:
    (finding,) = detected(tmp_path, "tunnelling", ADDRESSES)
    assert (finding.severity, finding.evidence["without_address"]) == (Severity.WARNING, 0)
    half = [row | {"resolution_id": f"half{number}"} for number, row in enumerate(ADDRESSES[:40])]
    assert not detected(tmp_path / "half", "tunnelling", half)
    assert detected(tmp_path / "txt", "tunnelling", TXT[:40])


ASSETS = asked([f"{digits(number % 20, 12)}.assets.cdn.example" for number in range(200)], "cdn.example")
LISTED = [f"{number}.2.0.192.list.example" for number in range(1, 201)]
NIBBLES = [f"{'.'.join(digits(number, 32))}.list.example" for number in range(60)]
DICE = Random(5)
TENANTS = [f"{DICE.choice(WORDS)}-{DICE.choice(WORDS)}.customers.example" for _ in range(400)]
ROW_BY_ROW = [f"host-{number:05d}.pool.example" for number in range(150)]


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param(ASSETS, id="hashed hosts asked for again and again"),
        pytest.param(asked(LISTED, "list.example", qtypes="A"), id="addresses asked about"),
        pytest.param(asked(NIBBLES, "list.example", qtypes="A"), id="addresses of IPv6 asked about"),
        pytest.param(asked(ROW_BY_ROW, "pool.example"), id="names that a counter makes"),
        pytest.param(asked([f"{name[:40]}.9.in-addr.arpa" for name in NAMES], "9.in-addr.arpa"), id="reverse"),
        pytest.param(asked([f"{name[:40]}.avqs.mcafee.com" for name in NAMES], "mcafee.com"), id="known lookups"),
        pytest.param(asked(NAMES, ZONE, client=COREDNS), id="what a name server asks for others"),
        pytest.param(asked([name.removesuffix(ZONE) + "svc.cluster.local" for name in NAMES], None), id="own names"),  # type: ignore[arg-type]
        pytest.param(TXT[:20], id="a few"),
        pytest.param(asked(TENANTS, "customers.example"), id="a customer each"),
    ],
)
def test_names_that_carry_nothing(tmp_path: Path, rows: list[Row]) -> None:
    assert not detected(tmp_path, "tunnelling", rows)


def test_each_client_is_judged_alone(tmp_path: Path) -> None:
    clients = [pod(f"worker-{number}", f"10.244.1.{number}") for number in range(20, 26)]
    rows = [resolution(n, name, clients[n % 6], registered_domain=ZONE) for n, name in enumerate(NAMES)]
    assert not detected(tmp_path, "tunnelling", rows)


def test_what_matters_is_how_much_a_day(tmp_path: Path) -> None:
    def every(step: timedelta) -> list[Row]:
        return [row | {"start_time": NOON + n * step, "end_time": NOON + n * step} for n, row in enumerate(ADDRESSES)]

    assert detected(tmp_path / "minutes", "tunnelling", every(timedelta(minutes=20)))
    assert not detected(tmp_path / "hours", "tunnelling", every(timedelta(hours=4)))


def test_what_a_user_knows_is_not_reported(tmp_path: Path) -> None:
    lake = make_names(tmp_path, resolutions=TXT)
    assert detect(lake, {}, ["tunnelling"]).findings
    assert not detect(lake, {}, ["tunnelling"], frozenset({ZONE})).findings
    assert not detect(lake, {"namespace": "other"}, ["tunnelling"]).findings
    assert not detect(lake, {"workload": "other"}, ["tunnelling"]).findings


def test_a_name_server_outside_is_a_client_like_any_other(tmp_path: Path) -> None:
    (finding,) = detected(tmp_path, "tunnelling", asked(NAMES, ZONE, client=UPSTREAM))
    assert finding.subject == "203.0.113.53 → evil.example"
    assert finding.look == {"from_ip": "203.0.113.53", "domain": "*.evil.example"}


def test_hostile_names_are_data(tmp_path: Path) -> None:
    hostile = [f"<b>\\027[31m{digits(number, 40)}.{ZONE}" for number in range(60)]
    (finding,) = detected(tmp_path, "tunnelling", asked(hostile, ZONE))
    assert all(before.startswith("<b>\\027[31m") for before in finding.evidence["sample"])


def _row(sample: list[str]) -> dict[str, Any]:
    return {"sample": sample, "names": len(sample)}


def test_what_a_compressor_can_foresee_is_not_carried() -> None:
    random = carried(_row([digits(number, 40) for number in range(200)]))
    # Four bits a digit are 20 bytes a name; Huffman's codes and the line ends add their part.
    assert 200 * 20 <= random <= 200 * 24
    assert carried(_row([f"host-{number:035d}" for number in range(200)])) < random / 9
    assert carried(_row(["static"] * 200)) < 40
