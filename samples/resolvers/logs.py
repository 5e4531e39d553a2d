"""What the name servers and the programs wrote down, each in its own way."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from samples.cluster.objects import Json
from samples.cluster.plan import Pod
from samples.resolvers.plan import PODS

UNBOUND_QUERY = re.compile(r"^\[\d+] unbound\S+ info: (\S+) (\S+)\. (\S+) IN$")
UNBOUND_REPLY = re.compile(r"^\[\d+] unbound\S+ info: (\S+) (\S+)\. (\S+) IN (\S+) \S+ ([01]) \d+$")
DNSMASQ_QUERY = re.compile(r"dnsmasq\[(\d+)]: (\d+) (\S+) query\[(\S+)] (\S+) from (\S+)$")
DNSMASQ_STEP = re.compile(r"dnsmasq\[(\d+)]: (\d+) (\S+) (\w+) (\S+) (?:is|to) (\S+)$")
PROVIDER_QUERY = re.compile(r"client @\S+ ([\d.]+)#\d+ \(\S+\): query: (\S+) IN (\S+) ")
FAILURES = ("NXDOMAIN", "SERVFAIL", "REFUSED")
BY_IP = {pod.ip: pod.key for pod in PODS.values()}


class Query(NamedTuple):
    """One message that a client sent to a replica of the cluster's name server, over UDP or TCP."""

    server: str
    client: str
    qname: str
    qtype: str


class Reply(NamedTuple):
    """One answer of a replica; ``missed`` if it had to ask upstream."""

    client: str
    qname: str
    qtype: str
    rcode: str
    missed: bool


def queries(work: Path) -> list[Query]:
    found = []
    for line in lines(work / "coredns-1"):
        if told := UNBOUND_QUERY.match(line):
            ip, qname, qtype = told.groups()
            found.append(Query("coredns-1", BY_IP[ip], qname.lower(), qtype))
    for line in lines(work / "coredns-2"):
        if told := DNSMASQ_QUERY.search(line):
            _, _, _, qtype, qname, ip = told.groups()
            found.append(Query("coredns-2", BY_IP[ip], qname.lower(), qtype))
    return found


def replies(work: Path) -> list[Reply]:
    return [*unbound_replies(work / "coredns-1"), *dnsmasq_replies(work / "coredns-2")]


def unbound_replies(directory: Path) -> Iterator[Reply]:
    for line in lines(directory):
        if told := UNBOUND_REPLY.match(line):
            ip, qname, qtype, rcode, cached = told.groups()
            yield Reply(BY_IP[ip], qname.lower(), qtype, rcode, cached == "0")


def dnsmasq_replies(directory: Path) -> Iterator[Reply]:
    """dnsmasq writes a line for each step of a query, which share its number."""
    asked: dict[tuple[str, ...], Reply] = {}
    for line in lines(directory):
        if told := DNSMASQ_QUERY.search(line):
            *number, qtype, qname, ip = told.groups()
            asked[tuple(number)] = Reply(BY_IP[ip], qname.lower(), qtype, "NOERROR", False)
        elif (told := DNSMASQ_STEP.search(line)) and told.groups()[:3] in asked:
            *number, step, _, said = told.groups()
            reply = asked[tuple(number)]
            reply = reply._replace(missed=reply.missed or step == "forwarded")
            asked[tuple(number)] = reply._replace(rcode=said) if said in FAILURES else reply
    yield from asked.values()


def upstream(work: Path) -> list[Query]:
    """What the cluster's name servers asked the provider's."""
    found = []
    for line in lines(work / "provider"):
        told = PROVIDER_QUERY.search(line)
        if told and told.group(1) in BY_IP:
            ip, qname, qtype = told.groups()
            found.append(Query("provider", BY_IP[ip], qname.lower(), qtype))
    return found


def events(work: Path, pod: Pod, kind: str) -> list[Json]:
    path = work / "events" / f"{pod.key}.jsonl"
    facts = [json.loads(line) for line in path.read_text().splitlines()]
    return [fact for fact in facts if fact["kind"] == kind]


def lines(directory: Path) -> list[str]:
    return (directory / "queries.log").read_text().splitlines()
