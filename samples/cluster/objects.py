"""What every Kubernetes object has: names, unique ids, owners, conditions."""

import uuid
from typing import Any

from samples.cluster.lives import stamp
from samples.cluster.plan import Plan

Json = dict[str, Any]


def made(api: str, kind: str, metadata: Json, **rest: object) -> Json:
    return {"apiVersion": api, "kind": kind, "metadata": metadata, **rest}


def uid(plan: Plan, *words: str) -> str:
    space = uuid.uuid5(uuid.NAMESPACE_DNS, f"{plan.cluster}.tailrace.example")
    return str(uuid.uuid5(space, "/".join(words)))


def meta(plan: Plan, kind: str, space: str | None, name: str, created: float, labels: Json | None = None) -> Json:
    found: Json = {"creationTimestamp": stamp(created)}
    if labels:
        found["labels"] = labels
    found["name"] = name
    if space is not None:
        found["namespace"] = space
    return found | {"uid": uid(plan, kind, space or "", name)}


def owner(plan: Plan, api: str, kind: str, space: str, name: str) -> list[Json]:
    reference = {"apiVersion": api, "blockOwnerDeletion": True, "controller": True, "kind": kind, "name": name}
    return [reference | {"uid": uid(plan, kind, space, name)}]


def condition(name: str, since: float, status: str = "True") -> Json:
    return {"lastTransitionTime": stamp(since), "status": status, "type": name}
