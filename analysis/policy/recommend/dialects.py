"""Which dialects a recommendation can be written in."""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum

from analysis.policy.recommend import kubernetes
from analysis.policy.recommend.manifest import Manifest
from analysis.policy.recommend.model import Recommendation


class Dialect(StrEnum):
    KUBERNETES = "kubernetes"


WRITERS: Mapping[Dialect, Callable[[Recommendation], Sequence[Manifest]]] = {Dialect.KUBERNETES: kubernetes.manifests}
