"""The whole of it: learned, doubted, written, read back and proved."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from analysis.policy import unseen
from analysis.policy.blast import radius
from analysis.policy.recommend.backtest import backtest, told
from analysis.policy.recommend.cluster import Cluster
from analysis.policy.recommend.dialects import Dialect, writer, written
from analysis.policy.recommend.heading import left_out
from analysis.policy.recommend.learning import Learning
from analysis.policy.recommend.model import PLAIN, Recommendation, Style
from analysis.policy.recommend.proof import proved_text, still_open
from analysis.policy.recommend.recommend import recommend
from analysis.policy.replay import Asked
from analysis.policy.words import listed
from contract.errors import QuestionError
from store.lake import Lake


@dataclass(frozen=True)
class Proposal:
    """``text`` is the YAML; the words at its top are those of ``found``."""

    found: Recommendation
    learning: Learning
    text: str


def propose(
    lake: Lake, cluster: Cluster, asked: Asked, namespaces: Sequence[str], dialect: Dialect, style: Style = PLAIN
) -> Proposal:
    found, learning = recommend(lake, cluster, asked, namespaces)
    found, silent = _with_evidence(found)
    namespaces = [draft.name for draft in found.namespaces]
    write = writer(dialect, style)
    tested = backtest(lake, cluster, asked, found.window, namespaces, write)
    doubts = (*silent, *unseen.told(_rows(learning, namespaces), found.window), *told(tested))
    policies = written(found, write)
    closed = (*radius(policies, cluster.endpoints), *still_open(policies, learning, namespaces))
    doubted = replace(found, words=(*found.words, *doubts, *closed, *left_out(found.omissions)))
    return Proposal(doubted, learning, proved_text(doubted, learning, dialect, style))


def _with_evidence(found: Recommendation) -> tuple[Recommendation, list[str]]:
    """Without namespaces of which nothing was seen: to close them would be no recommendation but a guess."""
    seen = tuple(one for one in found.namespaces if one.drafts or any(allowance.evidence for allowance in one.dns))
    silent = listed(one.name for one in found.namespaces if one not in seen)
    if not seen:
        raise QuestionError(
            f"nothing was seen of {silent} in this time, so that nothing can be recommended; take a longer one"
        )
    words = [f"Nothing was seen of {silent}: no policy is recommended there."] if silent else []
    return replace(found, namespaces=seen), words


def _rows(learning: Learning, namespaces: Sequence[str]) -> pa.Table:
    """What was learned about these namespaces: rows of history."""
    rows = learning.history.rows
    inside = [np.isin(rows[f"{side}_namespace"].to_pylist(), list(namespaces)) for side in ("src", "dst")]
    return rows.filter(pa.array(learning.needed & (inside[0] | inside[1])))
