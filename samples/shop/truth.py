"""The ground truth: from the plan, the recorder's book and the programs' own logs; the capture is not looked at."""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from samples.cluster.lives import Book, stamp
from samples.cluster.plan import Pod
from samples.cluster.truth import assignments, interfaces, workload
from samples.shop import plan
from samples.shop.plan import NODES, PODS, SERVICES, SHOP

UDP, TCP, ICMP = 17, 6, 1
QUERY = re.compile(r"^\[(\d+)] unbound\S+ info: (\S+) (\S+)\. (\S+) IN$")
REPLY = re.compile(r"^\[(\d+)] unbound\S+ info: (\S+) (\S+)\. (\S+) IN (\S+) ")
Json = dict[str, Any]


class Event(NamedTuple):
    """One connection somebody tried, told by the end that tried it."""

    time: float
    who: str
    ip: str
    port: int
    protocol: int
    name: str | None
    remark: str | None


class Edge(NamedTuple):
    src: str
    dst: str
    protocol: int
    port: int | None


class Question(NamedTuple):
    client: Pod
    qname: str
    qtype: str
    rcode: str | None


def truth(book: Book, work: Path) -> Json:
    queries, replies = (list(questions(book, work, pattern)) for pattern in (QUERY, REPLY))
    return {
        "cluster": SHOP.cluster,
        "from": stamp(book.captured_from),
        "until": stamp(book.captured_until + 1),
        "interfaces": interfaces(SHOP),
        "edges": edges(book, work, queries),
        "dns_incidents": incidents(work, queries, replies),
        "dns_queries": dns_queries(queries),
        "assignments": assignments(book),
    }


def events(work: Path) -> Iterator[Event]:
    for path in sorted((work / "events").glob("*.jsonl")):
        for line in path.read_text().splitlines():
            fact = json.loads(line)
            if fact["kind"] == "attempt":
                told = [fact[key] for key in ("ip", "port", "protocol", "name", "remark")]
                yield Event(fact.get("started", fact["t"]), path.stem, *told)
    for key in ("frontend-1", "frontend-2"):
        for line in (work / key / "access.log").read_text().splitlines():
            fact = json.loads(line)
            if fact["upstream"] not in ("", "-"):
                ip, _, port = fact["upstream"].partition(":")
                yield Event(fact["t"], key, ip, int(port), TCP, None, None)


def questions(book: Book, work: Path, pattern: re.Pattern[str]) -> Iterator[Question]:
    """Queries or replies, as the name servers of the cluster wrote them down."""
    for path in sorted(work.glob("coredns-*/queries.log")):
        for line in path.read_text().splitlines():
            found = pattern.match(line)
            if found:
                time, ip, qname, qtype, *rest = found.groups()
                client = book.holder(ip, float(time))
                if client is None:
                    raise RuntimeError(f"nobody held {ip} at {time}, yet it asked for {qname}")
                yield Question(client, qname.lower(), qtype, rest[0] if rest else None)


def edges(book: Book, work: Path, queries: list[Question]) -> list[Json]:
    counts: Counter[Edge] = Counter()
    remarks: defaultdict[Edge, set[str]] = defaultdict(set)
    ends: dict[str, Json] = {}

    def end(value: Json) -> str:
        key = json.dumps(value, sort_keys=True)
        ends[key] = value
        return key

    for event in events(work):
        dst, port = destination(book, event)
        edge = Edge(end(source(event.who)), end(dst), event.protocol, port if event.protocol != ICMP else None)
        counts[edge] += 1
        if event.remark:
            remarks[edge].add(event.remark)
    coredns = end(pod_end(PODS["coredns-1"]))
    for src, dst, protocol, port, remark in uncounted(queries):
        edge = Edge(end(src) if src else coredns, end(dst) if dst else coredns, protocol, port)
        if remark:
            remarks[edge].add(remark)
        counts[edge] += 0
    rows = [
        {
            "src": ends[edge.src],
            "dst": ends[edge.dst],
            "protocol": edge.protocol,
            "port": edge.port,
            "note": "; ".join(sorted(remarks[edge])) or None,
            "connections": count or None,
        }
        for edge, count in counts.items()
    ]
    return sorted(rows, key=lambda row: json.dumps([row["src"], row["dst"], row["protocol"], row["port"]]))


def uncounted(queries: list[Question]) -> Iterator[tuple[Json | None, Json | None, int, int | None, str | None]]:
    """Edges known without a count of connections; None stands for the cluster's name servers."""
    for client in {question.client for question in queries}:
        yield pod_end(client), None, UDP, 53, None
    yield pod_end(PODS["recommender"]), None, TCP, 53, "answer truncated, asked again over TCP"
    yield None, external(plan.OUTSIDE_IP, None), UDP, 53, None
    yield None, external(plan.DEAD_RESOLVER_IP, None), UDP, 53, "dead upstream"
    yield external(plan.DEAD_RESOLVER_IP, None), None, ICMP, None, "port unreachable"
    yield node_end("node-2"), pod_end(PODS["netdebug"]), ICMP, None, "host unreachable"


