"""matchLabels and matchExpressions of a document, as Kubernetes and Cilium have them."""

from collections.abc import Callable

from analysis.policy.parts import Part
from analysis.policy.selectors import LabelSelector, Operator, Requirement

# What a key or a value becomes; the part says where it stands, for an error.
Reader = Callable[[Part, str], str]


def as_written(where: Part, text: str) -> str:
    return text


def label_selector(part: Part, key: Reader = as_written, value: Reader = as_written) -> LabelSelector:
    part.fields(("matchLabels", "matchExpressions"))
    labels = part.get("matchLabels")
    equal = [_equal(labels, *pair, key, value) for pair in labels.texts()] if labels is not None else []
    return (*equal, *(_requirement(one, key, value) for one in part.items("matchExpressions")))


def _equal(labels: Part, name: str, text: str, key: Reader, value: Reader) -> Requirement:
    return Requirement(key(labels, name), Operator.IN, (value(labels, text),))


def _requirement(part: Part, key: Reader, value: Reader) -> Requirement:
    part.fields(("key", "operator", "values"))
    told = part.needed("operator")
    if told.text not in list(Operator):
        raise told.wrong(f"{told.text!r:.60} is no operator", f"write {', '.join(Operator)}")
    operator = Operator(told.text)
    values = tuple(value(one, one.text) for one in part.items("values"))
    if bool(values) != (operator in (Operator.IN, Operator.NOT_IN)):
        raise part.wrong(
            f"{operator} with{'' if values else 'out'} values", "In and NotIn have values, the others none"
        )
    named = part.needed("key")
    return Requirement(key(named, named.text), operator, values)
