import pytest

from analysis.detect.detections import DETECTIONS, detect
from analysis.dns.examination import NOTHING_ASKED, Unjudged
from analysis.questions import catalogue
from contract.errors import QuestionError
from store.lake import Lake


def test_every_detection_has_its_question_and_the_other_way_round() -> None:
    asked = {name.removeprefix("detect/") for name in catalogue() if name.startswith("detect/")}
    assert asked == {detection.name for detection in DETECTIONS}


def test_an_empty_lake_is_not_judged(empty_lake: Lake) -> None:
    report = detect(empty_lake, {})
    assert (report.findings, report.silent, report.cut) == ([], [], [])
    assert list(report.unjudged) == [Unjudged(detection, NOTHING_ASKED) for detection in DETECTIONS]


def test_an_unknown_name_is_refused(empty_lake: Lake) -> None:
    with pytest.raises(QuestionError, match="no detection 'dag'; there are dga, fast_flux"):
        detect(empty_lake, {}, ["dag"])
