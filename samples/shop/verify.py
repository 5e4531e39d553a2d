"""Compare a recording with its truth by tshark alone: ``python -m samples.shop.verify DIR``.

No edge without packets, no IP packet without an edge, and the counts the truth gives.
"""

import argparse
import json
import shutil
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

Json = dict[str, Any]
TCP, UDP, ICMP = 6, 17, 1
VXLAN_PORT = 4789
FIELDS = (
    *("frame.time_epoch", "frame.interface_name", "ip.src", "ip.dst", "ip.proto", "udp.srcport", "udp.dstport"),
    *(
        "tcp.srcport",
        "tcp.dstport",
        "tcp.flags",
        "tcp.seq_raw",
        "dns.flags.response",
        "dns.qry.name",
        "dns.qry.type",
        "dns.id",
    ),
    *("dns.flags.rcode", "icmp.type"),
)


class Packet(NamedTuple):
    """The innermost packet of a frame; an ICMP error's quotation does not count."""

    node: str
    time: float
    interface: str
    src: str
    dst: str
    protocol: int
    ports: tuple[int, int]
    syn: bool
    sequence: str
    dns: tuple[str, ...]
    icmp_type: int | None


def packets(node: str, path: Path) -> Iterator[Packet]:
    words = ["tshark", "-n", "-r", str(path), "-T", "fields", "-E", "separator=/t", "-E", "occurrence=a"]
    words += ["-o", "tcp.desegment_tcp_streams:false", "-Y", "ip"]
    for field in FIELDS:
        words += ["-e", field]
    for line in subprocess.run(words, capture_output=True, text=True, check=True).stdout.splitlines():
        yield packet(node, dict(zip(FIELDS, line.split("\t"), strict=True)))


def packet(node: str, row: dict[str, str]) -> Packet:
    def layer(field: str, depth: int) -> str:
        values = row[field].split(",")
        return values[depth] if depth < len(values) else ""

    depth = int(layer("udp.dstport", 0) == str(VXLAN_PORT))
    protocol = int(layer("ip.proto", depth))
    ports = (0, 0)
    if protocol == UDP:
        ports = (int(layer("udp.srcport", depth)), int(layer("udp.dstport", depth)))
    if protocol == TCP:
        ports = (int(layer("tcp.srcport", 0)), int(layer("tcp.dstport", 0)))
    flags = int(layer("tcp.flags", 0) or "0", 16) if protocol == TCP else 0
    dns = tuple(row[field] for field in FIELDS[11:16]) if protocol != ICMP and row["dns.id"] else ()
    return Packet(
        node,
        float(row["frame.time_epoch"]),
        row["frame.interface_name"],
        layer("ip.src", depth),
        layer("ip.dst", depth),
        protocol,
        ports,
        flags & 0x12 == 0x02,
        row["tcp.seq_raw"],
        dns,
        int(layer("icmp.type", 0)) if protocol == ICMP else None,
    )


class Directory:
    """Addresses by the objects and the assignments of the recording."""

    def __init__(self, objects: Json, truth: Json) -> None:
        self.nodes: dict[str, str] = {}
        self.services: dict[tuple[str, int, int], tuple[str, str, int]] = {}
        self.held: defaultdict[str, list[Json]] = defaultdict(list)
        for row in truth["assignments"]:
            self.held[row["ip"]].append(row)
        for item in objects["items"]:
            if item["kind"] == "Node":
                self.nodes[item["status"]["addresses"][0]["address"]] = item["metadata"]["name"]
        slices = [item for item in objects["items"] if item["kind"] == "EndpointSlice"]
        for item in objects["items"]:
            if item["kind"] == "Service":
                self.add_service(item, slices)

    def add_service(self, item: Json, slices: list[Json]) -> None:
        name, space = item["metadata"]["name"], item["metadata"]["namespace"]
        mine = next(
            piece
            for piece in slices
            if piece["metadata"]["labels"]["kubernetes.io/service-name"] == name
            and piece["metadata"]["namespace"] == space
        )
        backend = mine["endpoints"][0]["addresses"][0]
        for port, target in zip(item["spec"]["ports"], mine["ports"], strict=True):
            protocol = {"TCP": TCP, "UDP": UDP}[port["protocol"]]
            self.services[item["spec"]["clusterIP"], port["port"], protocol] = (space, backend, target["port"])
            for node in self.nodes:
                if "nodePort" in port:
                    self.services[node, port["nodePort"], protocol] = (space, backend, target["port"])

    def who(self, ip: str, time: float) -> str:
        for row in self.held[ip]:
            until = seconds(row["until"]) + 1 if row["until"] else time + 1
            if seconds(row["from"]) <= time < until:
                return f"{row['namespace']}/{row['workload_kind']}/{row['workload']}"
        return f"node/{self.nodes[ip]}" if ip in self.nodes else f"external/{ip}"

    def behind(self, ip: str, port: int, protocol: int) -> tuple[str, int]:
        found = self.services.get((ip, port, protocol))
        return (found[1], found[2]) if found else (ip, port)


def seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def name(end: Json) -> str:
    if end["kind"] in ("external", None):
        return f"external/{end['ip']}"
    if end["kind"] == "node":
        return f"node/{end['workload']}"
    return f"{end['namespace']}/{end['workload_kind']}/{end['workload']}"


Edge = tuple[str, str, int, int | None]
Transaction = tuple[str, int, str, str, str, int]
RCODES: dict[str | None, str] = {"NOERROR": "0", "SERVFAIL": "2", "NXDOMAIN": "3"}


