"""Addresses by the name that was asked for them: toFQDNs.

Matched without regular expressions, as a pattern of many ``*`` would take them for ever.
"""

import re
from dataclasses import dataclass

from analysis.policy.endpoints import Columns, Mask
from analysis.policy.parts import Part

LONGEST = 255
NAME = re.compile(r"[-a-zA-Z0-9_]+(\.[-a-zA-Z0-9_]+)*\.?")
PATTERN = re.compile(r"[-a-zA-Z0-9_*]+(\.[-a-zA-Z0-9_*]+)*\.?")
LABEL = re.compile(r"[-a-z0-9_]*")
EVERY_NAME = re.compile(r"\*+\.?")


@dataclass(frozen=True)
class Domain:
    """``*`` stands for any characters of one label, ``**.`` in front for any labels, ``*`` alone for every name."""

    pattern: str

    def mask(self, columns: Columns) -> Mask:
        known = columns.domains
        return known.one_of([name for name in known.numbers if matches(self.pattern, name.lower().rstrip("."))])


def matches(pattern: str, name: str) -> bool:
    """``name`` is in lower case and without the dot of the root."""
    labels = name.split(".")
    if EVERY_NAME.fullmatch(pattern):
        return all(label and LABEL.fullmatch(label) for label in labels)
    wanted = pattern.lower().rstrip(".").split(".")
    if len(wanted) > 1 and len(wanted[0]) > 1 and not wanted[0].strip("*"):
        rest = len(wanted) - 1
        before, labels, wanted = labels[:-rest], labels[-rest:], wanted[1:]
        if not before or not all(label and LABEL.fullmatch(label) for label in before):
            return False
    return len(labels) == len(wanted) and all(map(_matches, wanted, labels))


def _matches(pattern: str, label: str) -> bool:
    first, *pieces = pattern.split("*")
    if not pieces:
        return pattern == label
    last = pieces.pop()
    if not LABEL.fullmatch(label) or not label.startswith(first) or len(label) < len(first) + len(last):
        return False
    at, end = len(first), len(label) - len(last)
    for piece in pieces:
        found = label.find(piece, at, end)
        if found < 0:
            return False
        at = found + len(piece)
    return label.endswith(last)


def domain(part: Part) -> str:
    """The pattern of an entry of toFQDNs or of a DNS rule; a name is a pattern without ``*``."""
    part.fields(("matchName", "matchPattern"))
    told = [one for key in ("matchName", "matchPattern") if (one := part.get(key)) is not None]
    if len(told) != 1:
        raise part.wrong("needs either a matchName or a matchPattern", "write one of them")
    allowed = NAME if part.get("matchName") else PATTERN
    if len(told[0].text) > LONGEST or not allowed.fullmatch(told[0].text):
        raise told[0].wrong(
            f"{told[0].text!r:.80} is no name of a domain",
            "write it as www.example.com, or *.example.com as matchPattern",
        )
    return told[0].text
