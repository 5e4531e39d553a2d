"""A small lake that keeps the contract: made up, the same for a seed, and hostile where strangers choose names."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa

from contract.tables import TABLES
from enricher.registered import registered_domains
from store.lake import Lake

# The records lie on two days, so that partitions matter.
START = datetime(2026, 1, 15, 22, 30, tzinfo=UTC)
SPAN_S = 3 * 3600

HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "\x1b[31mred\x1b[0m",
    "\u202eevil\u202c",
    "'; drop table flows; --",
    "{{7*7}}",
)

WORKLOADS = (
    ("shop", "Deployment", "frontend", 3, 8080),
    ("shop", "Deployment", "cart", 2, 7070),
    ("shop", "StatefulSet", "orders-db", 1, 5432),
    ("payments", "Deployment", "api", 2, 8443),
    ("payments", "CronJob", "settle", 1, None),
    ("monitoring", "DaemonSet", "node-exporter", 2, 9100),
    ("monitoring", "StatefulSet", "prometheus", 1, 9090),
    ("kube-system", "Deployment", "coredns", 2, 53),
)

CALLS = (
    ("frontend", "cart", 6),
    ("frontend", "api", 4),
    ("cart", "orders-db", 3),
    ("api", "orders-db", 1),
    ("prometheus", "node-exporter", 3),
    ("settle", "api", 1),
)

OUTSIDE = (
    ("api", "api.stripe.example", "203.0.113.10", 443),
    ("settle", "sftp.bank.example", "203.0.113.20", 22),
    ("frontend", "cdn.example.net", "2001:db8:5::1", 443),
    ("cart", None, "198.51.100.7", 4444),
    ("frontend", HOSTILE[0], "198.51.100.66", 443),
)

STATES = ("SF",) * 12 + ("S0", "REJ", "RSTO", "RSTR", "S1", "OTH")
RCODES = ("NOERROR",) * 8 + ("NXDOMAIN",) * 5 + ("SERVFAIL", "REFUSED", "FORMERR", "NOTIMP")
NAMES = (
    ("api.payments.svc.cluster.local", "A"),
    ("cart.shop.svc.cluster.local", "AAAA"),
    ("api.stripe.example.shop.svc.cluster.local", "A"),
    ("api.stripe.example", "A"),
    ("_grpc._tcp.orders-db.shop.svc.cluster.local", "SRV"),
    ("gone.example.org", "HTTPS"),
    ("odd.example.org", "TYPE65280"),
    *((name, "TXT") for name in HOSTILE),
)


def make_lake(folder: Path | str, seed: int = 1, connections: int = 300) -> Lake:
    """A lake with so many connections, each seen from one to three times, and twice as many DNS transactions."""
    lake = Lake.create(folder)
    lake.append(make_tables(seed, connections))
    return lake


def make_tables(seed: int = 1, connections: int = 300) -> dict[str, pa.Table]:
    cluster = _Cluster(Random(seed))
    rows = {
        "flows": [record for number in range(connections) for record in cluster.connection(number)],
        "dns": [record for number in range(2 * connections) for record in cluster.transaction(number)],
        "resolutions": [cluster.resolution(number) for number in range(connections)],
        "assignments": cluster.assignments(),
        "coverage": cluster.coverage(),
        "objects": cluster.objects(),
    }
    return {name: pa.Table.from_pylist(rows[name], schema=table.schema) for name, table in TABLES.items()}


class _Cluster:
    """Two nodes, the pods of ``WORKLOADS`` and a Service before each workload that listens."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.pods: dict[str, list[dict[str, Any]]] = {}
        for index, (namespace, kind, workload, replicas, port) in enumerate(WORKLOADS):
            self.pods[workload] = [
                {
                    "namespace": namespace,
                    "workload_kind": kind,
                    "workload": workload,
                    "pod": f"{workload}-{replica}",
                    "ip": f"10.244.{replica % 2}.{10 + index * 10 + replica}",
                    "node": f"node-{replica % 2}",
                    "zone": f"zone-{'ab'[replica % 2]}",
                    "labels": [("app", workload), ("note", HOSTILE[index % len(HOSTILE)])],
                    "port": port,
                    "service_ip": None if port is None else f"10.96.0.{10 + index}",
                }
                for replica in range(replicas)
            ]

    def connection(self, number: int) -> list[dict[str, Any]]:
        if self.random.random() < 0.2:
            return self._outward(number)
        src_name, dst_name, _ = self.random.choices(CALLS, weights=[call[2] for call in CALLS])[0]
        src, dst = self.random.choice(self.pods[src_name]), self.random.choice(self.pods[dst_name])
        by_service = self.random.random() < 0.8
        base = self._base(number, src, 80 if by_service else dst["port"]) | {
            "dst_ip": dst["service_ip"] if by_service else dst["ip"],
            **_end("dst_", dst, "service" if by_service else "pod"),
            **(_service(dst) if by_service else {}),
        }
        if by_service:
            base |= {"backend_ip": dst["ip"], "backend_port": dst["port"]}
        behind = {"dst_ip": dst["ip"], "dst_port": dst["port"], "backend_ip": None, "backend_port": None}
        behind |= {"dst_kind": "pod"}
        records = self._intervals(base | {"node": src["node"], "interface": "veth-src", "reporter": "src"})
        if src["node"] != dst["node"]:
            away = base | behind | {"node": dst["node"], "reporter": "dst"}
            outer = {
                "tunnel": "vxlan",
                "tunnel_id": 1,
                "tunnel_src_ip": "192.168.0.10",
                "tunnel_dst_ip": "192.168.0.11",
            }
            records += self._intervals(away | {"interface": "eth0"} | outer)
            records += self._intervals(away | {"interface": "veth-dst"})
        return records

    def _outward(self, number: int) -> list[dict[str, Any]]:
        workload, domain, ip, port = self.random.choice(OUTSIDE)
        src = self.random.choice(self.pods[workload])
        known = _named(domain, self.random.choice(("dns", "dns_expired", "sni"))) if domain else {}
        tls = {"tls_sni": domain, "tls_version": "TLS 1.3", "alpn": ["h2", "http/1.1"]} if port == 443 else {}
        base = self._base(number, src, port) | {"dst_ip": ip, "dst_kind": "external"} | known | tls
        return self._intervals(base | {"node": src["node"], "interface": "veth-src", "reporter": "src"})

    def _base(self, number: int, src: dict[str, Any], dst_port: int) -> dict[str, Any]:
        state = self.random.choice(STATES)
        start = START + timedelta(seconds=self.random.uniform(0, SPAN_S))
        answered = state not in ("S0", "REJ", "OTH")
        return {
            "start_time": start,
            "end_time": start + timedelta(seconds=self.random.uniform(0.01, 30)),
            "cluster": "test",
            "src_ip": src["ip"],
            "src_port": 32768 + number % 28000,
            "dst_port": dst_port,
            "protocol": 6,
            "community_id": f"1:{number:028d}",
            "connection_id": f"c{number:06d}",
            "opened_by": "first_packet" if state == "OTH" else "syn",
            "started": state != "OTH",
            "ended": state in ("SF", "REJ", "RSTO", "RSTR"),
            "end_reason": "closed" if state == "SF" else "reset" if state in ("REJ", "RSTO", "RSTR") else "idle",
            "src_packets": self.random.randint(1, 50),
            "src_bytes": self.random.randint(60, 60_000),
            "src_tcp_flags": 0x1B if answered else 0x02,
            "src_retransmits": self.random.choice((0, 0, 0, 2)),
            "src_zero_windows": 0,
            "dst_packets": self.random.randint(1, 80) if answered else 0,
            "dst_bytes": self.random.randint(60, 900_000) if answered else 0,
            "dst_tcp_flags": 0x1B if answered else 0x14,
            "dst_retransmits": 0,
            "dst_zero_windows": 0,
            "connection_state": state,
            "server_handshake_us": self.random.randint(100, 9000) if answered else None,
            "client_handshake_us": self.random.randint(50, 500) if answered else None,
            "ambiguous": False,
            **_end("src_", src, "pod"),
        }

    def _intervals(self, record: dict[str, Any]) -> list[dict[str, Any]]:
        """One record, or two where the connection outlives the interval."""
        middle = record["start_time"] + (record["end_time"] - record["start_time"]) / 2
        if record["end_time"] - record["start_time"] < timedelta(seconds=25):
            return [record]
        first = {"end_time": middle, "ended": False, "end_reason": "active", "connection_state": "S1"}
        return [record | first, record | {"start_time": middle, "started": False}]

    def transaction(self, number: int) -> list[dict[str, Any]]:
        client = self.random.choice([pod for pods in self.pods.values() for pod in pods])
        server = self.random.choice(self.pods["coredns"])
        qname, qtype = self.random.choice(NAMES)
        outcome = self.random.choices(("answered", "unanswered", "unsolicited"), weights=(90, 8, 2))[0]
        time = START + timedelta(seconds=self.random.uniform(0, SPAN_S))
        base = {
            "start_time": time,
            "cluster": "test",
            "transaction_id": f"t{number:06d}",
            "resolution_id": f"r{number // 2:06d}",
            "client_ip": client["ip"],
            "client_port": 40000 + number % 20000,
            "server_ip": server["service_ip"],
            "server_port": 53,
            "transport": self.random.choice(("udp", "udp", "udp", "tcp")),
            "id": self.random.randint(0, 65535),
            "opcode": 0,
            "qname": qname,
            "qtype": qtype,
            "qclass": "IN",
            "rd": True,
            "cd": False,
            "attempts": 0 if outcome == "unsolicited" else self.random.choice((1, 1, 1, 2)),
            "outcome": outcome,
            "forwarded": client in self.pods["coredns"],
            "ambiguous": False,
            **_end("client_", client, "pod"),
            **_end("server_", server, "service"),
            **_service(server),
        }
        base |= {} if outcome == "unsolicited" else {"query_time": time, "query_bytes": 30 + len(qname)}
        base |= {} if outcome == "unanswered" else self._response(time, qname, qtype)
        base |= {"latency_us": None} if outcome != "answered" else {}
        near = base | {"node": client["node"], "interface": "veth-client", "reporter": "src"}
        far = base | {"node": server["node"], "interface": "veth-server", "reporter": "dst", "server_kind": "pod"}
        if client["node"] == server["node"]:
            return [near | {"counted": True}]
        return [near, far | {"server_ip": server["ip"]}]

    def resolution(self, number: int) -> dict[str, Any]:
        client = self.random.choice([pod for pods in self.pods.values() for pod in pods])
        asked = self.random.choice(NAMES)[0]
        outcome = self.random.choice(("answered", "answered", "nxdomain", "failed", "unanswered"))
        time = START + timedelta(seconds=self.random.uniform(0, SPAN_S))
        steps = self.random.choice((1, 1, 4))
        answered = outcome == "answered"
        return {
            "start_time": time,
            "end_time": time + timedelta(milliseconds=steps),
            "cluster": "test",
            "resolution_id": f"r{number:06d}",
            "counted": self.random.choice((True, None)),
            "client_ip": client["ip"],
            "forwarded": False,
            "asked": asked,
            "registered_domain": self.random.choice((None, "example.org", HOSTILE[0])),
            "qtypes": "A,AAAA",
            "suffixes": ["."] if steps == 1 else ["shop.svc.cluster.local", "svc.cluster.local", "cluster.local", "."],
            "answered_suffix": "." if answered else None,
            "outcome": outcome,
            "rcode": {"answered": "NOERROR", "nxdomain": "NXDOMAIN", "failed": "SERVFAIL"}.get(outcome),
            "duration_us": None if outcome == "unanswered" else 1000 * steps,
            "transactions": 2 * steps,
            "queries": 2 * steps,
            "wasted_queries": 2 * steps - 2,
            "wasted_us": 1000 * (steps - 1),
            "retries": 0,
            "unanswered": 2 if outcome == "unanswered" else 0,
            "lost_of_pair": self.random.choice((0, 0, 1)),
            "truncated": self.random.choice((0, 0, 1)),
            "over_tcp": 0,
            "addresses": ["203.0.113.10"] if answered else None,
            "ttl": 30 if answered else None,
            "connections": self.random.choice((None, 0, 3)) if answered else None,
            "failed_connections": None,
            **_end("client_", client, "pod"),
        }

    def _response(self, time: datetime, qname: str, qtype: str) -> dict[str, Any]:
        rcode = self.random.choice(RCODES)
        latency = int(10 ** self.random.uniform(2.3, 6.2))
        data = {"A": "203.0.113.10", "AAAA": "2001:db8::5", "TXT": f'"{HOSTILE[0]}"'}.get(qtype, "\\# 2 0000")
        answer = {"name": qname, "type": qtype, "ttl": 30, "data": data}
        return {
            "response_time": time + timedelta(microseconds=latency),
            "latency_us": latency,
            "rcode": rcode,
            "aa": True,
            "tc": False,
            "ra": True,
            "ad": False,
            "answers": [answer] if rcode == "NOERROR" else [],
            "negative_ttl": 30 if rcode == "NXDOMAIN" else None,
            "response_bytes": 120,
        }

    def assignments(self) -> list[dict[str, Any]]:
        held = {"cluster": "test", "host_network": False, "from_time": START - timedelta(hours=1), "until_time": None}
        pods = [pod for pods in self.pods.values() for pod in pods]
        rows = [held | _holder(pod) for pod in pods]
        for name, first in ((name, pods[0]) for name, pods in self.pods.items() if pods[0]["service_ip"]):
            service = {"kind": "service", "name": name, "ip": first["service_ip"], "uid": f"service-{name}"}
            row = held | _holder(first) | service | {"workload_kind": "Service", "node": None, "zone": None}
            rows.append(row)
        return rows

    def objects(self) -> list[dict[str, Any]]:
        """The pods, as Kubernetes has them."""
        holders = [_holder(pod) for pods in self.pods.values() for pod in pods]
        read = {"cluster": "test", "seen_time": START, "kind": "Pod"}
        return [
            read
            | {name: holder[name] for name in ("namespace", "name")}
            | {"document": json.dumps(_in_kubernetes(holder))}
            for holder in holders
        ]

    def coverage(self) -> list[dict[str, Any]]:
        return [
            {
                "cluster": "test",
                "node": f"node-{index}",
                "interface": "any",
                "source": f"node-{index}.pcap",
                "from_time": START,
                "until_time": START + timedelta(seconds=SPAN_S),
                "packets": 100_000 + index,
                "bytes": 50_000_000,
                "cut_packets": 3 * index,
                "discarded": [("not_ip", 12), ("bad_ip_header", 2 + index)],
                "dns_malformed": 4 * index,
                "evictions": index,
                "pending_overflows": 0,
                "stream_overflows": 0,
                "datagram_overflows": 0,
                "hello_overflows": index,
            }
            for index in range(2)
        ]


