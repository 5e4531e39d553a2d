"""Calico's selector language, read and judged in one go, character by character."""

import re
from collections.abc import Mapping

Labels = Mapping[str, str]


def holds(selector: str | None, labels: Labels, everything: bool = True) -> bool:
    """``everything`` is what ``all()`` says."""
    if not selector or not selector.strip(" \t"):
        return True
    found, rest = either(selector.strip(" \t"), labels, everything)
    assert not rest, rest
    return found


def either(text: str, labels: Labels, everything: bool) -> tuple[bool, str]:
    found, text = every(text, labels, everything)
    while text.startswith("||"):
        other, text = every(text[2:].lstrip(" \t"), labels, everything)
        found = found or other
    return found, text


def every(text: str, labels: Labels, everything: bool) -> tuple[bool, str]:
    found, text = one(text, labels, everything)
    while text.startswith("&&"):
        other, text = one(text[2:].lstrip(" \t"), labels, everything)
        found = found and other
    return found, text


def one(text: str, labels: Labels, everything: bool) -> tuple[bool, str]:
    if text.startswith("!"):
        found, text = one(text[1:].lstrip(" \t"), labels, everything)
        return not found, text
    if text.startswith("("):
        found, text = either(text[1:].lstrip(" \t"), labels, everything)
        assert text.startswith(")"), text
        return found, text[1:].lstrip(" \t")
    if call := re.match(r"all\(\s*\)\s*", text):
        return everything, text[call.end() :]
    if call := re.match(r"has\(\s*([\w./-]+)\s*\)\s*", text):
        return call[1] in labels, text[call.end() :]
    return compared(text, labels)


def compared(text: str, labels: Labels) -> tuple[bool, str]:
    head = re.match(r"([\w./-]+)\s*(==|!=|contains|starts\s*with|ends\s*with|not\s*in|in)\s*", text)
    assert head, text
    key, operator = head[1], re.sub(r"\s", "", head[2])
    text = text[head.end() :]
    if operator in ("in", "notin"):
        body, _, rest = text[1:].partition("}")
        values = [left or right for left, right in re.findall(r"\"([^\"]*)\"|'([^']*)'", body)]
        is_in = key in labels and labels[key] in values
        return is_in == (operator == "in"), rest.lstrip(" \t")
    end = text.index(text[0], 1)
    value, rest = text[1:end], text[end + 1 :].lstrip(" \t")
    if operator == "!=":
        return labels.get(key) != value, rest
    told = labels.get(key)
    tests = {"==": "__eq__", "contains": "__contains__", "startswith": "startswith", "endswith": "endswith"}
    return told is not None and bool(getattr(told, tests[operator])(value)), rest
