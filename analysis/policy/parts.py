"""One value of a document with its place, so that an error can say where. Strict: what is not known is wrong."""

import ipaddress
import math
import re
from collections.abc import Collection, Iterator
from typing import Any

from analysis.policy.endpoints import Network
from contract.errors import InputError

# Python would take a mask in the place of the prefix, too, and a zone.
CIDR = re.compile(r"[0-9A-Fa-f:.]+/[0-9]{1,3}")


class Part:
    """A null is as absent; a value of another type than asked for is an ``InputError``."""

    def __init__(self, value: Any, file: str, path: str) -> None:
        self.value = value
        self.file = file
        self.path = path

    def wrong(self, what: str, do: str = "") -> InputError:
        return InputError(f"{self.file}: {self.path}", what, do)

    def fields(self, known: Collection[str]) -> None:
        """Refuse whatever else the object has."""
        unknown = [key for key in self._object() if key not in known]
        if unknown:
            raise self.wrong(f"has the unknown field {unknown[0]!r:.60}", f"known are {', '.join(known)}")

    def get(self, key: str) -> "Part | None":
        value = self._object().get(key)
        return None if value is None else Part(value, self.file, f"{self.path}.{key}")

    def needed(self, key: str) -> "Part":
        found = self.get(key)
        if found is None:
            raise Part(None, self.file, f"{self.path}.{key}").wrong("is absent")
        return found

    def items(self, key: str) -> list["Part"]:
        """The entries of a list; an absent one is empty."""
        found = self.get(key)
        if found is None:
            return []
        if not isinstance(found.value, list):
            raise found.wrong("is not a list")
        return [Part(value, self.file, f"{found.path}[{number}]") for number, value in enumerate(found.value)]

    def texts(self) -> Iterator[tuple[str, str]]:
        """The keys and values of an object of texts."""
        for key, value in self._object().items():
            if not isinstance(value, str):
                raise self.wrong(f"has a value for {key!r:.60} that is not text", "quote it")
            yield key, value

    @property
    def text(self) -> str:
        if not isinstance(self.value, str):
            raise self.wrong("is not text", "quote it")
        return self.value

    @property
    def number(self) -> int:
        if not isinstance(self.value, int) or isinstance(self.value, bool):
            raise self.wrong("is not a whole number")
        return self.value

    @property
    def decimal(self) -> float:
        if not isinstance(self.value, int | float) or isinstance(self.value, bool) or not math.isfinite(self.value):
            raise self.wrong("is not a number")
        return float(self.value)

    @property
    def flag(self) -> bool:
        if not isinstance(self.value, bool):
            raise self.wrong("is not true or false")
        return self.value

    @property
    def network(self) -> Network:
        """Bits behind the prefix are ignored, as the API server does."""
        try:
            if not CIDR.fullmatch(self.text):
                raise ValueError
            return ipaddress.ip_network(self.text, strict=False)
        except ValueError:
            raise self.wrong(f"{self.value!r:.60} is no network", "write it as 192.0.2.0/24 or 2001:db8::/32") from None

    def _object(self) -> dict[str, Any]:
        if not isinstance(self.value, dict):
            raise self.wrong("is not an object")
        return self.value
