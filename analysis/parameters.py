"""The types a question's parameters may have, and how what a user gives becomes a bound value."""

from collections.abc import Callable
from datetime import UTC, datetime

from contract.errors import QuestionError

ESCAPE = "!"


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError
    value.encode()  # a surrogate by itself, from bytes of a command line that are not UTF-8, is a ValueError
    return value


def _integer(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError
    number = int(value)
    if not -(2**63) <= number < 2**63:
        raise ValueError
    return number


def _flag(value: object) -> bool:
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}[_text(value).lower()]


def _time(value: object) -> datetime:
    time = value if isinstance(value, datetime) else datetime.fromisoformat(_text(value))
    if time.tzinfo is None:
        raise ValueError
    return time.astimezone(UTC)


def _glob(value: object) -> str:
    """``*`` and ``?`` as LIKE knows them; everything else stands for itself."""
    escaped = "".join(ESCAPE + c if c in (ESCAPE, "%", "_") else c for c in _text(value))
    return escaped.replace("*", "%").replace("?", "_")


def _pod(value: object) -> str:
    """``namespace/prefix`` or ``prefix`` (of any namespace) as a LIKE pattern over ``namespace/pod``."""
    text = _glob(value)
    return (text if "/" in text else f"%/{text}") + "%"


# What each type takes, in words for the error and the listing, and the conversion.
TYPES: dict[str, tuple[str, Callable[[object], object]]] = {
    "text": ("text", _text),
    "glob": ("text in which * stands for anything and ? for one character", _glob),
    "pod": ("namespace/prefix, or prefix", _pod),
    "integer": ("an integer", _integer),
    "flag": ("true or false", _flag),
    "time": ("a time such as 2026-01-31T12:00:00Z", _time),
}


def bound(name: str, kind: str, value: object) -> object:
    """The value to bind; ``QuestionError`` names the parameter that has another type."""
    if value is None:
        return None
    words, convert = TYPES[kind]
    try:
        return convert(value)
    except (ValueError, KeyError, OverflowError):
        raise QuestionError(f"parameter {name}: {_shown(value)} is not {words}") from None


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
