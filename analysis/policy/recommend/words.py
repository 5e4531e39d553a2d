"""What stands above a rule, and in the annotations of a policy."""

import textwrap
from collections.abc import Iterable, Sequence

from analysis.graph import protocol_name
from analysis.policy.recommend.model import Allowance, Evidence
from analysis.policy.rules import NO_PORT
from analysis.words import counted

MOST_LINES = 12
WIDTH = 110
UNITS = ("B", "kB", "MB", "GB", "TB")


def edge(one: Evidence) -> str:
    port = None if one.port == NO_PORT else one.port
    through = f" through Service {one.service}" if one.service else ""
    return f"{one.src} → {one.dst} {protocol_name(one.protocol, port)}{through}: {_counts(one)}"


def _counts(one: Evidence) -> str:
    parts = [counted(one.connections, "connection")]
    parts += [f"{one.failed:,} failed"] if one.failed else []
    parts += [f"{one.ambiguous:,} ambiguous"] if one.ambiguous else []
    return f"{', '.join(parts)}, {size(one.bytes)}, {times(one)}"


def times(one: Evidence) -> str:
    first, last = f"{one.first_seen:%Y-%m-%dT%H:%M:%SZ}", f"{one.last_seen:%Y-%m-%dT%H:%M:%SZ}"
    return f"{first} to {last}"


def size(count: int) -> str:
    """Of three digits, in powers of ten."""
    value, unit = float(count), UNITS[0]
    for unit in UNITS:
        if value < 1000 or unit == UNITS[-1]:
            break
        value /= 1000
    return f"{value:.0f} {unit}" if unit == "B" or value >= 100 else f"{value:.3g} {unit}"


def edges(found: Sequence[Evidence]) -> tuple[str, ...]:
    """The first of them, and how many more."""
    lines = [edge(one) for one in found[:MOST_LINES]]
    rest = found[MOST_LINES:]
    if rest:
        connections = sum(one.connections for one in rest)
        lines.append(f"and {counted(len(rest), 'edge')} more ({counted(connections, 'connection')})")
    return tuple(lines)


def allowance(one: Allowance) -> tuple[str, ...]:
    return (*edges(one.evidence), *(f"Note: {note}." for note in one.notes))


def names(found: Iterable[str]) -> list[str]:
    """In lines of a width that people read."""
    return textwrap.wrap(", ".join(sorted(found)), WIDTH, break_long_words=False, break_on_hyphens=False)


def total(allowances: Iterable[Allowance]) -> str:
    evidence = [edge for one in allowances for edge in one.evidence]
    if not evidence:
        return "nothing was seen"
    connections = sum(edge.connections for edge in evidence)
    first, last = min(edge.first_seen for edge in evidence), max(edge.last_seen for edge in evidence)
    span = f"{first:%Y-%m-%dT%H:%M:%SZ} to {last:%Y-%m-%dT%H:%M:%SZ}"
    return f"{counted(len(evidence), 'edge')}, {counted(connections, 'connection')}, {span}"
