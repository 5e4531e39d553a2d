"""Whom somebody may have meant who named a namespace or a workload that took no part in the DNS of a lake."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from rapidfuzz import process
from rapidfuzz.distance import OSA

from analysis.questions import TIMEOUT_S, ask
from store.lake import Lake

# Of a lake with more, nothing is said.
MOST_COMPARED = 20_000
SHOWN = 3

# One edit of a name of three letters, two of six: coredns is not meant by redis.
ALIKE = 0.6
GLOB = frozenset("*?")


@dataclass(frozen=True)
class Party:
    namespace: str | None
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


def meant(
    lake: Lake, parameters: Mapping[str, object], only_clients: bool = True, timeout_s: float = TIMEOUT_S
) -> str | None:
    """A sentence about ``namespace`` and ``workload`` of the parameters; None where they are there, none is given,
    or there are too many to compare.
    """
    namespace, workload = (_name(parameters.get(name)) for name in ("namespace", "workload"))
    if namespace is None and workload is None:
        return None
    cluster = {"cluster": parameters.get("cluster")}
    answer = ask(lake, "dns/parties", cluster, MOST_COMPARED, timeout_s)
    if answer.truncated:
        return None
    rows = answer.table.to_pylist()
    parties = [Party(row["namespace"], row["name"]) for row in rows if row["asks"] or not only_clients]
    did = "asked for any name" if only_clients else "asked for any name, or answered"
    return _told(Party(namespace, workload or ""), parties, did)


def nearest(wanted: str, parties: Iterable[str], most: int) -> list[str]:
    """Of texts namespace/name: those whose name begins the wanted one, as a pod's does, then those spelt almost so."""
    names = {party: party.rpartition("/")[2] for party in parties}
    name = wanted.rpartition("/")[2]
    owners = sorted((one for one in names if f"{name}-".startswith(f"{names[one]}-")), key=lambda one: -len(names[one]))
    near = process.extract(name, names, scorer=OSA.normalized_similarity, score_cutoff=ALIKE, limit=None)
    spelt = sorted((party for _, _, party in near), key=lambda one: -OSA.normalized_similarity(wanted, one))
    return list(dict.fromkeys([*owners, *spelt]))[:most]


def _name(value: object) -> str | None:
    """None of a pattern, which names nobody."""
    return value if isinstance(value, str) and not GLOB & set(value) else None


def _told(wanted: Party, parties: Sequence[Party], did: str) -> str | None:
    namespace, workload = wanted.namespace, wanted.name
    namespaces = list(dict.fromkeys(one.namespace for one in parties if one.namespace))
    if namespace is not None and namespace not in namespaces:
        return f"nobody of a namespace {namespace!r} {did}{_nearest(get_close_matches(namespace, namespaces, SHOWN))}"
    if not workload or any(one.name == workload and namespace in (None, one.namespace) for one in parties):
        return None
    return f"no workload {str(wanted)!r} {did}{_nearest(nearest(str(wanted), map(str, parties), SHOWN))}"


def _nearest(names: Sequence[str]) -> str:
    return f"; nearest: {', '.join(names)}" if names else ""
