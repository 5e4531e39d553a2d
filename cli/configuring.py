"""Where the configuration comes from: flags, else the environment, else the file, else what is declared.

A file's keys at the top are for every verb that has them, those in ``[collect]`` or ``[enrich]`` for that verb alone. In the
environment each key has a name: ``kafka.password_file`` is ``TAILRACE_KAFKA_PASSWORD_FILE``.
"""

import difflib
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from analysis.printable import printable
from cli.config import VERBS, KeyPath, Running, keys, secrets, unknown_user, unreadable
from contract.errors import UsageError

PREFIX = "TAILRACE_"
OTHERS = {"TAILRACE_LAKE", "TAILRACE_CACHE", "TAILRACE_CONFIG"}  # read by other verbs, or elsewhere
# A Service named tailrace-… puts such names into the environment of every pod beside it.
OF_SERVICES = re.compile(r"TAILRACE_(\w+_)?(SERVICE_(HOST|PORT\w*)|PORT(_\d+_(TCP|UDP|SCTP)\w*)?)")
UNTOLD: tuple[object, ...] = (None, [], ())
MAX_SHOWN = 80  # characters of a wrong value


Config = TypeVar("Config", bound=Running)


class Told(NamedTuple):
    value: object
    where: str


Source = dict[tuple[str, ...], Told]


def configuration(model: type[Config], flags: Mapping[str, object], file: str | None) -> Config:
    """``flags`` has a value for each key that the command line told, None or nothing for the others."""
    by_flags: Source = {
        tuple(key.split(".")): Told(value, flag(key)) for key, value in flags.items() if value not in UNTOLD
    }
    by_file = _from_file(model, file) if file else {}
    told = _stronger(by_flags, _stronger(_from_environment(model), by_file, model), model)
    return _validated(model, told)


def flag(key: str) -> str:
    if key == "spool.dir":
        return "--spool"
    return "-i" if key == "interfaces" else f"--{key.replace('_', '-')}"


def _stronger(strong: Source, weak: Source, model: type[Running]) -> Source:
    """Both; of keys that exclude each other, those of the weaker source give way."""
    groups = [{tuple(key.split(".")) for key in group} for group in model.ONE_OF]
    beaten = {path for group in groups if group & strong.keys() for path in group}
    return {path: told for path, told in weak.items() if path not in beaten} | strong


def _from_environment(model: type[Running]) -> Source:
    """An empty variable is as good as none: a manifest cannot leave one out."""
    everybodys = {variable(path) for model in VERBS.values() for path, _ in keys(model)}
    for name in os.environ:
        if name.startswith(PREFIX) and name not in everybodys | OTHERS and not OF_SERVICES.fullmatch(name):
            raise UsageError(_unknown("the environment", name, everybodys))
    values = {path: os.environ.get(variable(path)) for path, _ in keys(model)}
    return {path: Told(value, variable(path)) for path, value in values.items() if value}


def variable(path: KeyPath) -> str:
    return PREFIX + "_".join(path).upper()


def _from_file(model: type[Running], file: str) -> Source:
    document = _document(file)
    found: Source = {}
    for verb, its_model in VERBS.items():
        table = document.pop(verb, {})
        if not isinstance(table, dict):
            raise UsageError(f"{file}: {verb} is a table: [{verb}]")
        own = _known(table, {path for path, _ in keys(its_model)}, f"{file}: [{verb}]")
        found |= own if its_model is model else {}
    everybodys = {path for its_model in VERBS.values() for path, _ in keys(its_model)}
    shared = _known(document, everybodys, file)
    mine = {path for path, _ in keys(model)}
    return _stronger(found, {path: told for path, told in shared.items() if path in mine}, model)


def _document(file: str) -> dict[str, Any]:
    try:
        with Path(file).open("rb") as opened:
            return tomllib.load(opened)
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"{file}: is no TOML: {printable(str(error))}") from error


def _known(table: Mapping[str, Any], known: set[KeyPath], where: str) -> Source:
    found = {path: Told(value, f"{where}: {'.'.join(path)}") for path, value in _leaves(table, known)}
    for path in found:
        if path not in known:
            raise UsageError(_unknown(where, ".".join(path), {".".join(path) for path in known}))
    return found


def _leaves(table: Mapping[str, Any], known: set[KeyPath], above: KeyPath = ()) -> Iterator[tuple[KeyPath, object]]:
    for key, value in table.items():
        path = (*above, key)
        if isinstance(value, dict) and path not in known:
            yield from _leaves(value, known, path)
        else:
            yield path, value


def _unknown(where: str, key: str, known: set[str]) -> str:
    near = difflib.get_close_matches(key[: 2 * MAX_SHOWN], known, 1, 0.5)
    hint = f"; did you mean {near[0]}?" if near else ""
    return f"{where}: {printable(key[:MAX_SHOWN])}: there is no such key{hint}"


def _validated(model: type[Config], told: Source) -> Config:
    values: dict[str, Any] = {}
    for path, (value, _) in told.items():
        table = values
        for key in path[:-1]:
            table = table.setdefault(key, {})
        table[path[-1]] = value
    try:
        config = model.model_validate(values)
    except ValidationError as error:
        raise UsageError(_wrong(error.errors(include_url=False)[0], told, secrets(model))) from None
    for path, reason in (*unreadable(config), *unknown_user(config)):
        raise UsageError(f"{told[path].where}: {reason}")
    return config


def _wrong(error: ErrorDetails, told: Source, secret: set[KeyPath]) -> str:
    """Where the value was told, what is wrong with it, and the value unless it is secret."""
    what = error["msg"].removeprefix("Value error, ")
    what = what[0].lower() + what[1:]
    for length in range(len(error["loc"]), 0, -1):
        path = tuple(str(part) for part in error["loc"][:length])
        if path in told:
            shown = "" if path in secret or error["type"] == "value_error" else f", not {_short(error['input'])}"
            return f"{told[path].where}: {what}{shown}"
    return what


def _short(value: object) -> str:
    return printable(repr(value)[:MAX_SHOWN])


def dumped(config: Running) -> str:
    """The settings in force, as a file that ``--config`` reads; secrets are masked."""
    import tomli_w

    return tomli_w.dumps(config.model_dump(mode="json", by_alias=True, exclude_none=True))


def is_answered(config: Running, check: bool, dump: bool) -> bool:
    """Whether ``--check`` or ``--dump-config`` was asked for, which was done now, and nothing else."""
    if dump:
        print(dumped(config), end="")
    elif check:
        print("OK")
    return dump or check
