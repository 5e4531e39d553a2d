"""Where the Kubernetes objects come from: files, or the lake, which keeps those that its captures were read with."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pyarrow.compute as pc

from analysis.policy.documents import read_documents
from analysis.policy.parts import Part
from analysis.policy.words import listed
from analysis.questions import ask
from analysis.words import counted
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


def reading(source: Source) -> list[str]:
    """Of a lake which reading is taken, and what it lacks that an earlier one had."""
    if not isinstance(source, InLake):
        return []
    rows = ask(source.lake, "policy/reading", {"cluster": source.cluster}, None, TIMEOUT_S).table.to_pylist()
    return [line for row in rows for line in _reading(row["seen_time"], row["missing"])]


def _reading(seen: datetime, missing: Sequence[str]) -> Iterator[str]:
    yield f"The cluster is taken as it was read at {seen:%Y-%m-%d %H:%M:%S} UTC."
    if missing:
        what = f"{counted(len(missing), 'namespace')} that an earlier one had: {listed(missing)}"
        yield f"That reading lacks {what}. If they still exist, ingest with the objects of every namespace, or name a dump."


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
