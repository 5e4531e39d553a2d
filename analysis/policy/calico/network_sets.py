"""NetworkSet and GlobalNetworkSet: addresses outside, and names of them, that have labels as pods have."""

from collections.abc import Iterable

from analysis.policy.calico.domains import pattern
from analysis.policy.calico.labels import NetworkSet, Sets
from analysis.policy.calico.metadata import name_of, namespace_of, read, refuse_namespace
from analysis.policy.calico.networks import set_networks
from analysis.policy.calico.selector import NAMESPACE
from analysis.policy.parts import Part


def read_sets(documents: Iterable[Part]) -> Sets:
    return Sets(tuple(map(_set, documents)))


def _set(document: Part) -> NetworkSet:
    labels = read(document)
    name_of(document)
    if NAMESPACE in labels:
        raise document.needed("metadata").wrong(f"has the label {NAMESPACE}", "leave it out: Calico sets it itself")
    is_global = document.needed("kind").text == "GlobalNetworkSet"
    if is_global:
        refuse_namespace(document)
    spec = document.get("spec") or Part({}, document.file, f"{document.path}.spec")
    spec.fields(("nets", "allowedEgressDomains"))
    domains = tuple(map(pattern, spec.items("allowedEgressDomains")))
    return NetworkSet(None if is_global else namespace_of(document), labels, set_networks(spec), domains)
