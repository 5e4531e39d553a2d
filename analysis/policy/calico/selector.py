"""Calico's selector language: a text → an expression, which is a mask over whatever has labels."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from analysis.policy.calico.tokens import Misread, Token, tokens
from analysis.policy.endpoints import Mask, Values
from analysis.policy.parts import Part

DEEPEST = 64

# Labels that Calico adds to pods and network sets; what they inherit from their namespace and their service account has a prefix.
NAMESPACE = "projectcalico.org/namespace"
ORCHESTRATOR = "projectcalico.org/orchestrator"
SERVICE_ACCOUNT = "projectcalico.org/serviceaccount"
OF_NAMESPACE = "pcns."
OF_SERVICE_ACCOUNT = "pcsa."


class Things(Protocol):
    """What has labels: endpoints, network sets."""

    def __len__(self) -> int: ...

    def label(self, key: str) -> Values: ...


@dataclass(frozen=True)
class Everything:
    def mask(self, things: Things) -> Mask:
        return np.ones(len(things), np.bool_)


@dataclass(frozen=True)
class Globally:
    """``global()``: says something in a namespaceSelector only, and is as ``all()`` elsewhere."""

    def mask(self, things: Things) -> Mask:
        return np.ones(len(things), np.bool_)


@dataclass(frozen=True)
class Has:
    key: str

    def mask(self, things: Things) -> Mask:
        return things.label(self.key).present


Test = Callable[[str, str], bool]
TESTS: Mapping[str, Test] = {
    "contains": lambda value, part: part in value,
    "starts with": str.startswith,
    "ends with": str.endswith,
}


@dataclass(frozen=True)
class OneOf:
    """The label is there, and has one of the values."""

    key: str
    values: tuple[str, ...]

    def mask(self, things: Things) -> Mask:
        return things.label(self.key).one_of(self.values)


@dataclass(frozen=True)
class Like:
    """The label is there, and its value passes the test."""

    key: str
    test: str
    part: str

    def mask(self, things: Things) -> Mask:
        found = things.label(self.key)
        return found.one_of([value for value in found.numbers if TESTS[self.test](value, self.part)])


@dataclass(frozen=True)
class Negation:
    part: "Expression"

    def mask(self, things: Things) -> Mask:
        return ~self.part.mask(things)


@dataclass(frozen=True)
class Both:
    parts: tuple["Expression", ...]

    def mask(self, things: Things) -> Mask:
        return np.asarray(np.logical_and.reduce([part.mask(things) for part in self.parts]))


@dataclass(frozen=True)
class OneOrOther:
    parts: tuple["Expression", ...]

    def mask(self, things: Things) -> Mask:
        return np.asarray(np.logical_or.reduce([part.mask(things) for part in self.parts]))


Expression = Everything | Globally | Has | OneOf | Like | Negation | Both | OneOrOther


def expression(part: Part | None) -> Expression | None:
    """None of an absent or an empty selector, as Calico holds them for the same."""
    found = _of(part)
    if part is not None and found is not None and _mentions_globally(found):
        raise part.wrong("has global()", "it may only be the whole of a rule's namespaceSelector")
    return found


def namespaces(part: Part | None, in_a_rule: bool) -> Expression | None:
    """A selector of namespaces as one of what is in them: ``all()`` is every namespace, ``global()`` what is of none."""
    found = _of(part)
    if in_a_rule and found == Globally():
        return Negation(Has(NAMESPACE))
    found = expression(part)
    return None if found is None else under(OF_NAMESPACE, found, Has(NAMESPACE))


def service_accounts(part: Part | None) -> Expression | None:
    found = expression(part)
    return None if found is None else under(OF_SERVICE_ACCOUNT, found, Everything())


def _of(part: Part | None) -> Expression | None:
    if part is None or not part.text:
        return None
    try:
        return parsed(part.text)
    except Misread as error:
        raise part.wrong(
            f"is no selector: character {error.at}: {error.what}", "write it as role == 'db' && has(tier)"
        ) from None


def _mentions_globally(found: Expression) -> bool:
    match found:
        case Negation(part):
            return _mentions_globally(part)
        case Both(parts) | OneOrOther(parts):
            return any(map(_mentions_globally, parts))
    return isinstance(found, Globally)


def parsed(selector: str) -> Expression:
    return _Parser(selector).whole()


def under(prefix: str, found: Expression, everything: Expression) -> Expression:
    """The same of the labels that begin with ``prefix``; ``everything`` is what ``all()`` means there."""
    match found:
        case Everything():
            return everything
        case Has() | OneOf() | Like():
            return replace(found, key=prefix + found.key)
        case Negation(part):
            return Negation(under(prefix, part, everything))
        case Both(parts):
            return Both(tuple(under(prefix, part, everything) for part in parts))
        case OneOrOther(parts):
            return OneOrOther(tuple(under(prefix, part, everything) for part in parts))
    return found


def both(*parts: Expression | None) -> Expression | None:
    given = tuple(part for part in parts if part is not None)
    return Both(given) if len(given) > 1 else given[0] if given else None


class _Parser:
    """``||`` binds least, then ``&&``, then ``!``."""

    def __init__(self, selector: str) -> None:
        self._tokens = list(tokens(selector))
        self._at = 0
        self._depth = 0

    def whole(self) -> Expression:
        if self._next.kind == "end":
            return Everything()
        found = self._either()
        self._take("end")
        return found

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    def _take(self, *kinds: str) -> Token:
        token = self._next
        if token.kind not in kinds:
            wanted = "the end" if kinds == ("end",) else " or ".join(kinds)
            raise Misread(token.at, f"{wanted} is expected")
        self._at += token.kind != "end"
        return token

    def _took(self, kind: str) -> bool:
        found = self._next.kind == kind
        self._at += found
        return found

    def _either(self) -> Expression:
        parts = [self._every()]
        while self._took("||"):
            parts.append(self._every())
        return OneOrOther(tuple(parts)) if len(parts) > 1 else parts[0]

    def _every(self) -> Expression:
        parts = [self._operation()]
        while self._took("&&"):
            parts.append(self._operation())
        return Both(tuple(parts)) if len(parts) > 1 else parts[0]

    def _operation(self) -> Expression:
        negated = False
        while self._took("!"):
            negated = not negated
        found = self._positive()
        return Negation(found) if negated else found

    def _positive(self) -> Expression:
        token = self._take("label", "has", "all", "global", "(")
        match token.kind:
            case "has":
                return Has(token.text)
            case "all":
                return Everything()
            case "global":
                return Globally()
            case "(":
                return self._nested(token)
        return self._compared(token.text)

    def _nested(self, opened: Token) -> Expression:
        self._depth += 1
        if self._depth > DEEPEST:
            raise Misread(opened.at, f"parentheses are nested more than {DEEPEST} deep")
        found = self._either()
        self._take(")")
        self._depth -= 1
        return found

    def _compared(self, key: str) -> Expression:
        operator = self._take("==", "!=", "in", "not in", *TESTS).kind
        if operator in TESTS:
            return Like(key, operator, self._take("text").text)
        values = self._values() if operator in ("in", "not in") else (self._take("text").text,)
        found = OneOf(key, values)
        return Negation(found) if operator in ("!=", "not in") else found

    def _values(self) -> tuple[str, ...]:
        """A comma behind the last one does no harm."""
        self._take("{")
        values = []
        while self._next.kind == "text":
            values.append(self._take("text").text)
            if not self._took(","):
                break
        self._take("}")
        return tuple(values)
