"""A label selector as Cilium's, with the source of every label.

What Cilium makes no identity of cannot be asked for, nor what is no label at all: it is left out, so that more is selected.
"""

from collections.abc import Iterator
from typing import Any

from analysis.policy.cilium.labels import K8S, LEFT_OUT, NAMESPACE
from analysis.policy.recommend.labels import valid
from analysis.policy.selectors import LabelSelector, Operator, Requirement

OF_ANY_NAMESPACE = {"matchExpressions": [{"key": NAMESPACE, "operator": Operator.EXISTS.value}]}


def selector_of(selector: LabelSelector, namespace: str | None = None) -> dict[str, Any]:
    """Of the policy's own namespace if no other is given."""
    said = [one for one in selector if _why_not(one) is None]
    equal = {K8S + one.key: one.values[0] for one in said if _is_equal(one)}
    if namespace is not None:
        equal = {NAMESPACE: namespace, **equal}
    found: dict[str, Any] = {"matchLabels": equal} if equal else {}
    others = [_expression(one) for one in said if not _is_equal(one)]
    return found | ({"matchExpressions": others} if others else {})


def _is_equal(one: Requirement) -> bool:
    return one.operator is Operator.IN and len(one.values) == 1


def _expression(one: Requirement) -> dict[str, Any]:
    values = {"values": [*one.values]} if one.values else {}
    return {"key": K8S + one.key, "operator": one.operator.value, **values}


def warnings(selector: LabelSelector) -> Iterator[str]:
    for one in selector:
        why = _why_not(one)
        if why is not None:
            yield f"Warning: the label {one.key} is left out, as {why}: whoever differs in it alone is selected too."


def _why_not(one: Requirement) -> str | None:
    if LEFT_OUT.match(one.key):
        return "Cilium makes no identity of it"
    return None if valid(one) else "it is no label of Kubernetes"
