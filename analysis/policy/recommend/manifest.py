"""Documents with comments as YAML text, the same bytes every time; what is printed reads back as what was meant.

Whoever writes a document puts ``Commented`` around an entry of a list; the lines stand above it. Comments are made of
names that strangers chose: nothing in them ends a line or turns the direction of writing.
"""

import re
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from analysis.printable import printable

LONGEST_COMMENT = 300

# Texts that every reader of YAML, 1.1 or 1.2, takes for a text without quotes.
PLAIN = re.compile(r"(?!(?i:y|n|yes|no|on|off|true|false|null|inf|nan|none)$)[A-Za-z_][A-Za-z0-9_./-]*", re.ASCII)


@dataclass(frozen=True)
class Commented:
    """An entry of a list, or None for lines alone."""

    value: Any
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Manifest:
    """One document; ``lines`` stand at its top."""

    document: dict[str, Any]
    lines: tuple[str, ...] = ()

    @property
    def plain(self) -> dict[str, Any]:
        found: dict[str, Any] = _plain(self.document)
        return found


class _Dumper(yaml.SafeDumper):
    """Every text in quotes that any reader could take for something else."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """Lists lie deeper than their key, as people write them."""
        super().increase_indent(flow, False)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if PLAIN.fullmatch(text) else '"')


_Dumper.add_representer(str, _text)


def text_of(head: Iterable[str], manifests: Sequence[Manifest]) -> str:
    parts = [_comments(head), *("---\n" + _comments(one.lines) + _mapping(one.document) for one in manifests)]
    return "".join(parts)


def _plain(value: Any) -> Any:
    if isinstance(value, Commented):
        return _plain(value.value)
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value if not (isinstance(inner, Commented) and inner.value is None)]
    return value


def _mapping(value: dict[str, Any]) -> str:
    return "".join(_entry(key, inner) for key, inner in value.items())


def _entry(key: str, value: Any) -> str:
    if not _has_comments(value):
        return _dumped({key: value})
    if isinstance(value, dict):
        return f"{key}:\n" + textwrap.indent(_mapping(value), "  ")
    return f"{key}:\n" + textwrap.indent("".join(map(_listed, value)), "  ")


def _listed(value: Any) -> str:
    if not isinstance(value, Commented):
        return _dumped([value])
    return _comments(value.lines) + ("" if value.value is None else _dumped([value.value]))


def _dumped(value: Any) -> str:
    found: str = yaml.dump(
        value, Dumper=_Dumper, default_flow_style=False, sort_keys=False, allow_unicode=False, width=1 << 30
    )
    return found


def _has_comments(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_has_comments, value.values()))
    if isinstance(value, list):
        return any(map(_has_comments, value))
    return isinstance(value, Commented)


def _comments(lines: Iterable[str]) -> str:
    return "".join(f"# {_comment(line)}".rstrip() + "\n" for line in lines)


def _comment(line: str) -> str:
    safe = printable(line)
    return safe if len(safe) <= LONGEST_COMMENT else safe[: LONGEST_COMMENT - 1] + "…"
