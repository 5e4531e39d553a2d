"""From a pod to the owner that survives restarts."""

import re
from collections.abc import Mapping

from enricher.item import Item

# A CronJob names its Jobs after the scheduled minute since 1970, in older versions after the second.
SCHEDULED = re.compile(r"-[0-9]{8,11}$")

OWNED = ("ReplicaSet", "Job")

Workload = tuple[str, str]
Named = tuple[str, str | None, str]


class Owners:
    """The owners of ReplicaSets and Jobs that are known."""

    def __init__(self, objects: Mapping[str, list[Item]]) -> None:
        self._parents: dict[Named, Workload | None] = {}
        for kind in OWNED:
            for item in objects.get(kind, ()):
                self.learn(kind, item)

    def learn(self, kind: str, item: Item) -> Workload:
        """The workload of pods that the object owns."""
        named = kind, item.text("metadata.namespace"), item.needed("metadata.name")
        self._parents[named] = _controller(item)
        return self._parents[named] or (kind, named[2])

    def forget(self, named: Named) -> None:
        self._parents.pop(named, None)

    def lacking(self, pod: Item) -> Named | None:
        """The owner that would have to be known to be sure of the pod's workload."""
        owner = _controller(pod)
        if owner is None or owner[0] not in OWNED:
            return None
        named = owner[0], pod.text("metadata.namespace"), owner[1]
        return None if named in self._parents else named

    def workload(self, pod: Item) -> Workload:
        """A static pod (its owner is the Node) and a pod without owner are their own workload."""
        owner = _controller(pod)
        if owner is None or owner[0] == "Node":
            return "Pod", pod.needed("metadata.name")
        known = (owner[0], pod.text("metadata.namespace"), owner[1])
        if known in self._parents:
            return self._parents[known] or owner
        return _guessed(owner, pod.labels("metadata.labels").get("pod-template-hash"))


def _controller(item: Item) -> Workload | None:
    owners = list(item.children("metadata.ownerReferences"))
    chosen = next((owner for owner in owners if owner.flag("controller")), owners[0] if owners else None)
    return None if chosen is None else (chosen.needed("kind"), chosen.needed("name"))


def _guessed(owner: Workload, template_hash: str | None) -> Workload:
    """The owner's own owner by its naming rule, where the dump does not hold the object."""
    kind, name = owner
    if kind == "ReplicaSet" and template_hash and name.endswith(f"-{template_hash}"):
        return "Deployment", name.removesuffix(f"-{template_hash}")
    if kind == "Job" and SCHEDULED.search(name):
        return "CronJob", SCHEDULED.sub("", name)
    return owner
