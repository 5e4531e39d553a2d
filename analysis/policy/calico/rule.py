"""One rule of a policy → what it decides. Log decides nothing, and is read for its mistakes alone."""

import re
from collections.abc import Iterator
from dataclasses import replace

from analysis.policy.calico.entity import Scope, entity, has_service
from analysis.policy.calico.networks import OfVersion, Unaddressed, networks
from analysis.policy.calico.ports import ICMP, ICMP_V6, has_source_ports, ports, protocol
from analysis.policy.endpoints import PROTOCOLS, Selection
from analysis.policy.parts import Part
from analysis.policy.rules import Action, Direction, Rule
from analysis.policy.selectors import Every

ACTIONS = {"Allow": Action.ALLOW, "Deny": Action.DENY, "Pass": Action.PASS, "Log": None}
FIELDS = (
    "action",
    "ipVersion",
    "protocol",
    "icmp",
    "notProtocol",
    "notICMP",
    "source",
    "destination",
    "http",
    "metadata",
)
# Own end first.
ENDS = {Direction.INGRESS: ("destination", "source"), Direction.EGRESS: ("source", "destination")}
VERSIONS = {ICMP: 4, ICMP_V6: 6}
MOST_ICMP_TYPE, MOST_ICMP_CODE = 254, 255
PATH = re.compile(r"/[^? #]*")


def rules(part: Part, direction: Direction, scope: Scope, origin: str) -> Iterator[Rule]:
    """Two of one that is for an IP version: of an edge without any address nobody knows which it has."""
    part.fields(FIELDS)
    action = _action(part.needed("action"))
    version, told = _version(part)
    own, peers = (_end(part, side, direction, scope, action) for side in ENDS[direction])
    if version is not None:
        own, peers = (*own, OfVersion(version)), (*peers, OfVersion(version))
    unsure, on = _unsure(part, direction, scope, action), ports(part)
    if action is None:
        return
    found = Rule(origin, (Every(peers),) if peers else (), on, action, Every(own), unsure)
    if told and protocol(part.get("protocol")) not in VERSIONS:
        unaddressed = Unaddressed()
        yield replace(
            found, peers=(Every((*peers, unaddressed)),), own=Every((*own, unaddressed)), unsure="the IP version"
        )
    yield found


def _action(part: Part) -> Action | None:
    if part.text not in ACTIONS:
        raise part.wrong(f"{part.text!r:.60} is no action", f"write {', '.join(ACTIONS)}")
    return ACTIONS[part.text]


def _end(part: Part, side: str, direction: Direction, scope: Scope, action: Action | None) -> tuple[Selection, ...]:
    names_domains = side == "destination" and direction is Direction.EGRESS and action is Action.ALLOW
    return entity(part.get(side), scope, names_domains)


def _version(part: Part) -> tuple[int | None, bool]:
    """Of which IP version the rule is, and whether it says so itself: the networks it excepts say it too."""
    told = part.get("ipVersion")
    if told is not None and told.number not in (4, 6):
        raise told.wrong(f"{told.number} is no IP version", "write 4 or 6")
    seen = _network_version(part)
    for key in ("protocol", "notProtocol"):
        number = protocol(part.get(key))
        if told is not None and number in VERSIONS and VERSIONS[number] != told.number:
            raise told.wrong(f"{told.number} is not the version of {key}", f"write {VERSIONS[number]}")
    if told is not None and seen is not None and told.number != seen:
        raise told.wrong(f"{told.number} is not the version of the rule's networks", f"write {seen}")
    return (told.number if told else seen), told is not None


def _network_version(part: Part) -> int | None:
    seen: int | None = None
    for side in ("source", "destination"):
        entity = part.get(side)
        for key in ("nets", "notNets"):
            for network in networks(entity, key) if entity else ():
                if seen not in (None, network.version):
                    raise part.wrong("has both IPv4 and IPv6 networks", "make two rules of it")
                seen = network.version
    return seen


def _unsure(part: Part, direction: Direction, scope: Scope, action: Action | None) -> str:
    """What of the rule no flow record tells."""
    other = ENDS[direction][1]
    own_service, service = (has_service(part.get(side), scope) for side in ENDS[direction])
    if own_service:
        raise part.wrong("names a Service at the policy's own end", f"name it in {other}")
    doubts = {
        "the source port": has_source_ports(part),
        "the ICMP type": _has_type(part.get("icmp"), part) | _has_type(part.get("notICMP"), None),
        "the HTTP request": _has_request(part, direction, action),
        "which pods are behind a Service": service,
    }
    if service and other == "destination":
        _refuse_ports(part)
    return " and ".join(name for name, holds in doubts.items() if holds)


def _refuse_ports(part: Part) -> None:
    destination = part.get("destination")
    for key in ("ports", "notPorts"):
        for one in destination.items(key) if destination else ():
            raise one.wrong("is a port beside a Service", "leave it out: the Service has its own")


def _has_type(icmp: Part | None, rule: Part | None) -> bool:
    if icmp is None:
        return False
    icmp.fields(("type", "code"))
    if rule is not None and protocol(rule.get("protocol")) not in VERSIONS:
        raise icmp.wrong("stands beside another protocol", "set protocol to ICMP or ICMPv6")
    for key, most in (("type", MOST_ICMP_TYPE), ("code", MOST_ICMP_CODE)):
        told = icmp.get(key)
        if told is not None and not 0 <= told.number <= most:
            raise told.wrong(f"{told.number} is no ICMP {key}", f"write 0 to {most}")
    if icmp.get("code") and not icmp.get("type"):
        raise icmp.wrong("has a code without a type", "name the type, too")
    return icmp.get("type") is not None


def _has_request(part: Part, direction: Direction, action: Action | None) -> bool:
    http = part.get("http")
    if http is None:
        return False
    http.fields(("methods", "paths"))
    if action is not Action.ALLOW or direction is not Direction.INGRESS:
        raise http.wrong("is in a rule that is none of ingress that allows", "only such a rule can have it")
    if protocol(part.get("protocol")) not in (None, PROTOCOLS["TCP"]):
        raise http.wrong("stands beside another protocol", "set protocol to TCP, or leave it out")
    methods = [method.text for method in http.items("methods")]
    if len(set(methods)) < len(methods):
        raise http.wrong("names a method twice", "leave one out")
    for path in http.items("paths"):
        path.fields(("exact", "prefix"))
        told = [found for key in ("exact", "prefix") if (found := path.get(key))]
        if len(told) != 1 or not PATH.fullmatch(told[0].text):
            raise path.wrong("is no path", "write exact or prefix, and begin it with /")
    return True
