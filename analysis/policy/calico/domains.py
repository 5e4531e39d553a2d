"""Names of addresses outside, as Calico Enterprise and Cloud match them; open-source Calico has no such field."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from analysis.policy.endpoints import Columns, Mask
from analysis.policy.parts import Part

LONGEST_DOMAIN = 253
PARTS = re.compile(r"(\*|[a-z0-9_]([-a-z0-9_]{0,61}[a-z0-9_])?)(\.(\*|[a-z0-9_]([-a-z0-9_]{0,61}[a-z0-9_])?))*")


@dataclass(frozen=True)
class Pattern:
    """``before`` and ``behind`` the asterisk, which stands for one part of the name or more; without one they are one."""

    before: str
    behind: str | None = None

    @property
    def pattern(self) -> str:
        return self.before if self.behind is None else f"{self.before}*{self.behind}"

    def matches(self, domain: str) -> bool:
        if self.behind is None:
            return domain == self.before
        least = len(self.before) + len(self.behind) + 1
        return len(domain) >= least and domain.startswith(self.before) and domain.endswith(self.behind)


@dataclass(frozen=True)
class Domains:
    patterns: tuple[Pattern, ...]

    def mask(self, columns: Columns) -> Mask:
        return matching(self.patterns, columns)


def matching(patterns: Sequence[Pattern], columns: Columns) -> Mask:
    known = columns.domains
    return known.one_of([name for name in known.numbers if any(one.matches(_plain(name)) for one in patterns)])


def pattern(part: Part) -> Pattern:
    name = _plain(part.text)
    if len(name) > LONGEST_DOMAIN or not PARTS.fullmatch(name) or name.count("*") > 1:
        raise part.wrong(f"{part.text!r:.60} is no domain", "write it as db.example.com or *.example.com")
    before, asterisk, behind = name.partition("*")
    return Pattern(before, behind if asterisk else None)


def _plain(name: str) -> str:
    return name.lower().removesuffix(".")
