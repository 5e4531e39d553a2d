"""The doctor's report: which diagnoses found nothing, and which could not judge."""

from datetime import timedelta
from pathlib import Path

import pytest

from analysis.dns import doctor, unanswered
from analysis.dns.doctor import examine
from analysis.dns.examination import NO_SERVICES, NOTHING_ASKED
from analysis.dns.finding import Context, Diagnosis
from contract.errors import QuestionError
from store.lake import Lake
from tests.support.names import NOON, make_names, transaction
from tests.support.names import unanswered as lost


@pytest.fixture
def silent_lake(tmp_path: Path) -> Lake:
    return make_names(tmp_path, dns=[transaction(1, "a.example")])


def test_what_found_nothing_is_named(silent_lake: Lake) -> None:
    report = examine(silent_lake, {}, Context(), ["unanswered"])
    assert (report.findings, report.unjudged) == ([], [])
    assert report.silent == [unanswered.DIAGNOSIS]


def test_a_diagnosis_that_needs_the_services_does_not_judge_without_them(
    silent_lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    needy = Diagnosis("unanswered", "Needs the Services", unanswered.judge, needs_services=True)
    monkeypatch.setattr(doctor, "DIAGNOSES", (needy,))
    without, given = (examine(silent_lake, {}, context) for context in (Context(), Context(services=())))
    assert [(one.diagnosis, one.why) for one in without.unjudged] == [(needy, NO_SERVICES)]
    assert (without.silent, given.unjudged, given.silent) == ([], [], [needy])


@pytest.mark.parametrize("whose", [{"workload": "apy"}, {"namespace": "shoop"}, {"since": NOON + timedelta(days=1)}])
def test_nobody_is_not_found_to_be_well(silent_lake: Lake, whose: dict[str, object]) -> None:
    report = examine(silent_lake, whose, Context(), ["unanswered"])
    assert [(one.diagnosis, one.why) for one in report.unjudged] == [(unanswered.DIAGNOSIS, NOTHING_ASKED)]
    assert (report.findings, report.silent) == ([], [])


def test_a_question_that_is_refused_does_not_take_the_others_with_it(tmp_path: Path) -> None:
    lake = make_names(tmp_path, dns=[lost(number, "a.example") for number in range(2)])
    report = examine(lake, {"no_such": 1}, Context(), ["unanswered"])
    assert [one.diagnosis.name for one in report.unjudged] == ["unanswered"]
    assert "no parameter 'no_such'" in report.unjudged[0].why


def test_an_unknown_diagnosis_is_named(silent_lake: Lake) -> None:
    with pytest.raises(QuestionError, match="no diagnosis 'nonsense'"):
        examine(silent_lake, {}, Context(), ["nonsense"])
