"""Ends and ports as a user names them, among the endpoints that are known."""

import ipaddress
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from analysis.graph import PROTOCOLS as NAMES
from analysis.policy.endpoints import PROTOCOLS, Endpoint
from analysis.policy.naming import is_own, workload_of
from analysis.policy.ports import PORTED, PortClass, Span
from analysis.policy.rules import MOST_PORT, NO_PORT
from analysis.policy.space import Space
from contract.errors import QuestionError

NUMBERS = {name.lower(): number for number, name in NAMES.items()}
FORM = "write NAMESPACE/WORKLOAD, NAMESPACE/POD, a node, an address or a domain"
DOMAIN = re.compile(r"(?=.{1,253}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
MOST_NEAR = 3

Services = tuple[PortClass, ...]


@dataclass(frozen=True)
class Service:
    """What is asked of dst; without port and protocol every port. A port that is text is a name."""

    port: int | str | None = None
    protocol: int | None = None


def split(text: str) -> tuple[str, Service]:
    """``END[:PORT[/PROTOCOL]]``; an IPv6 address before a port stands in brackets."""
    end, port = _parted(text)
    if not port:
        return end, Service()
    number, _, protocol = port.partition("/")
    return end, Service(_port(number, text), _protocol(protocol, text))


def _parted(text: str) -> tuple[str, str]:
    if text.startswith("["):
        end, _, port = text[1:].partition("]")
        return end, port.removeprefix(":")
    if text.count(":") > 1:
        return text, ""
    end, _, port = text.partition(":")
    return end, port


def _port(text: str, whole: str) -> int | str | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit()):
        return text
    if len(text) > 5 or not 1 <= int(text) <= MOST_PORT:
        raise QuestionError(f"{whole!r:.60}: {text:.20} is no port; write 1 to {MOST_PORT}, or the name of one")
    return int(text)


def _protocol(text: str, whole: str) -> int | None:
    if not text:
        return None
    if text.lower() in NUMBERS:
        return NUMBERS[text.lower()]
    if text.isascii() and text.isdigit() and len(text) < 4 and int(text) < 256:
        return int(text)
    raise QuestionError(f"{whole!r:.60}: {text!r:.20} is no protocol; write {', '.join(NUMBERS)} or a number")


def matching(text: str, endpoints: Sequence[Endpoint]) -> list[int]:
    """Which of them it names: all pods of a workload, all addresses of a pod or node, or who has the address."""
    address = _address(text)
    if address is not None:
        return [row for row, one in enumerate(endpoints) if one.address and _address(one.address) == address]
    domain = text.lower().rstrip(".")
    return [row for row, one in enumerate(endpoints) if text in _names(one) or (one.domain and one.domain == domain)]


def stranger(text: str, endpoints: Sequence[Endpoint]) -> Endpoint:
    """An address or a domain outside that none of them is; an error with the nearest names if it is neither."""
    address = _address(text)
    if address is not None:
        return Endpoint("external", None, str(address), str(address), {}, {}, None, {}, False, None)
    domain = text.lower().rstrip(".")
    if DOMAIN.fullmatch(domain):
        return Endpoint("external", None, domain, None, {}, {}, None, {}, False, None, domain)
    raise QuestionError(f"{text!r:.60} is nobody that is known; {_near(text, endpoints) or FORM}")


def _names(one: Endpoint) -> set[str]:
    if one.namespace is None:
        return {one.name} if one.kind == "node" else set()
    workload = workload_of(one)
    names = {f"{one.namespace}/{one.name}", f"{one.namespace}/{workload.kind}/{workload.name}"}
    return names | ({str(workload)} if is_own(one) or one.workload else set())


def _near(text: str, endpoints: Sequence[Endpoint]) -> str:
    names = sorted({name for one in endpoints for name in _names(one) if name.count("/") < 2})
    same = [name for name in names if name.rpartition("/")[2] == text]
    found = [*same, *(name for name in get_close_matches(text, names, MOST_NEAR) if name not in same)][:MOST_NEAR]
    return f"nearest: {', '.join(found)}" if found else ""


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def services(service: Service, space: Space, targets: Iterable[int]) -> Mapping[int, Services]:
    """The ports to ask about, at each target."""
    protocol = service.protocol
    if isinstance(service.port, str):
        return _by_name(service.port, protocol, space.endpoints, list(targets))
    if service.port is not None:
        found: Services = (_single(PROTOCOLS["TCP"] if protocol is None else protocol, service.port),)
    elif protocol is None:
        found = tuple(space.ports.classes)
    else:
        found = tuple(_of_protocol(space, protocol))
    return dict.fromkeys(targets, found)


def _single(protocol: int, port: int) -> PortClass:
    number = port if protocol in PORTED else NO_PORT
    return PortClass((Span(protocol, number, number),))


def _of_protocol(space: Space, protocol: int) -> Iterable[PortClass]:
    for one in space.ports.classes:
        spans = tuple(span for span in one.spans if span.protocol == protocol)
        if spans:
            yield PortClass(spans)


def _by_name(
    name: str, protocol: int | None, endpoints: Sequence[Endpoint], targets: Sequence[int]
) -> Mapping[int, Services]:
    found: dict[int, Services] = {}
    for row in targets:
        told, number = endpoints[row].ports.get(name, ("", NO_PORT))
        if told in PROTOCOLS and protocol in (None, PROTOCOLS[told]):
            found[row] = (_single(PROTOCOLS[told], number),)
    if len(found) < len(targets):
        known = {
            f"{port} ({told} {number})" for row in targets for port, (told, number) in endpoints[row].ports.items()
        }
        raise QuestionError(f"a pod of dst has no port {name!r:.60}; named are: {', '.join(sorted(known)) or 'none'}")
    return found
