"""Protocols and ports of a rule."""

import re

from analysis.policy.endpoints import PROTOCOLS
from analysis.policy.parts import Part
from analysis.policy.rules import MOST_PORT, AllBut, NamedPort, Port, PortRange

ICMP, ICMP_V6 = 1, 58
NUMBERS = {**PROTOCOLS, "ICMP": ICMP, "ICMPv6": ICMP_V6, "UDPLite": 136}
NAME = re.compile(r"[a-zA-Z0-9_.-]{1,128}")
RANGE = re.compile(r"([0-9]{1,5}):([0-9]{1,5})")
NUMBER = re.compile(r"[0-9]{1,5}")
MOST_PORTS = 50


def protocol(part: Part | None) -> int | None:
    if part is None:
        return None
    value = part.value
    if isinstance(value, str):
        value = NUMBERS.get(value, int(value) if NUMBER.fullmatch(value) else 0)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 255:
        raise part.wrong(f"{part.value!r:.60} is no protocol", f"write 1 to 255 or {', '.join(NUMBERS)}")
    return value


def ports(rule: Part) -> tuple[Port, ...]:
    """What of the protocol and of the destination's port a rule asks for."""
    number, other = protocol(rule.get("protocol")), protocol(rule.get("notProtocol"))
    whole = () if number is None else (PortRange(number),)
    told = _of(rule, "destination", "ports", number)
    excepted = _of(rule, "destination", "notPorts", number) + (() if other is None else (PortRange(other),))
    return (AllBut(excepted, told or whole),) if excepted else told or whole


def has_source_ports(rule: Part) -> bool:
    number = protocol(rule.get("protocol"))
    return bool(_of(rule, "source", "ports", number) + _of(rule, "source", "notPorts", number))


def _of(rule: Part, side: str, field: str, number: int | None) -> tuple[PortRange | NamedPort, ...]:
    entity = rule.get(side)
    told = entity.items(field) if entity else []
    if len(told) > MOST_PORTS:
        raise told[-1].wrong(f"is one of {len(told)} ports, more than {MOST_PORTS}", "make two rules of it")
    if told and number not in PROTOCOLS.values():
        raise told[0].wrong("is a port without a protocol that has ports", "set protocol to TCP, UDP or SCTP")
    return tuple(_port(one, number or 0) for one in told)


def _port(part: Part, number: int) -> PortRange | NamedPort:
    if isinstance(part.value, str):
        if both := RANGE.fullmatch(part.text):
            return _range(part, number, int(both[1]), int(both[2]))
        if not NUMBER.fullmatch(part.text):
            return _named(part, number)
        return _range(part, number, int(part.text), int(part.text))
    return _range(part, number, part.number, part.number)


def _range(part: Part, number: int, first: int, last: int) -> PortRange:
    if not 1 <= first <= last <= MOST_PORT:
        raise part.wrong(f"{part.value!r:.60} is no port", f"write 1 to {MOST_PORT}, or a range as 80:90")
    return PortRange(number, first, last)


def _named(part: Part, number: int) -> NamedPort:
    if not NAME.fullmatch(part.text):
        raise part.wrong(f"{part.text!r:.60} is no name of a port", "write letters, digits, '-', '.' and '_'")
    return NamedPort(number, part.text)
