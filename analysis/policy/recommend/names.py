"""Names that the API server takes, out of any text."""

import hashlib
import re
from collections import Counter
from collections.abc import Collection, Iterable

from analysis.policy.endpoints import Workload

# RFC 1123 names may have 253 characters; pods and tools that add to a name are happier with a label's 63.
LONGEST = 63
HASH = 8
PREFIX = "tailrace-"
OTHER = re.compile(r"[^a-z0-9]+")


def policy_names(workloads: Collection[Workload], taken: Iterable[str]) -> dict[Workload, str]:
    """``taken`` are those of policies that are there, and not to be overwritten."""
    plain = {workload: _plain(workload.name) for workload in workloads}
    uses = Counter(plain.values())
    others = set(taken)
    return {
        workload: name if uses[name] == 1 and name not in others and _is_whole(workload) else _hashed(workload, name)
        for workload, name in plain.items()
    }


def _plain(text: str) -> str:
    return f"{PREFIX}{OTHER.sub('-', text.lower()).strip('-')}".rstrip("-")[:LONGEST].rstrip("-")


def _is_whole(workload: Workload) -> bool:
    return _plain(workload.name) == f"{PREFIX}{workload.name}"


def _hashed(workload: Workload, name: str) -> str:
    return _with_hash(name, "\0".join(workload))


def hashed_name(text: str, told: str) -> str:
    """A name out of ``text`` that only what is ``told`` has."""
    return _with_hash(_plain(text), told)


def _with_hash(name: str, told: str) -> str:
    digest = hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:HASH]
    return f"{name[: LONGEST - HASH - 1].rstrip('-')}-{digest}"
