"""The ports that a number of rules tell apart: on two ports of one class every rule says the same."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from analysis.graph import protocol_name
from analysis.policy.endpoints import ABSENT, PROTOCOLS, Columns, Numbers
from analysis.policy.rules import MOST_PORT, NO_PORT, AllBut, NamedPort, Port, PortRange

PORTED = tuple(PROTOCOLS.values())
OTHERS = tuple(number for number in range(256) if number not in PORTED)
LEAST_PORT = 1
# More than any port, so that protocol and port are one number.
_STEP = 1 << 17


class Span(NamedTuple):
    """Ports of one protocol that lie together; a protocol without ports has NO_PORT for both."""

    protocol: int
    first: int
    last: int


@dataclass(frozen=True)
class PortClass:
    spans: tuple[Span, ...]

    @property
    def protocol(self) -> int:
        return self.spans[0].protocol

    @property
    def port(self) -> int:
        return self.spans[0].first

    @property
    def nameable(self) -> bool:
        """Whether a NetworkPolicy can name it."""
        return self.protocol in PORTED


class PortClasses:
    """``classes`` has all that is not told apart, ``numbers`` says which one a port is of."""

    def __init__(self, ports: Iterable[Port], columns: Columns) -> None:
        distinct = list(dict.fromkeys(_flat(ports)))
        named = [one for one in distinct if isinstance(one, NamedPort)]
        numbers = {(one.protocol, n) for one in named for n in columns.port(one.name, one.protocol).tolist()}
        numbers = {(protocol, number) for protocol, number in numbers if number != ABSENT}
        ranges = [one for one in distinct if isinstance(one, PortRange)]
        self._spans = sorted(_spans(ranges, numbers))
        self._class = _classes(self._spans, ranges, numbers, columns)
        members: dict[int, list[Span]] = {}
        for number, span in zip(self._class.tolist(), self._spans, strict=True):
            members.setdefault(number, []).append(span)
        self.classes = [PortClass(tuple(members[number])) for number in range(len(members))]

    def numbers(self, protocol: Numbers, port: Numbers) -> Numbers:
        """The class of each port, or ABSENT of what is none: port 0, TCP without a port."""
        first = np.array([_key(span.protocol, span.first) for span in self._spans], np.int64)
        last = np.array([_key(span.protocol, span.last) for span in self._spans], np.int64)
        wanted = protocol * _STEP + np.where(np.isin(protocol, PORTED), port, NO_PORT)
        at = np.maximum(np.searchsorted(first, wanted, side="right") - 1, 0)
        return np.where((first[at] <= wanted) & (wanted <= last[at]), self._class[at], ABSENT)


def _flat(ports: Iterable[Port]) -> Iterator[PortRange | NamedPort]:
    for one in ports:
        if isinstance(one, AllBut):
            yield from (*one.ports, *one.among)
        else:
            yield one


def _spans(ranges: Iterable[PortRange], numbers: Iterable[tuple[int, int]]) -> Iterator[Span]:
    """What no rule divides."""
    cuts = {protocol: {LEAST_PORT, MOST_PORT + 1} for protocol in PORTED}
    ends = [(one.protocol, one.first, one.last) for one in ranges] + [(p, n, n) for p, n in numbers]
    for protocol, first, last in ends:
        if protocol in cuts:
            cuts[protocol] |= {cut for cut in (first, last + 1) if LEAST_PORT < cut <= MOST_PORT}
    for protocol in PORTED:
        yield from (Span(protocol, first, after - 1) for first, after in pairwise(sorted(cuts[protocol])))
    yield from (Span(protocol, NO_PORT, NO_PORT) for protocol in OTHERS)


def _classes(
    spans: Sequence[Span], ranges: Sequence[PortRange], numbers: set[tuple[int, int]], columns: Columns
) -> Numbers:
    """Spans on which every range says the same are one class; what any pod gives a name is one of its own."""
    protocol, port = (np.array([span[part] for span in spans], np.int64) for part in (0, 1))
    dst = np.zeros(len(spans), np.int64)
    masks = (
        np.array([one.mask(columns, dst, protocol, port) for one in ranges], np.bool_)
        .reshape(len(ranges), len(spans))
        .T
    )
    found: dict[tuple[bytes, bool, tuple[int, int] | None], int] = {}
    of_each = []
    for span, mask in zip(spans, masks, strict=True):
        own = (span.protocol, span.first)
        key = mask.tobytes(), span.protocol in PORTED, own if own in numbers else None
        of_each.append(found.setdefault(key, len(found)))
    return np.array(of_each, np.int64)


def _key(protocol: int, port: int) -> int:
    return protocol * _STEP + port


def merged(spans: Iterable[Span]) -> list[Span]:
    """As few as say the same."""
    found: list[Span] = []
    for span in sorted(spans):
        before = found[-1] if found else None
        if before and span.first != NO_PORT and (before.protocol, before.last + 1) == (span.protocol, span.first):
            found[-1] = before._replace(last=span.last)
        else:
            found.append(span)
    return found


def told(spans: Iterable[Span]) -> str:
    """In words: as they are, or as all but the others, whichever is shorter."""
    whole = merged(spans)
    if not whole:
        return "nothing"
    missing = list(_missing(whole))
    return min(_listed(whole), f"all but {_listed(missing)}", key=len) if missing else "anything"


def _missing(whole: Sequence[Span]) -> Iterator[Span]:
    for protocol in PORTED:
        held = [span for span in whole if span.protocol == protocol]
        lasts = [LEAST_PORT - 1, *(span.last for span in held)]
        firsts = [*(span.first for span in held), MOST_PORT + 1]
        gaps = zip(lasts, firsts, strict=True)
        yield from (Span(protocol, last + 1, first - 1) for last, first in gaps if last + 1 < first)
    yield from (Span(number, NO_PORT, NO_PORT) for number in OTHERS if (number, NO_PORT, NO_PORT) not in whole)


def _listed(whole: Sequence[Span]) -> str:
    words = [_told([span for span in whole if span.protocol == protocol]) for protocol in PORTED]
    others = [span.protocol for span in whole if span.protocol in OTHERS]
    return "; ".join([*filter(None, words), *filter(None, [_others(others)])])


def _told(spans: Sequence[Span]) -> str:
    if not spans:
        return ""
    name = protocol_name(spans[0].protocol, None)
    if spans[0][1:] == (LEAST_PORT, MOST_PORT):
        return name
    return f"{name} {', '.join(_range(span) for span in spans)}"


def _range(span: Span) -> str:
    return f"{span.first}" if span.first == span.last else f"{span.first}-{span.last}"


def _others(protocols: Sequence[int]) -> str:
    missing = [number for number in OTHERS if number not in protocols]
    if not missing:
        return "all other protocols"
    if len(missing) < len(protocols):
        return f"all other protocols but {', '.join(protocol_name(number, None) for number in missing)}"
    return ", ".join(protocol_name(number, None) for number in protocols)
