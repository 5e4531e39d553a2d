"""A label selector in Calico's selector language.

A text has no escapes: one with both quotes in it is asked for by its pieces, which is all but exact. A key that the
language has no spelling for is left out, so that more is selected; Kubernetes has neither such keys nor such values.
"""

import re
from collections.abc import Iterable, Iterator

from analysis.policy.selectors import LabelSelector, Operator, Requirement

KEY = re.compile(r"[A-Za-z0-9_./-]{1,512}")
EVERYBODY = "all()"
QUOTES = ("'", '"')


def selector_text(selector: LabelSelector) -> str:
    return " && ".join(_terms(selector)) or EVERYBODY


def either(selectors: Iterable[str]) -> str:
    several = list(dict.fromkeys(selectors))
    return several[0] if len(several) == 1 else " || ".join(f"({one})" for one in several)


def warnings(selector: LabelSelector) -> Iterator[str]:
    for one in selector:
        if not _said(one):
            yield f"Warning: Calico cannot name the label {one.key}: whoever differs in it alone is selected too."
        elif not all(map(_quotable, one.values)):
            yield f"Warning: Calico cannot quote what the label {one.key} is: all that has its pieces is selected."


def _said(one: Requirement) -> bool:
    exact = all(map(_quotable, one.values)) or one.operator is Operator.IN
    return KEY.fullmatch(one.key) is not None and exact


def _quotable(value: str) -> bool:
    return any(quote not in value for quote in QUOTES)


def _terms(selector: LabelSelector) -> Iterator[str]:
    return (_term(one) for one in selector if _said(one))


def _term(one: Requirement) -> str:
    match one.operator:
        case Operator.EXISTS:
            return f"has({one.key})"
        case Operator.DOES_NOT_EXIST:
            return f"!has({one.key})"
        case Operator.NOT_IN:
            return f"{one.key} not in {{{', '.join(map(_quoted, one.values))}}}"
    if not all(map(_quotable, one.values)):
        return f"({' || '.join(_like(one.key, value) for value in one.values)})"
    if len(one.values) == 1:
        return f"{one.key} == {_quoted(one.values[0])}"
    return f"{one.key} in {{{', '.join(map(_quoted, one.values))}}}"


def _quoted(value: str) -> str:
    quote = next(quote for quote in QUOTES if quote not in value)
    return f"{quote}{value}{quote}"


def _like(key: str, value: str) -> str:
    if _quotable(value):
        return f"{key} == {_quoted(value)}"
    first, *middle = _pieces(value)
    last = middle.pop()
    terms = [f"{key} starts with {_quoted(first)}", *(f"{key} contains {_quoted(one)}" for one in middle)]
    return f"({' && '.join([*terms, f'{key} ends with {_quoted(last)}'])})"


def _pieces(value: str) -> list[str]:
    """The longest that can be quoted, in their order: two at least of a text that cannot."""
    found, start = [], 0
    for end in range(1, len(value) + 1):
        if not _quotable(value[start:end]):
            found.append(value[start : end - 1])
            start = end - 1
    return [*found, value[start:]]
