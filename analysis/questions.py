"""One question, one ``.sql`` file: its header says what it asks, and this is what runs it.

A header is a block of comments at the top of the file::

    -- question: Which names does a workload ask for?
    -- grain: one row a name
    -- read by: tailrace dns
    -- parameter namespace text null: namespace of the client
    -- parameter least integer 10: fewest transactions of a name

A parameter has a name, a type of ``analysis.parameters``, and a default or ``required``. Every question takes ``since``,
``until`` and ``cluster`` besides: they choose the records before the views merge them, and are bound in the SQL only if declared.
"""

import re
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import TYPE_CHECKING, Any

from analysis.parameters import TYPES, bound
from contract.errors import QuestionError

if TYPE_CHECKING:
    from analysis.running import Answer
    from store.lake import Lake

# A page or a terminal shows no more; who needs all rows says so.
ROWS = 10_000
TIMEOUT_S = 30.0

# Folders of this package that hold questions, and what their names begin with.
FOLDERS = {"sql": "", "dns": "dns/", "detect": "detect/"}

# What every question takes besides its own parameters, and the types of these.
WINDOW = {"since": "time", "until": "time", "cluster": "text"}
REQUIRED = "required"

_LINE = re.compile(r"-- (question|grain|read by|parameter) ?(.*)")
_PARAMETER = re.compile(r"([a-z][a-z0-9_]*) ([a-z]+) (\S+): (.+)")


@dataclass(frozen=True)
class Parameter:
    name: str
    type: str
    default: object
    required: bool
    meaning: str


@dataclass(frozen=True)
class Question:
    name: str
    question: str
    grain: str
    readers: str
    parameters: tuple[Parameter, ...]
    sql: str


@cache
def catalogue() -> Mapping[str, Question]:
    """Every question by its name: the path of its file, without ``sql/`` before and ``.sql`` behind it."""
    texts = [text for folder, prefix in FOLDERS.items() for text in _texts(files("analysis") / folder, prefix)]
    return dict(sorted((name, parse(name, text)) for name, text in texts))


def ask(
    lake: "Lake",
    name: str,
    parameters: Mapping[str, object] | None = None,
    limit: int | None = ROWS,
    timeout_s: float = TIMEOUT_S,
) -> "Answer":
    """The first ``limit`` rows; ``QuestionError`` where the name, a parameter, or the time is wrong."""
    given = parameters or {}
    with asking(lake, given) as answer:
        return answer(name, given, limit, timeout_s)


class Asking:
    """Several questions of one lake as it is now, and of one window: ``since``, ``until`` and ``cluster`` of these parameters."""

    def __init__(self, lake: "Lake", window: Mapping[str, object]) -> None:
        chosen: dict[str, Any] = {name: bound(name, kind, window.get(name)) for name, kind in WINDOW.items()}
        self._connection = lake.connect(**chosen)

    def __call__(
        self, name: str, parameters: Mapping[str, object], limit: int | None = ROWS, timeout_s: float = TIMEOUT_S
    ) -> "Answer":
        from analysis.running import run_question

        question = find(name)
        return run_question(self._connection.cursor(), question.sql, bind(question, parameters), limit, timeout_s)

    def close(self) -> None:
        self._connection.close()


def asking(lake: "Lake", window: Mapping[str, object]) -> closing[Asking]:
    return closing(Asking(lake, window))


def run_sql(
    lake: "Lake", text: str, limit: int | None = ROWS, timeout_s: float = TIMEOUT_S, cluster: str | None = None
) -> "Answer":
    """One read-only statement of the user's own over the views of the lake."""
    from analysis.running import run_statement

    return run_statement(lake.connect(cluster=cluster), text, limit, timeout_s)


def find(name: str) -> Question:
    if name not in catalogue():
        raise QuestionError(f"no question {name!r}; there are {', '.join(catalogue())}")
    return catalogue()[name]


def bind(question: Question, given: Mapping[str, object]) -> dict[str, object]:
    """A value for each parameter of the SQL, the defaults filled in."""
    known = {parameter.name: parameter for parameter in question.parameters}
    for name in given:
        if name not in known and name not in WINDOW:
            raise QuestionError(f"{question.name}: no parameter {name!r}; there are {', '.join((*known, *WINDOW))}")
    missing = [name for name, parameter in known.items() if parameter.required and given.get(name) is None]
    if missing:
        raise QuestionError(f"{question.name}: parameter {missing[0]} is required: {known[missing[0]].meaning}")
    return {
        name: bound(name, parameter.type, parameter.default if given.get(name) is None else given[name])
        for name, parameter in known.items()
    }


def parse(name: str, text: str) -> Question:
    """Read the header; ``QuestionError`` where it does not keep to the form above."""
    header: dict[str, list[str]] = {}
    for line in text.splitlines():
        if not line.startswith("--"):
            break
        match = _LINE.match(line)
        if match:
            header.setdefault(match[1], []).append(match[2].removeprefix(": ").strip())
    for key in ("question", "grain", "read by"):
        if len(header.get(key, ())) != 1:
            raise QuestionError(f"{name}: its header needs one line `-- {key}: …`")
    return Question(
        name=name,
        question=header["question"][0],
        grain=header["grain"][0],
        readers=header["read by"][0],
        parameters=tuple(_parameter(name, line) for line in header.get("parameter", ())),
        sql=text,
    )


def _parameter(question: str, line: str) -> Parameter:
    match = _PARAMETER.fullmatch(line)
    if not match or match[2] not in TYPES:
        raise QuestionError(f"{question}: not a parameter: {line!r}; write `-- parameter NAME TYPE DEFAULT: meaning`")
    name, kind, default, meaning = match.groups()
    value = None if default in ("null", REQUIRED) else default
    return Parameter(name, kind, value, default == REQUIRED, meaning)


def _texts(folder: Traversable, prefix: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for entry in folder.iterdir():
        if entry.is_dir():
            found += _texts(entry, f"{prefix}{entry.name}/")
        elif entry.name.endswith(".sql"):
            found.append((prefix + entry.name.removesuffix(".sql"), entry.read_text()))
    return found
