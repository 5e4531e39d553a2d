"""One object of a dump, read with the key path at hand, so that an error can say where."""

import ipaddress
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from contract.errors import InputError

ADVICE = "give the output of: kubectl get nodes,pods,services,endpointslices,replicasets,jobs -A -o json"


class Item:
    """A JSON object; an absent key and a null read the same, a value of another type is an ``InputError``."""

    def __init__(self, raw: Any, file: str, path: str) -> None:
        self._file = file
        self._path = path
        if not isinstance(raw, dict):
            raise self.wrong("", "is not an object")
        self._raw: dict[str, Any] = raw

    def wrong(self, keys: str, what: str) -> InputError:
        path = ".".join(part for part in (self._path, keys) if part)
        return InputError(f"{self._file}: {path}", what, ADVICE)

    def text(self, keys: str) -> str | None:
        value = self._typed(keys, str, "text")
        return value or None

    def number(self, keys: str) -> int | None:
        value: int | None = self._typed(keys, int, "a number")
        return value

    def port(self, keys: str) -> int | None:
        number = self.number(keys)
        if number is not None and not 0 <= number <= 65535:
            raise self.wrong(keys, f"{number} is no port")
        return number

    def flag(self, keys: str) -> bool | None:
        value: bool | None = self._typed(keys, bool, "true or false")
        return value

    def needed(self, keys: str) -> str:
        value = self.text(keys)
        if value is None:
            raise self.wrong(keys, "is absent")
        return value

    def time(self, keys: str) -> datetime | None:
        text = self.text(keys)
        if text is None:
            return None
        try:
            return datetime.fromisoformat(text).astimezone(UTC)
        except (ValueError, OverflowError):
            raise self.wrong(keys, f"{text!r:.60} is no time (RFC 3339)") from None

    def address(self, keys: str) -> str | None:
        text = self.text(keys)
        return None if text is None else self._parsed(keys, text)

    def addresses(self, keys: str) -> list[str]:
        return [self._parsed(keys, text) for text in self.texts(keys)]

    def network(self, text: str, keys: str) -> str:
        try:
            return str(ipaddress.ip_network(text, strict=False))
        except ValueError:
            raise self.wrong(keys, f"{text!r:.60} is no network") from None

    def texts(self, keys: str) -> list[str]:
        values = self._typed(keys, list, "a list") or []
        if not all(isinstance(value, str) for value in values):
            raise self.wrong(keys, "is not a list of texts")
        return [value for value in values if value]

    def labels(self, keys: str) -> dict[str, str]:
        values = self._typed(keys, dict, "an object") or {}
        if not all(isinstance(value, str) for value in values.values()):
            raise self.wrong(keys, "has a value that is not text")
        return values

    def children(self, keys: str) -> Iterator["Item"]:
        values = self._typed(keys, list, "a list") or []
        path = ".".join(part for part in (self._path, keys) if part)
        for number, raw in enumerate(values):
            yield Item(raw, self._file, f"{path}[{number}]")

    def child(self, keys: str) -> "Item":
        path = ".".join(part for part in (self._path, keys) if part)
        return Item(self.raw(keys), self._file, path)

    def raw_object(self) -> dict[str, Any]:
        return self._raw

    def raw(self, keys: str) -> Any:
        """The value as it is, whatever its type; keys are joined by dots."""
        value: Any = self._raw
        for key in keys.split("."):
            if value is None:
                return None
            if not isinstance(value, dict):
                raise self.wrong(keys, "is not an object on the way")
            value = value.get(key)
        return value

    def _typed(self, keys: str, kind: type, name: str) -> Any:
        value = self.raw(keys)
        if value is None:
            return None
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise self.wrong(keys, f"is not {name}")
        return value

    def _parsed(self, keys: str, text: str) -> str:
        try:
            return str(ipaddress.ip_address(text))
        except ValueError:
            raise self.wrong(keys, f"{text!r:.60} is no address") from None