def seen_edges(rows: list[Packet], directory: Directory) -> tuple[Counter[Edge], list[Packet]]:
    """Edges by the packets, TCP from its SYNs, with the number of connections; and packets that fit none."""
    openers = {key(row) for row in rows if opens(row)}
    counts: Counter[Edge] = Counter()
    for row in first_sightings(rows):
        address, port = directory.behind(row.dst, row.ports[1], row.protocol)
        src, dst = (directory.who(ip, row.time) for ip in (row.src, address))
        counts[src, dst, row.protocol, port if row.protocol != ICMP else None] += 1
    strays = [row for row in rows if key(row) not in openers and key(row, reverse=True) not in openers]
    return counts, strays


def opens(row: Packet) -> bool:
    if row.protocol == TCP:
        return row.syn
    if row.protocol == UDP:
        return row.ports[1] == 53
    return row.icmp_type != 0


def key(row: Packet, reverse: bool = False) -> tuple[str, int, str, int, int]:
    src, dst = (row.src, row.ports[0]), (row.dst, row.ports[1])
    if reverse:
        src, dst = dst, src
    return (*src, *dst, row.protocol)


def first_sightings(rows: list[Packet]) -> Iterable[Packet]:
    """Each connection once: a Service address and the pod behind it are one connection of the same client port.

    A client port may serve twice in the recording: the first sequence number tells the connections apart.
    """
    found: dict[tuple[str, ...], Packet] = {}
    translated = {client(row) for row in rows if opens(row) and is_service(row)}
    for row in sorted((row for row in rows if opens(row)), key=lambda row: row.time):
        if client(row) not in translated or is_service(row):
            found.setdefault((*client(row), f"{row.dst}:{row.ports[1]}"), row)
    return found.values()


def client(row: Packet) -> tuple[str, ...]:
    return row.src, str(row.ports[0]), str(row.protocol), row.sequence


def is_service(row: Packet) -> bool:
    return row.dst.startswith("10.96.") or row.ports[1] == 30080


def compare_edges(truth: Json, counts: Counter[Edge]) -> list[str]:
    told = {(name(row["src"]), name(row["dst"]), row["protocol"], row["port"]): row for row in truth["edges"]}
    wrong = [f"edge without packets: {edge}" for edge in told if edge not in counts]
    wrong += [f"packets without edge: {edge}, {count} times" for edge, count in counts.items() if edge not in told]
    for edge, row in told.items():
        if row["connections"] is not None and edge in counts and counts[edge] != row["connections"]:
            wrong.append(f"{edge}: the truth says {row['connections']} connections, the capture {counts[edge]}")
    return wrong


def compare_dns(truth: Json, rows: list[Packet], directory: Directory) -> list[str]:
    """Query messages and transactions, counted on the client's own veth."""
    mine = [row for row in rows if row.dns and row.interface in truth["interfaces"][row.node]]
    mine = [row for row in mine if "10.96.0.10" in (row.src, row.dst)]
    queries = [row for row in mine if row.dst == "10.96.0.10"]
    counts = Counter(directory.who(row.src, row.time) for row in queries)
    wrong = []
    for told in truth["dns_queries"]:
        client = name({"kind": "pod", **told["client"]})
        if counts[client] != told["queries"]:
            wrong.append(f"{client}: the truth says {told['queries']} queries, the capture {counts[client]}")
    for incident in truth["dns_incidents"]:
        wrong += compare_incident(incident, mine, directory)
    return wrong


def compare_incident(incident: Json, rows: list[Packet], directory: Directory) -> list[str]:
    client = name({"kind": "pod", **incident["client"]})
    asked: Counter[Transaction] = Counter()
    rcodes: dict[Transaction, str] = {}
    for row in rows:
        response, qname, qtype, ident, rcode = row.dns
        answer = response in ("1", "True")
        end, port = (row.dst, row.ports[1]) if answer else (row.src, row.ports[0])
        if directory.who(end, row.time) != client or not fits(incident, qname):
            continue
        transaction = end, port, ident, qname, qtype, row.protocol
        if answer:
            rcodes[transaction] = rcode
        else:
            asked[transaction] += 1
    wanted = RCODES.get(incident["rcode"])
    mine = {transaction: count for transaction, count in asked.items() if rcodes.get(transaction) == wanted}
    label = f"{incident['name']} of {client}"
    wrong = [
        f"{label}: the truth says {incident[what]} {what}, the capture {count}"
        for what, count in {"queries": sum(mine.values()), "transactions": len(mine)}.items()
        if what in incident and incident[what] != count
    ]
    if "asked" not in incident and len(mine) != len(asked):
        wrong.append(f"{label}: {len(asked) - len(mine)} transactions ended otherwise than {incident['rcode']}")
    return wrong


def fits(incident: Json, qname: str) -> bool:
    if "asked" in incident:
        return qname.startswith(incident["asked"] + ".") and qname.endswith(".cluster.local")
    return qname == incident.get("qname") or qname.endswith(incident.get("qname_suffix", "\0"))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path, help="where record wrote the captures, objects.json and truth.json")
    directory = parser.parse_args().directory
    if shutil.which("tshark") is None:
        parser.error("tshark is missing: apt-get install --no-install-recommends tshark")
    truth, objects = (json.loads((directory / name).read_text()) for name in ("truth.json", "objects.json"))
    rows = [row for node in ("node-1", "node-2") for row in packets(node, directory / f"{node}.pcapng.gz")]
    book = Directory(objects, truth)
    counts, strays = seen_edges(rows, book)
    wrong = compare_edges(truth, counts) + compare_dns(truth, rows, book)
    wrong += [f"belongs to no edge: {row}" for row in strays]
    print("\n".join(wrong) or f"{len(rows)} packets, {len(counts)} edges, no difference")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
