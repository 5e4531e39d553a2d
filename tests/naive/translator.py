"""A node that translates: every connection in turn, by what it holds, as netfilter does; and what is recorded of it."""

from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.unit.enricher.cluster import Object, flow

NODE, BRIDGE, TUNNEL = "192.168.0.1", "10.1.0.1", "10.1.0.0"
PODS = tuple(f"10.1.0.{number}" for number in range(5, 9))
BACKENDS = (PODS[0], "10.1.1.6")
OUTSIDE, CLIENTS = ("203.0.113.9:443", "203.0.113.10:443"), ("198.51.100.7", "198.51.100.8")
SERVICE, NODE_PORT, TARGET = "10.96.0.7:80", f"{NODE}:30080", 8080
KINDS = ("masquerade", "masquerade", "host", "node port", "itself", "probe")
PORTS = range(40000, 40006)
GROUPS, APART_S, SPREAD_MS, LATE_US = 60, 20, 60, 3000


@dataclass
class Translator:
    """``records`` with the number of their connection, and of each connection its goal and when it began."""

    random: Random
    keeps_ports: bool
    records: list[tuple[int, Object]] = field(default_factory=list)
    begun: list[tuple[str, float]] = field(default_factory=list)
    _held: set[tuple[str, int, str]] = field(default_factory=set)

    def run(self) -> None:
        for group in range(GROUPS):
            moments = sorted(self.random.uniform(0, SPREAD_MS / 1000) for _ in range(self.random.randint(1, 6)))
            for moment in moments:
                self._open(self.random.choice(KINDS), group * APART_S + round(moment, 6))

    def contested(self, number: int, reach_s: float) -> bool:
        """Whether another connection with the goal began so near that one could be taken for the other."""
        goal, start = self.begun[number]
        near = (other for other, (aim, at) in enumerate(self.begun) if aim == goal and abs(at - start) <= reach_s)
        return any(other != number for other in near)

    def _open(self, kind: str, start: float) -> None:
        port, target = self.random.choice(PORTS), f"{self.random.choice(BACKENDS)}:{TARGET}"
        if kind == "masquerade":
            dst = self.random.choice(OUTSIDE)
            self._translated(dst, (self.random.choice(PODS), port, dst), (NODE, dst), start, ("veth", "eth0"))
        elif kind == "node port":
            first = (self.random.choice(CLIENTS), port, NODE_PORT)
            self._translated(target, first, (TUNNEL, target), start, ("eth0", "flannel.1"))
        elif kind == "itself":
            own = f"{BACKENDS[0]}:{TARGET}"
            self._translated(own, (BACKENDS[0], port, SERVICE), (BRIDGE, own), start, ("veth", "veth"))
        else:
            source, dst = (NODE, self.random.choice(OUTSIDE)) if kind == "host" else (self._prober(), target)
            self._record(dst, start, [(source, self._port(source, port, dst), dst, "eth0")])

    def _prober(self) -> str:
        return self.random.choice((BRIDGE, TUNNEL))

    def _translated(
        self, goal: str, first: tuple[str, int, str], then: tuple[str, str], start: float, seen_on: tuple[str, str]
    ) -> None:
        if first in self._held:
            return
        self._held.add(first)
        source, dst = then
        self._record(goal, start, [(*first, seen_on[0]), (source, self._port(source, first[1], dst), dst, seen_on[1])])

    def _port(self, source: str, wanted: int, dst: str) -> int:
        while not self.keeps_ports or (source, wanted, dst) in self._held:
            wanted = self.random.randint(1024, 65535)
            if (source, wanted, dst) not in self._held:
                break
        self._held.add((source, wanted, dst))
        return wanted

    def _record(self, goal: str, start: float, seen: list[tuple[str, int, str, str]]) -> None:
        packets, size = self.random.randint(1, 12), self.random.randint(60, 64)
        counts: dict[str, Any] = {"src_packets": packets, "src_bytes": packets * size, "dst_packets": packets}
        number = len(self.begun)
        self.begun.append((goal, start))
        for place, (source, port, dst, interface) in enumerate(seen):
            late = place * self.random.randint(0, LATE_US) / 1_000_000
            row = flow(f"{source}:{port}", dst, start + late, start + 2, node="n1", interface=interface, **counts)
            self.records.append((number, row))
