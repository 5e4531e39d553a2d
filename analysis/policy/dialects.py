"""Documents → policies: which kinds there are, and who reads them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from analysis.policy import kubernetes
from analysis.policy.calico import policies as calico
from analysis.policy.calico.staged import enforced
from analysis.policy.cilium import policies as cilium
from analysis.policy.documents import read_documents
from analysis.policy.parts import Part
from analysis.policy.rules import Plugin, Policies, Section
from contract.errors import InputError

# Of the files that are named in an error.
LONGEST_NAMES = 200


@dataclass(frozen=True)
class Dialect:
    """``read`` gets every document of its kinds at once, as some are about others."""

    kinds: frozenset[tuple[str, str]]
    read: Callable[[Sequence[Part]], Iterable[Section]]
    plugin: Plugin | None = None


DIALECTS = (
    Dialect(frozenset({("networking.k8s.io/v1", "NetworkPolicy")}), kubernetes.sections),
    Dialect(calico.KINDS, calico.sections, Plugin.CALICO),
    Dialect(cilium.KINDS, cilium.sections, Plugin.CILIUM),
)
CLUSTERWIDE = ("Global", "Clusterwide", "Tier", "CIDRGroup")
KINDS: Mapping[tuple[str, str], Dialect] = {kind: dialect for dialect in DIALECTS for kind in dialect.kinds}


def read_policies(paths: Sequence[str]) -> Policies:
    """Files, or folders of them; every document has to be a policy, a list of policies, or what policies are about."""
    found = policies_of(read_documents(paths))
    if not found.sections:
        raise InputError(
            ", ".join(paths)[:LONGEST_NAMES], "holds no policy about pods", "name files that have policies"
        )
    return found


def policies_of(documents: Iterable[Part]) -> Policies:
    by_dialect: dict[Dialect, list[Part]] = {}
    origins: dict[tuple[str, ...], Part] = {}
    known = list(documents)
    for document in known:
        _dialect(document)
        _refuse_twice(document, origins)
    for document in enforced(known):
        by_dialect.setdefault(_dialect(document), []).append(document)
    sections = [section for dialect, found in by_dialect.items() for section in dialect.read(found)]
    return Policies(tuple(sorted(sections, key=lambda section: section.place)), _plugin(by_dialect), _homeless(known))


def _homeless(documents: Iterable[Part]) -> tuple[str, ...]:
    """What has to have a namespace and names none: kubectl would take that of its context."""
    found = []
    for document in documents:
        kind, metadata = document.needed("kind").text, document.needed("metadata")
        namespace = metadata.get("namespace")
        if not any(word in kind for word in CLUSTERWIDE) and not (namespace and namespace.text):
            found.append(f"{kind}/{metadata.needed('name').text}")
    return tuple(found)


def _dialect(document: Part) -> Dialect:
    kind = document.needed("apiVersion").text, document.needed("kind").text
    if kind not in KINDS:
        raise document.wrong(
            f"{kind[1]!r:.60} of {kind[0]!r:.60} is no policy that is known",
            "give NetworkPolicy of networking.k8s.io/v1, or policies of Calico or Cilium (docs/policy.md)",
        )
    return KINDS[kind]


def _refuse_twice(document: Part, origins: dict[tuple[str, ...], Part]) -> None:
    metadata = document.needed("metadata")
    namespace = metadata.get("namespace")
    name = metadata.needed("name").text
    group = document.needed("apiVersion").text.partition("/")[0]
    key = (group, document.needed("kind").text, namespace.text if namespace else "default", name)
    if key in origins:
        other = origins[key]
        what = f"{key[1]}/{key[2]}/{name}"
        raise document.wrong(f"{what:.300} is in {other.file}: {other.path} too", "leave one of them out")
    origins[key] = document


def _plugin(found: Mapping[Dialect, Sequence[Part]]) -> Plugin | None:
    owned = [(dialect.plugin, documents[0]) for dialect, documents in found.items() if dialect.plugin is not None]
    if len(owned) > 1:
        first, second = owned[0][0], owned[1][0]
        raise owned[1][1].wrong(
            f"is of {second}, and others are of {first}", "replay each plugin's policies by themselves"
        )
    return owned[0][0] if owned else None
