"""What the doctor found, with the words for it."""

from collections.abc import Mapping
from dataclasses import dataclass

from analysis.dns.examination import Report
from analysis.dns.judged import Judged


@dataclass(frozen=True)
class Examined:
    """``titles`` of diagnoses and detections by their name."""

    report: Report
    titles: Mapping[str, str]
    judged: Judged