def source(who: str) -> Json:
    if who in NODES:
        return node_end(who)
    return external(plan.OFFICE_IP, None) if who == "office" else pod_end(PODS[who])


def destination(book: Book, event: Event) -> tuple[Json, int]:
    """Who answers at an address: behind a Service, the workload and its own port."""
    for service in SERVICES:
        for port in service.ports:
            by_node = port.node_port == event.port and event.ip in {node.ip for node in NODES.values()}
            if by_node or (service.cluster_ip, port.port) == (event.ip, event.port):
                return pod_end(SHOP.backends(service)[0]), port.target
    for node in NODES.values():
        if node.ip == event.ip:
            return node_end(node.name), event.port
    pod = book.holder(event.ip, event.time)
    return (pod_end(pod) if pod else external(event.ip, event.name)), event.port


def pod_end(pod: Pod) -> Json:
    return {"kind": "pod", **workload(pod)}


def node_end(name: str) -> Json:
    return {"kind": "node", "namespace": None, "workload_kind": "Node", "workload": name}


def external(ip: str, domain: str | None) -> Json:
    nobody = {"namespace": None, "workload_kind": None, "workload": None}
    kind = None if ip == plan.UNUSED_IP else "external"  # of the cluster's range, but held by nobody
    return {"kind": kind, **nobody, "ip": ip, "domain": domain}


def incidents(work: Path, queries: list[Question], replies: list[Question]) -> list[Json]:
    found = search_path(replies)
    silent = [question for question in queries if question.qname == plan.SILENT_NAME]
    # glibc sends a query that nobody answers twice, with the same id.
    found.append(incident("never-answers", silent, qname=plan.SILENT_NAME, outcome="unanswered", rcode=None))
    found[-1]["transactions"] = len(silent) // 2
    dead = [question for question in queries if question.qname == plan.DEAD_NAME]
    found.append(incident("dead-upstream", dead, qname=plan.DEAD_NAME, outcome="answered", rcode="SERVFAIL"))
    found.append(unanswered_upstream())
    tunnel = [question for question in queries if question.qname.endswith(plan.TUNNEL_SUFFIX)]
    found.append(
        incident("random-subdomains", tunnel, qname_suffix=plan.TUNNEL_SUFFIX, outcome="answered", rcode="NOERROR")
    )
    found[-1]["transactions"] = tunnel_queries(work)
    large = [question for question in queries if question.qname == plan.MANY_ADDRESSES]
    found.append(incident("truncated", large, qname=plan.MANY_ADDRESSES, outcome="answered", rcode="NOERROR"))
    found[-1] |= {"transactions": len(large), "over_tcp": len(large) // 2}
    return found


def unanswered_upstream() -> Json:
    """The name server's own questions to the dead upstream; how many it sends is its own affair."""
    facts = {"qname": plan.DEAD_NAME, "outcome": "unanswered", "rcode": None}
    return {"name": "dead-upstream", "client": workload(PODS["coredns-1"]), **facts}


def search_path(replies: list[Question]) -> list[Json]:
    groups: defaultdict[tuple[str, str], list[Question]] = defaultdict(list)
    for reply in replies:
        if reply.rcode == "NXDOMAIN" and reply.qname.endswith(".cluster.local"):
            groups[json.dumps(workload(reply.client)), asked(reply)].append(reply)
    return [
        incident(
            "search-path-nxdomain",
            group,
            asked=name,
            qname_suffix="cluster.local",
            outcome="answered",
            rcode="NXDOMAIN",
            transactions=len(group),
        )
        for (_, name), group in sorted(groups.items())
    ]


def asked(reply: Question) -> str:
    """The name a program gave to its resolver, before the search path was put behind it."""
    for suffix in (f".{reply.client.namespace}.svc.cluster.local", ".svc.cluster.local", ".cluster.local"):
        if reply.qname.endswith(suffix):
            return reply.qname.removesuffix(suffix)
    return reply.qname


def incident(name: str, group: list[Question], **facts: object) -> Json:
    return {"name": name, "client": workload(group[0].client), **facts, "queries": len(group)}


def tunnel_queries(work: Path) -> int:
    lines = (work / "events" / "recommender.jsonl").read_text().splitlines()
    return sum(json.loads(line).get("qname", "").endswith(plan.TUNNEL_SUFFIX) for line in lines)


def dns_queries(queries: list[Question]) -> list[Json]:
    """Query messages each workload's clients sent to the cluster's name servers, as those counted them."""
    counts = Counter(json.dumps(workload(question.client)) for question in queries)
    return [{"client": json.loads(key), "queries": count} for key, count in sorted(counts.items())]
