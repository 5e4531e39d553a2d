"""Staged policies, judged as if they were enforced: that is what one asks before one enforces them."""

from collections.abc import Sequence

from analysis.policy.calico.metadata import namespace_of
from analysis.policy.parts import Part

# Each staged kind with the one it is the stage of.
STAGED = {
    "StagedNetworkPolicy": "NetworkPolicy",
    "StagedGlobalNetworkPolicy": "GlobalNetworkPolicy",
    "StagedKubernetesNetworkPolicy": "NetworkPolicy",
}
ACTIONS = ("Set", "Delete", "Learn", "Ignore")
KUBERNETES = "networking.k8s.io"

Key = tuple[bool, str, str, str]


def enforced(documents: Sequence[Part]) -> list[Part]:
    """Without the policies that a staged one of the same name replaces or deletes."""
    replaced = {_key(document) for document in documents if _is_staged(document) and _action(document) != "Ignore"}
    return [
        document for document in documents if _is_staged(document) or not replaced or _key(document) not in replaced
    ]


def is_judged(document: Part) -> bool:
    """Delete has no rules of its own, and Ignore is a proposal that was turned down."""
    return not _is_staged(document) or _action(document) in ("Set", "Learn")


def without_staged_action(document: Part) -> Part:
    spec = document.get("spec")
    if spec is None or "stagedAction" not in spec.value:
        return document
    rest = {key: value for key, value in spec.value.items() if key != "stagedAction"}
    return Part({**document.value, "spec": rest}, document.file, document.path)


def _is_staged(document: Part) -> bool:
    return "projectcalico.org" in document.needed("apiVersion").text and document.needed("kind").text in STAGED


def _action(document: Part) -> str:
    spec = document.get("spec")
    told = spec.get("stagedAction") if spec else None
    if told is None:
        return "Set"
    if told.text not in ACTIONS:
        raise told.wrong(f"{told.text!r:.60} is no staged action", f"write {', '.join(ACTIONS)}")
    if told.text == "Delete" and spec is not None:
        beside = [key for key, value in spec.value.items() if key not in ("stagedAction", "tier") and value]
        if beside:
            raise told.wrong(f"Delete stands beside {beside[0]!r:.60}", "leave out all but tier")
    return told.text


def _key(document: Part) -> Key:
    """Whether of Kubernetes, kind, namespace and name of the enforced policy."""
    kind = document.needed("kind").text
    of_kubernetes = kind == "StagedKubernetesNetworkPolicy" or KUBERNETES in document.needed("apiVersion").text
    namespace = "" if "Global" in kind else namespace_of(document)
    return of_kubernetes, STAGED.get(kind, kind), namespace, document.needed("metadata").needed("name").text
