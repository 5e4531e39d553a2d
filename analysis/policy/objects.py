"""Where the Kubernetes objects come from: files, or the lake, which keeps those that its captures were read with."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow.compute as pc

from analysis.policy.documents import read_documents
from analysis.policy.parts import Part
from analysis.questions import ask
from contract.errors import QuestionError
from store.lake import Lake

TIMEOUT_S = 600.0


@dataclass(frozen=True)
class InLake:
    """The newest reading that a lake has; ``cluster`` names one where it has several."""

    lake: Lake
    cluster: str | None = None

    def __str__(self) -> str:
        return f"{self.lake.folder}"


Source = str | Path | InLake


def documents(source: Source) -> Iterator[Part]:
    return _in_lake(source) if isinstance(source, InLake) else read_documents([str(source)])


def _in_lake(source: InLake) -> Iterator[Part]:
    rows = ask(source.lake, "policy/objects", {"cluster": source.cluster}, None, TIMEOUT_S).table
    clusters = sorted(map(repr, pc.unique(rows["cluster"]).to_pylist()))
    if not clusters:
        raise QuestionError(
            f"{source}: the lake holds no Kubernetes objects; ingest the captures with --kube into a new lake"
        )
    if len(clusters) > 1:
        raise QuestionError(f"the lake has objects of several clusters ({', '.join(clusters)}); name one of them")
    for row in rows.to_pylist():
        name = "/".join(filter(None, (row["kind"], row["namespace"], row["name"])))
        yield Part(json.loads(row["document"]), str(source), name)
