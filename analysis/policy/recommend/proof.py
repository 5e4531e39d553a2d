"""What is printed is read again and replayed on what it was learned from, or it is not printed."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from analysis.graph import protocol_name
from analysis.policy.dialects import policies_of
from analysis.policy.documents import documents_of
from analysis.policy.evaluate import Verdicts, evaluate
from analysis.policy.parts import Part
from analysis.policy.recommend.dialects import Dialect, writer
from analysis.policy.recommend.learning import Learning, is_of
from analysis.policy.recommend.manifest import text_of
from analysis.policy.recommend.model import PLAIN, End, Recommendation, Style
from analysis.policy.recommend.words import MOST_LINES
from analysis.policy.rules import NO_PORT, Policies
from analysis.words import counted
from contract.errors import ProofError

NAME = "the recommendation"


def proved_text(found: Recommendation, learning: Learning, dialect: Dialect, style: Style = PLAIN) -> str:
    """The policies as YAML, after they were read back and have denied nothing that they were learned from."""
    manifests = writer(dialect, style)(found)
    text = text_of(found.words, manifests)
    documents = list(documents_of(text, NAME))
    if [document.value for document in documents] != [manifest.plain for manifest in manifests]:
        raise ProofError(
            "the text does not read back as the policies that were meant; nothing is printed: please report it"
        )
    _replay(documents, learning)
    return text


def _replay(documents: Sequence[Part], learning: Learning) -> None:
    history = learning.history
    denied = evaluate(policies_of(documents), history.endpoints, history.edges).denied & learning.needed
    if denied.any():
        row = int(np.flatnonzero(denied)[0])
        src, dst = (learning.ends[int(numbers[row])] for numbers in (history.edges.src, history.edges.dst))
        edge = f"{src} → {dst}, protocol {history.edges.protocol[row]}, port {history.edges.port[row]}"
        count = int(denied.sum())
        raise ProofError(
            f"the policies would deny {count:,} of the edges that they were learned from, {edge} for one; "
            "nothing is printed: please report it"
        )


def still_open(policies: Policies, learning: Learning, namespaces: Iterable[str]) -> Iterator[str]:
    """What was left out and is allowed for the sake of something else, by which rules."""
    history = learning.history
    verdicts = evaluate(policies, history.endpoints, history.edges)
    chosen, found = frozenset(namespaces), dict[str, str]()
    for row in np.flatnonzero(verdicts.allowed & learning.left_out).tolist():
        ends = [learning.ends[int(numbers[row])] for numbers in (history.edges.src, history.edges.dst)]
        if is_of(ends, chosen):
            found.setdefault(_named(learning, row, ends), _rules(policies, verdicts, row))
    if found:
        yield f"Left out, but allowed all the same by a rule for something else: {counted(len(found), 'edge')}."
        yield from (f"  {edge}: {rules}" for edge, rules in sorted(found.items())[:MOST_LINES])
    if len(found) > MOST_LINES:
        yield f"  and {counted(len(found) - MOST_LINES, 'edge')} more"


def _named(learning: Learning, row: int, ends: Sequence[End]) -> str:
    port = int(learning.history.edges.port[row])
    protocol = protocol_name(int(learning.history.edges.protocol[row]), None if port == NO_PORT else port)
    return f"{ends[0]} → {ends[1]} {protocol}"


def _rules(policies: Policies, verdicts: Verdicts, row: int) -> str:
    rules = [policies.rules[int(side[row])] for side in (verdicts.egress, verdicts.ingress) if side[row] >= 0]
    return ", ".join(rule.origin.partition(" in ")[0] for rule in rules) or "no policy selects either end"
