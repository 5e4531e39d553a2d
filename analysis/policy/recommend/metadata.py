"""What the policies of every dialect have in common: names, labels, annotations, and the words above them."""

from collections.abc import Mapping
from typing import Any

from analysis.policy.endpoints import Workload
from analysis.policy.recommend import words
from analysis.policy.recommend.cluster import MANAGED_BY, OURS
from analysis.policy.recommend.model import Draft, NamespaceDraft, Recommendation
from analysis.policy.recommend.names import policy_names
from analysis.policy.rules import Direction

DEFAULT_DENY, DNS = "tailrace-default-deny", "tailrace-dns"
TYPES = {Direction.INGRESS: "Ingress", Direction.EGRESS: "Egress"}

Document = dict[str, Any]


def names_of(draft: NamespaceDraft, found: Recommendation) -> dict[Workload, str]:
    taken = {DEFAULT_DENY, DNS, *found.taken.get(draft.name, ())}
    return policy_names([one.workload for one in draft.drafts], taken)


def metadata(
    namespace: str, name: str, annotations: Mapping[str, str] | None = None, labels: Mapping[str, str] | None = None
) -> Document:
    found: Document = {"name": name, "namespace": namespace, "labels": {MANAGED_BY: OURS, **(labels or {})}}
    return found | ({"annotations": dict(annotations)} if annotations else {})


def evidence(draft: Draft, found: Recommendation) -> dict[str, str]:
    """Annotations: what is above the rules does not outlive the file."""
    return {
        "tailrace/workload": f"{draft.workload.kind}/{draft.workload.name}",
        "tailrace/evidence": words.total([one for of_one in draft.allowances.values() for one in of_one]),
        "tailrace/window": f"{found.window.since:%Y-%m-%dT%H:%M:%SZ} to {found.window.until:%Y-%m-%dT%H:%M:%SZ}",
    }


def above_default_deny(draft: NamespaceDraft) -> tuple[str, ...]:
    lines = [f"Whatever no policy of {draft.name} allows is denied, in both directions."]
    if draft.idle:
        lines.append("Nothing was learned of these; of the policies here only those of every pod are about them:")
        lines += [f"  {line}" for line in words.names(workload.name for workload in draft.idle)]
    return tuple(lines)


def above_dns(draft: NamespaceDraft) -> tuple[str, ...]:
    return (f"Every pod of {draft.name} may ask the cluster's DNS.",)


def above(draft: Draft) -> tuple[str, ...]:
    return (f"{draft.workload.kind} {draft.workload}", *(f"Note: {note}." for note in draft.notes))
