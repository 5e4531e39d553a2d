"""A selector as tokens, each with its place. Calico's own reading: no escapes in quotes, blank and tab alone separate."""

import re
from collections.abc import Iterator
from typing import NamedTuple

# A selector of a rule has 1,024 characters at most since Calico 3.32; earlier releases set no bound.
MOST_CHARACTERS = 16_384
LONGEST_LABEL = 512

BLANKS = re.compile(r"[ \t]*")
SIGNS = re.compile(r"&&|\|\||==|!=|[!(){},]")
TEXT = re.compile(r"\"([^\"]*)\"|'([^']*)'")
CALL = re.compile(r"(all|global)\([ \t]*\)|(has)\([ \t]*([A-Za-z0-9_./-]+)[ \t]*\)")
OPENED = re.compile(r"(all|global|has)\(")
LABEL = re.compile(r"[A-Za-z0-9_./-]+")
# Behind a label only, where they need no blank on either side.
OPERATOR = re.compile(r"contains|starts[ \t]*with|ends[ \t]*with|not[ \t]*in|in")
SPELLING = {"startswith": "starts with", "endswith": "ends with", "notin": "not in"}


class Misread(Exception):
    """What is wrong with a selector, and at which character, counted from 1."""

    def __init__(self, at: int, what: str) -> None:
        self.at = at + 1
        self.what = what
        super().__init__(what)


class Token(NamedTuple):
    """``kind`` is a sign or an operator as it is written, or one of label, text, has, all, global and end."""

    kind: str
    text: str
    at: int


def tokens(selector: str) -> Iterator[Token]:
    if len(selector) > MOST_CHARACTERS:
        raise Misread(MOST_CHARACTERS, f"it is longer than {MOST_CHARACTERS:,} characters")
    last, at = "", _blanks(selector, 0)
    while at < len(selector):
        token, end = _operator(selector, at) if last == "label" and _is_word(selector, at) else _token(selector, at)
        yield token
        last, at = token.kind, _blanks(selector, end)
    yield Token("end", "", at)


def _blanks(selector: str, at: int) -> int:
    found = BLANKS.match(selector, at)
    return found.end() if found else at


def _is_word(selector: str, at: int) -> bool:
    return not SIGNS.match(selector, at) and selector[at] not in "\"'=&|"


def _operator(selector: str, at: int) -> tuple[Token, int]:
    found = OPERATOR.match(selector, at)
    if not found:
        raise Misread(at, "an operator is expected behind a label")
    word = "".join(found[0].split())
    return Token(SPELLING.get(word, word), "", at), found.end()


def _token(selector: str, at: int) -> tuple[Token, int]:
    if sign := SIGNS.match(selector, at):
        return Token(sign[0], "", at), sign.end()
    if text := TEXT.match(selector, at):
        return Token("text", text[1] if text[1] is not None else text[2], at), text.end()
    if call := CALL.match(selector, at):
        return Token(call[1] or call[2], _label(call[3] or "", at), at), call.end()
    if OPENED.match(selector, at) or not (label := LABEL.match(selector, at)):
        raise Misread(at, _why(selector, at))
    return Token("label", _label(label[0], at), at), label.end()


def _label(name: str, at: int) -> str:
    if len(name) > LONGEST_LABEL:
        raise Misread(at, f"a label is longer than {LONGEST_LABEL} characters")
    return name


def _why(selector: str, at: int) -> str:
    if selector[at] in "\"'":
        return "a quote is not closed"
    if selector[at] in "=&|":
        return f"{selector[at]} is written twice"
    if opened := OPENED.match(selector, at):
        return f"{opened[0]} is not closed, or has no label" if opened[1] == "has" else f"{opened[0]} is not closed"
    return f"{selector[at]!r} has no meaning here"
