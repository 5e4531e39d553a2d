"""YAML and JSON documents with their file and place; errors in one line."""

import json
from collections.abc import Hashable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml
from yaml.constructor import ConstructorError

try:
    from yaml import CSafeLoader as SafeLoader
except ImportError:  # a PyYAML that was built without libyaml: the same, more slowly
    from yaml import SafeLoader  # type: ignore[assignment]

from analysis.policy.parts import Part
from contract.errors import InputError

SUFFIXES = frozenset({".yaml", ".yml", ".json"})

# More is no set of policies.
MOST_YAML_BYTES = 16 << 20
MOST_JSON_BYTES = 1 << 30
# An alias costs a few bytes and can stand for everything before it: what counts is what it expands to.
MOST_VALUES = 2_000_000
DEEPEST = 64

TAG = "tag:yaml.org,2002:"
PLAIN = frozenset(TAG + name for name in ("null", "bool", "int", "float", "str", "seq", "map"))


def read_documents(paths: Iterable[str]) -> Iterator[Part]:
    """Each Kubernetes object of the files, out of its List if it is in one; empty documents are passed over."""
    for path in paths:
        for file in _files(Path(path)):
            documents = _json(file) if file.suffix == ".json" else _yaml(file)
            yield from _parts(documents, str(file))


def documents_of(text: str, name: str) -> Iterator[Part]:
    """The same of a YAML text that is in no file."""
    yield from _parts(_yaml_of(text, Path(name)), name)


def _parts(documents: Sequence[Any], file: str) -> Iterator[Part]:
    for number, value in enumerate(documents, 1):
        if value is not None:
            yield from _listed(Part(value, file, f"document {number}"))


def _listed(document: Part) -> Iterator[Part]:
    kind = document.needed("kind").text
    if not kind.endswith("List"):
        yield document
        return
    for item in document.items("items"):
        # The API server names kind and version once, kubectl in every item.
        if isinstance(item.value, dict) and kind != "List":
            item.value.setdefault("kind", kind.removesuffix("List"))
            item.value.setdefault("apiVersion", document.needed("apiVersion").value)
        yield item


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    files = sorted(file for file in path.rglob("*") if file.suffix in SUFFIXES and file.is_file())
    if not files:
        raise InputError(str(path), "is a folder without a YAML or JSON file", "name the files")
    return files


def _text(file: Path, most: int) -> str:
    try:
        size = file.stat().st_size
        if size > most:
            raise InputError(str(file), f"has {size:,} bytes, more than {most:,}", "split it, or give it as JSON")
        with file.open("rb") as opened:
            raw = opened.read(most + 1)
        return raw.decode("utf-8-sig")
    except OSError as error:
        raise InputError(str(file), f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputError(str(file), f"is not UTF-8 at byte {error.start}") from error


def _json(file: Path) -> list[Any]:
    text = _text(file, MOST_JSON_BYTES)
    try:
        return [json.loads(text, object_pairs_hook=_unique)]
    except json.JSONDecodeError as error:
        raise InputError(str(file), f"is not JSON at character {error.pos}: {error.msg}") from error
    except ValueError as error:
        raise InputError(str(file), f"is not JSON: {error}") from error
    except RecursionError as error:
        raise InputError(str(file), "is nested too deeply") from error
    except _Twice as error:
        raise InputError(str(file), f"has the key {error.key!r:.60} twice", "leave one out") from error


def _yaml(file: Path) -> list[Any]:
    return _yaml_of(_text(file, MOST_YAML_BYTES), file)


def _yaml_of(text: str, file: Path) -> list[Any]:
    try:
        _check_depth(text, file)
        documents = list(yaml.load_all(text, _Loader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f" at line {mark.line + 1}" if mark else ""
        raise InputError(str(file), f"is not YAML{where}: {error.problem}") from error
    except (yaml.YAMLError, ValueError, LookupError) as error:
        raise InputError(str(file), f"is not YAML: {' '.join(str(error).split()):.200}") from error
    left = MOST_VALUES
    for document in documents:
        left = _counted(document, left, DEEPEST)
        if left < 0:
            raise InputError(str(file), "is nested too deeply, or its aliases stand for too much", "write it out")
    return documents


def _check_depth(text: str, file: Path) -> None:
    """Before anything is built: libyaml builds by recursion, and has no bound of its own but the stack's end."""
    depth = 0
    for event in yaml.parse(text, _Loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise InputError(str(file), f"is nested more than {DEEPEST} deep", "write it flatter")


def _counted(value: Any, left: int, deeper: int) -> int:
    """How many values may still come after this one; negative when it is too many or too deep."""
    if not isinstance(value, dict | list):
        return left - 1
    if deeper == 0:
        return -1
    left -= 1
    for inner in value.values() if isinstance(value, dict) else value:
        left = _counted(inner, left, deeper - 1)
        if left < 0:
            return left
    return left


class _Twice(Exception):
    """An object has a key twice, and a reader has to guess which one is meant."""

    def __init__(self, key: object) -> None:
        self.key = key
        super().__init__(key)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _Twice(key)
        found[key] = value
    return found


class _Loader(SafeLoader):
    """Safe, and as strict as the API server: keys are texts, no key comes twice. A date is a text, as for Kubernetes."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen = set()
        # ``!!map text`` is no mapping, whatever its tag says.
        for key, _ in node.value if node.id == "mapping" else ():
            if key.tag != f"{TAG}str" or not isinstance(key, yaml.ScalarNode):
                raise ConstructorError(None, None, "a key is not text", key.start_mark)
            if key.value in seen:
                raise ConstructorError(None, None, f"the key {key.value!r:.60} comes twice", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != f"{TAG}timestamp"]
    for first, resolvers in SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.yaml_constructors = {
    tag: build for tag, build in SafeLoader.yaml_constructors.items() if tag is None or tag in PLAIN
}
