"""What the doctor found, with the words for it."""

from collections.abc import Mapping
from dataclasses import dataclass

from analysis.dns.doctor import Report


@dataclass(frozen=True)
class Examined:
    """``titles`` of diagnoses by their name."""

    report: Report
    titles: Mapping[str, str]
