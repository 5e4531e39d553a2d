"""Which dialects a recommendation can be written in."""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum

from analysis.policy.recommend import calico, cilium, kubernetes
from analysis.policy.recommend.manifest import Manifest
from analysis.policy.recommend.model import Recommendation, Style


class Dialect(StrEnum):
    KUBERNETES = "kubernetes"
    CALICO = "calico"
    CILIUM = "cilium"


WRITERS: Mapping[Dialect, Callable[[Recommendation, Style], Sequence[Manifest]]] = {
    Dialect.KUBERNETES: lambda found, _: kubernetes.manifests(found),
    Dialect.CALICO: calico.manifests,
    Dialect.CILIUM: lambda found, _: cilium.manifests(found),
}
