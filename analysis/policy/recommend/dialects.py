"""Which dialects a recommendation can be written in."""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum

from analysis.policy.dialects import policies_of
from analysis.policy.parts import Part
from analysis.policy.recommend import calico, cilium, kubernetes
from analysis.policy.recommend.manifest import Manifest
from analysis.policy.recommend.model import PLAIN, Recommendation, Style
from analysis.policy.rules import Policies

Writer = Callable[[Recommendation], Sequence[Manifest]]


class Dialect(StrEnum):
    KUBERNETES = "kubernetes"
    CALICO = "calico"
    CILIUM = "cilium"


WRITERS: Mapping[Dialect, Writer] = {
    Dialect.KUBERNETES: kubernetes.manifests,
    Dialect.CALICO: calico.manifests,
    Dialect.CILIUM: cilium.manifests,
}


def written(found: Recommendation, write: Writer) -> Policies:
    """The policies as they would be read, without their text."""
    manifests = enumerate(write(found), 1)
    return policies_of(Part(one.plain, "the recommendation", f"document {number}") for number, one in manifests)


def writer(dialect: Dialect, style: Style = PLAIN) -> Writer:
    """Calico alone has several styles."""
    return (lambda found: calico.manifests(found, style)) if dialect is Dialect.CALICO else WRITERS[dialect]
