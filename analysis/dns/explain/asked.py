"""Which name of which client is to be explained, as a user gives it."""

import ipaddress
from dataclasses import dataclass
from datetime import datetime

from contract.errors import QuestionError


@dataclass(frozen=True)
class Client:
    """An address; or a workload or pod with its namespace; or a node, which has none."""

    namespace: str | None = None
    name: str | None = None
    address: str | None = None

    def __str__(self) -> str:
        return self.address or "/".join(filter(None, (self.namespace, self.name)))

    @property
    def parameters(self) -> dict[str, object]:
        return {"namespace": self.namespace, "client": self.name, "address": self.address}


@dataclass(frozen=True)
class Asked:
    """``at`` is None for the newest resolution, ``cluster`` for that of any."""

    name: str
    client: Client
    at: datetime | None = None
    cluster: str | None = None

    @property
    def spellings(self) -> dict[str, object]:
        name, other = spellings(self.name)
        return {"name": name, "spelling": other}


def read_client(text: str) -> Client:
    try:
        return Client(address=str(ipaddress.ip_address(text)))
    except ValueError:
        pass
    *namespace, name = text.split("/")
    if len(namespace) > 1 or not all((*namespace, name)):
        raise QuestionError(f"client {text!r}: write namespace/workload, namespace/pod, an address, or a node")
    return Client(namespace[0] if namespace else None, name)


def spellings(name: str) -> tuple[str, str]:
    """As the lake writes it, and by IDNA; of an ASCII name both are the same."""
    bare = name.lower()
    bare = bare.removesuffix(".") or "."
    return _escaped(bare), _idna(bare)


def _escaped(name: str) -> str:
    r"""Octets that are not printable ASCII as \DDD."""
    return "".join(chr(octet) if 33 <= octet <= 126 else f"\\{octet:03d}" for octet in name.encode(errors="replace"))


def _idna(name: str) -> str:
    try:
        return _escaped(name) if name.isascii() else name.encode("idna").decode()
    except UnicodeError:
        return _escaped(name)
