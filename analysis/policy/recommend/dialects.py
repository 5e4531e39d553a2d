"""Which dialects a recommendation can be written in."""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum

from analysis.policy.recommend import calico, cilium, kubernetes
from analysis.policy.recommend.manifest import Manifest
from analysis.policy.recommend.model import PLAIN, Recommendation, Style

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


def writer(dialect: Dialect, style: Style = PLAIN) -> Writer:
    """Calico alone has several styles."""
    return (lambda found: calico.manifests(found, style)) if dialect is Dialect.CALICO else WRITERS[dialect]