def _named(domain: str, method: str) -> dict[str, Any]:
    (registered,) = registered_domains(pa.chunked_array([[domain]])).to_pylist()
    known = {"dst_domain": domain, "dst_registered_domain": registered, "domain_method": method}
    return known | {"domain_confidence": {"dns": "high", "dns_expired": "medium", "sni": "low"}[method]}


def _end(prefix: str, pod: dict[str, Any], kind: str) -> dict[str, Any]:
    names = ("namespace", "pod", "workload_kind", "workload", "node", "zone", "labels")
    return {f"{prefix}kind": kind} | {prefix + name: pod[name] for name in names}


def _service(pod: dict[str, Any]) -> dict[str, Any]:
    return {"service_namespace": pod["namespace"], "service": pod["workload"], "service_port_name": "main"}


def _in_kubernetes(holder: dict[str, Any]) -> dict[str, Any]:
    owner = {"kind": holder["workload_kind"], "name": holder["workload"], "controller": True}
    metadata = {"name": holder["name"], "namespace": holder["namespace"], "labels": dict(holder["labels"])}
    metadata["ownerReferences"] = [owner]
    spec, status = {"nodeName": holder["node"]}, {"phase": "Running", "podIP": holder["ip"]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec, "status": status}


def _holder(pod: dict[str, Any]) -> dict[str, Any]:
    copied = ("namespace", "workload_kind", "workload", "node", "zone", "labels", "ip")
    return {name: pod[name] for name in copied} | {"kind": "pod", "name": pod["pod"], "uid": f"uid-{pod['pod']}"}
