"""What is printed is read again and replayed on what it was learned from, or it is not printed."""

from collections.abc import Sequence

import numpy as np

from analysis.policy.dialects import policies_of
from analysis.policy.documents import documents_of
from analysis.policy.evaluate import evaluate
from analysis.policy.parts import Part
from analysis.policy.recommend.dialects import WRITERS, Dialect
from analysis.policy.recommend.learning import Learning
from analysis.policy.recommend.manifest import text_of
from analysis.policy.recommend.model import Recommendation
from contract.errors import ProofError

NAME = "the recommendation"


def proved_text(found: Recommendation, learning: Learning, dialect: Dialect) -> str:
    """The policies as YAML, after they were read back and have denied nothing that they were learned from."""
    manifests = WRITERS[dialect](found)
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
