from datetime import timedelta
from pathlib import Path
from random import Random
from string import ascii_lowercase

import pytest

from analysis.dns.finding import Severity
from tests.support.detected import detected
from tests.support.names import COREDNS, NOON, Row, resolution

DICE = Random(7)
RANDOM = ["".join(DICE.choices(ascii_lowercase, k=14)) + DICE.choice((".net", ".info")) for _ in range(30)]
WORDS = ["harbor", "meadow", "silver", "canyon", "window", "orange", "timber", "garden", "marble", "falcon"]
WORDLIKE = [f"{one}{other}.example" for one in WORDS for other in WORDS[:5]]


def absent(names: list[str], **more: object) -> list[Row]:
    told = {"outcome": "nxdomain", "rcode": "NXDOMAIN", "addresses": None, **more}
    return [resolution(number, name, registered_domain=name, **told) for number, name in enumerate(names)]


def present(names: list[str], first: int = 1000) -> list[Row]:
    return [resolution(first + number, f"www.{name}", registered_domain=name) for number, name in enumerate(names)]


def test_random_letters_that_do_not_exist(tmp_path: Path) -> None:
    (finding,) = detected(tmp_path, "dga", absent(RANDOM) + present(WORDLIKE[:10]))
    figures = ("absent", "domains", "resolutions", "suffixes", "characters")
    assert [finding.evidence[name] for name in figures] == [30, 40, 30, 2, 420]
    assert finding.evidence["vowels"] == sum(name[:14].count(vowel) for name in RANDOM for vowel in "aeiou")
    assert (finding.subject, finding.severity) == ("shop/api", Severity.CRITICAL)
    assert "30 of 40 registered domains asked for on 2026-11-01 do not exist" in finding.says
    assert "as of random letters" in finding.says
    assert finding.evidence["examples"] == sorted(RANDOM[:8])


@pytest.mark.parametrize("count, found", [(39, 0), (40, 1)])
def test_names_of_words_must_be_many(tmp_path: Path, count: int, found: int) -> None:
    findings = detected(tmp_path, "dga", absent(WORDLIKE[:count]) + present(["one.example", "two.example"]))
    assert [finding.severity for finding in findings] == [Severity.WARNING] * found


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param(absent(RANDOM[:14]), id="a few"),
        pytest.param(absent(RANDOM) + present(WORDLIKE[:31]), id="most domains exist"),
        pytest.param(absent(RANDOM) + present(RANDOM), id="names below domains that exist"),
        pytest.param(absent([f"{number}.in-addr.arpa" for number in range(200)]), id="reverse lookups"),
        pytest.param(absent(RANDOM, client=COREDNS), id="what a name server asks for others"),
        pytest.param(
            [row | {"registered_domain": None} for row in absent(RANDOM)], id="names of the cluster, single labels"
        ),
        pytest.param(absent(RANDOM, outcome="failed", rcode="SERVFAIL"), id="no answer that says so"),
    ],
)
def test_what_is_no_burst(tmp_path: Path, rows: list[Row]) -> None:
    assert not detected(tmp_path, "dga", rows)


def test_days_are_counted_apart(tmp_path: Path) -> None:
    later = [row | {"start_time": NOON + timedelta(days=n % 3)} for n, row in enumerate(absent(RANDOM))]
    assert not detected(tmp_path, "dga", later)
