"""Can A reach B on this port, and why; or on which ports at all."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from analysis.policy.endpoints import PROTOCOLS, Columns, Endpoint
from analysis.policy.evaluate import ALWAYS, DEFAULT_DENY, Edges, Verdicts, columns_of, evaluate, up_to_plugin
from analysis.policy.grid import State, states_of
from analysis.policy.lookup import Services, matching, services, split, stranger
from analysis.policy.ports import Span, merged
from analysis.policy.reasons import Asked, Reasons
from analysis.policy.rules import MOST_PORT, Direction, Policies
from analysis.policy.space import Space, space_of
from contract.errors import QuestionError

# More pods than that at both ends are asked about one by one.
MOST_PAIRS = 1 << 20
TCP = PROTOCOLS["TCP"]


@dataclass(frozen=True)
class Answer:
    """What holds of these ports between all these pairs.

    ``by_address``: allowed only because an ipBlock has the address of a pod, which is up to the plugin.
    """

    state: State
    by_address: bool
    spans: Sequence[Span]
    pairs: Sequence[tuple[Endpoint, Endpoint]]
    egress: str
    ingress: str
    near: Sequence[str]


@dataclass(frozen=True)
class Reach:
    """``pairs`` is how many were judged; without a port there is an answer for every port."""

    src: Sequence[Endpoint]
    dst: Sequence[Endpoint]
    pairs: int
    answers: Sequence[Answer]
    reachable: bool


class _Kind(NamedTuple):
    """Pairs of which one stands for all, and the ports they are asked about."""

    src: int
    dst: int
    services: Services
    members: tuple[tuple[int, int], ...]


class _Group(NamedTuple):
    """An answer in the making: all ports and pairs of which the same holds."""

    state: State
    by_address: bool
    texts: tuple[str, str, tuple[str, ...]]
    spans: dict[Span, None]
    pairs: dict[tuple[int, int], None]

    def answer(self, endpoints: Sequence[Endpoint]) -> Answer:
        pairs = [(endpoints[src], endpoints[dst]) for src, dst in self.pairs]
        return Answer(self.state, self.by_address, merged(self.spans), pairs, *self.texts)


def reach(policies: Policies, known: Sequence[Endpoint], src: str, dst: str, seen: Sequence[Endpoint] = ()) -> Reach:
    """``src`` and ``dst`` as ``analysis.policy.lookup`` reads them; those that only history has seen are in ``seen``."""
    target, service = split(dst)
    endpoints = list(known)
    sources, targets = (_rows(text, endpoints, seen) for text in (src, target))
    space = space_of([policies], endpoints)
    pairs = _pairs(endpoints, sources, targets)
    kinds = list(_kinds(policies, space, pairs, services(service, space, targets)))
    answers = _answers(policies, space, kinds)
    return Reach(
        [endpoints[row] for row in sources],
        [endpoints[row] for row in targets],
        len(pairs),
        answers,
        _reachable(answers, service.port is None),
    )


def _reachable(answers: Sequence[Answer], any_port: bool) -> bool:
    """Every pair; on any port where none was asked about, else on all of them."""
    open_pairs = {pair for answer in answers if answer.state is State.ALLOWED for pair in map(_key, answer.pairs)}
    every = {pair for answer in answers for pair in map(_key, answer.pairs)}
    if any_port:
        return open_pairs == every
    return all(answer.state is State.ALLOWED for answer in answers)


def _key(pair: tuple[Endpoint, Endpoint]) -> tuple[int, int]:
    return id(pair[0]), id(pair[1])


def _rows(text: str, endpoints: list[Endpoint], seen: Sequence[Endpoint]) -> list[int]:
    """In ``endpoints``, to which those are added that it lacks."""
    found = matching(text, endpoints)
    if found:
        return found
    more = [seen[row] for row in matching(text, seen)] or [stranger(text, [*endpoints, *seen])]
    endpoints += more
    return list(range(len(endpoints) - len(more), len(endpoints)))


def _pairs(endpoints: Sequence[Endpoint], sources: Sequence[int], targets: Sequence[int]) -> list[tuple[int, int]]:
    """Without a pod and itself, unless there is nothing else, and without addresses of two families."""
    if len(sources) * len(targets) > MOST_PAIRS:
        raise QuestionError(f"{len(sources):,} × {len(targets):,} pods are too many; name a pod")
    identity = Columns(endpoints).identities
    versions = [None if one.address is None else ":" in one.address for one in endpoints]
    every = [
        (a, b) for a in sources for b in targets if None in (versions[a], versions[b]) or versions[a] == versions[b]
    ]
    apart = [(a, b) for a, b in every if identity[a] != identity[b]]
    found = apart or every
    if not found:
        raise QuestionError("one end has IPv4 addresses only, and the other IPv6 only; name other ends")
    return found


def _kinds(
    policies: Policies, space: Space, pairs: Sequence[tuple[int, int]], services: Mapping[int, Services]
) -> Iterator[_Kind]:
    """Pairs that behave alike; a pod and its own node are a kind of their own."""
    src, dst = (np.array([pair[end] for pair in pairs], np.int64) for end in (0, 1))
    probe = np.full(len(pairs), TCP), np.full(len(pairs), MOST_PORT)
    verdicts = evaluate(policies, space.endpoints, Edges(src, dst, *probe))
    always = zip((verdicts.egress == ALWAYS).tolist(), (verdicts.ingress == ALWAYS).tolist(), strict=True)
    groups: dict[tuple[object, ...], list[tuple[int, int]]] = {}
    for pair, related in zip(pairs, always, strict=True):
        behaviours = tuple(space.behaviour[list(pair)].tolist())
        groups.setdefault((*behaviours, related, services[pair[1]]), []).append(pair)
    for members in groups.values():
        yield _Kind(*members[0], services[members[0][1]], tuple(members))


def _answers(policies: Policies, space: Space, kinds: Sequence[_Kind]) -> list[Answer]:
    asked = [Asked(kind.src, kind.dst, one.protocol, one.port) for kind in kinds for one in kind.services]
    edges = Edges(*np.array(asked, np.int64).reshape(-1, 4).T)
    verdicts = evaluate(policies, space.endpoints, edges)
    columns = columns_of(policies, space.endpoints)
    by_address = up_to_plugin(policies, columns, edges, verdicts) & verdicts.allowed
    told = _told(Reasons(policies, columns), asked, verdicts)
    states = zip(states_of(verdicts).tolist(), by_address.tolist(), told, strict=True)
    judged = iter(states)
    groups: dict[tuple[object, ...], _Group] = {}
    for kind in kinds:
        for one in kind.services:
            state, address, texts = next(judged)
            key = (state, address, texts, one if len(kind.services) == 1 else None)
            group = groups.setdefault(key, _Group(State(state), address, texts, {}, {}))
            group.spans.update(dict.fromkeys(one.spans))
            group.pairs.update(dict.fromkeys(kind.members))
    found = [group.answer(space.endpoints) for group in groups.values()]
    return sorted(found, key=lambda answer: (-answer.state, -len(answer.pairs), answer.spans))


def _told(reasons: Reasons, asked: Sequence[Asked], verdicts: Verdicts) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Of both directions, and what came near where one was asked about a single port."""
    sides = ((Direction.EGRESS, verdicts.egress.tolist()), (Direction.INGRESS, verdicts.ingress.tolist()))
    single = len({one[2:] for one in asked}) == 1
    for row, one in enumerate(asked):
        egress, ingress = (reasons.told(direction, decided[row], one) for direction, decided in sides)
        denied = [direction for direction, decided in sides if decided[row] == DEFAULT_DENY and single]
        yield egress, ingress, tuple(text for direction in denied for text in reasons.near(direction, one))
