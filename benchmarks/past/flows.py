"""The flow records of a past, an ingest of six hours at a time."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.past.calls import TCP, Calls
from benchmarks.past.cluster import CLUSTER, DAY_US, START_US, Cluster, name, namespace, service_ip
from contract.flows import FLOWS

SLICES = 4  # of a day
INTERVAL_US = 300_000_000
# By the hour of the day, how busy it is.
BUSY = (0.6, 1.1, 1.4, 0.9)

# Where a connection is seen, in the order its packets go: at src, at the uplinks of both nodes in a tunnel, at dst.
AT_SRC, AT_SRC_UPLINK, AT_DST_UPLINK, AT_DST = range(4)
REPORTER = np.array(["src", "fwd", "fwd", "dst"])
VIEWS = np.array([[AT_SRC, 0, 0, 0], [AT_DST, 0, 0, 0], [AT_SRC, AT_DST, 0, 0], [0, 1, 2, 3]])
COUNTS = np.array([1, 1, 2, 4])
SRC_ONLY, DST_ONLY, BOTH, TUNNELLED = range(4)
OF_INSIDE = (0.30, 0.0, 0.60, 0.10)

LASTING, MOST_INTERVALS = 0.07, 8
LONGEST_US = MOST_INTERVALS * INTERVAL_US
# Of a Service whose pod nobody saw the pod stays unknown; of a connection that src's capture met in its middle dst's knows more.
REFUSED, UNRESOLVED, AMBIGUOUS, LATE = 0.01, 0.01, 0.002, 0.001

_HEX = np.array([f"{octet:02x}" for octet in range(256)], "S2")


def ingests(cluster: Cluster, calls: Calls) -> Iterator[pa.Table]:
    """Until there are as many records as are wanted."""
    past, left = cluster.past, cluster.past.records
    slices = past.days * SLICES
    weights = np.array([BUSY[number % SLICES] for number in range(slices)])
    for number, share in enumerate(weights / weights[::-1].cumsum()[::-1]):
        maker = _Slice(cluster, calls, number)
        table = maker.table(left if number + 1 == slices else round(left * share))
        left -= table.num_rows
        yield table


class _Slice:
    """Columns by connection are made first, then repeated for every sighting and interval."""

    def __init__(self, cluster: Cluster, calls: Calls, number: int) -> None:
        self.cluster, self.calls = cluster, calls
        self.day = number // SLICES
        self.begins = START_US + number * (DAY_US // SLICES)
        self.random = np.random.default_rng([cluster.past.seed, number])

    def table(self, records: int) -> pa.Table:
        """At least so many."""
        self._connections(records)
        views, lasting = COUNTS[self.kind], self.intervals
        enough = int(np.searchsorted(np.cumsum(views * lasting), records)) + 1
        repeated = (views * lasting)[:enough]
        self.whose = np.repeat(np.arange(enough), repeated)
        within = np.arange(len(self.whose)) - np.repeat(np.cumsum(repeated) - repeated, repeated)
        self.interval = within % lasting[self.whose]
        self.view = VIEWS[self.kind[self.whose], within // lasting[self.whose]]
        return self._records()

    def _connections(self, count: int) -> None:
        random, calls = self.random, self.calls
        self.call = random.choice(len(calls), count, p=calls.share)
        src_group, dst_group = calls.src[self.call], calls.dst[self.call]
        size = self.cluster.size[dst_group, self.day]
        place = random.integers(self.cluster.size[src_group, self.day])
        chosen = np.where(calls.sticky[self.call], place * 2 + random.integers(2, size=count), random.integers(size))
        self.dst = self.cluster.first[dst_group, self.day] + chosen % size
        src = self.cluster.first[src_group, self.day] + place
        self.src = np.where(src_group == self.cluster.node_group, self.cluster.node_of[self.dst], src)
        self.start = self.begins + random.integers(DAY_US // SLICES, size=count)
        self.tcp = calls.protocol[self.call] == TCP
        self.failed = calls.dead[self.call] | (random.random(count) < REFUSED)
        long = self.tcp & ~self.failed & (random.random(count) < LASTING)
        self.intervals = np.where(long, random.integers(2, MOST_INTERVALS, count, endpoint=True), 1)
        seen = random.choice(len(OF_INSIDE), count, p=OF_INSIDE)
        outward = dst_group >= self.cluster.domain_group(0)
        self.kind = np.where(outward, SRC_ONLY, np.where(src_group >= self.cluster.node_group, DST_ONLY, seen))
        self.kind = np.where(self.failed & ~outward, np.where(self.kind == DST_ONLY, DST_ONLY, SRC_ONLY), self.kind)
        self.late = self.tcp & ~self.failed & (random.random(count) < LATE)
        self.port = random.integers(32768, 61000, count)
        self.id = random.integers(0, 256, (count, 10), np.uint8)

    def _records(self) -> pa.Table:
        count = len(self.whose)
        known = self._columns() | self._ends()
        columns = [
            known[field.name].cast(field.type) if field.name in known else pa.nulls(count, field.type)
            for field in FLOWS.schema
        ]
        return pa.Table.from_arrays(columns, schema=FLOWS.schema)

    def _columns(self) -> dict[str, pa.Array]:
        random, whose, count = self.random, self.whose, len(self.whose)
        last = self.interval + 1 == self.intervals[whose]
        tcp, failed = self.tcp[whose], self.failed[whose]
        start = self.start[whose] + self.interval * INTERVAL_US + self.view * 20
        lasts = np.where(last, random.integers(200, 2_000_000, count), INTERVAL_US - 1000)
        sent, answered = random.integers(1, 40, count), np.where(failed, 0, random.integers(1, 40, count))
        tunnelled = (self.view == AT_SRC_UPLINK) | (self.view == AT_DST_UPLINK)
        state = np.select([failed, ~last], ["S0", "S1"], "SF")
        late = self.late[whose] & (self.view == AT_SRC)
        flags = np.where(failed, 2, 27)
        return {
            "start_time": pa.array(start),
            "end_time": pa.array(start + lasts),
            "cluster": pa.repeat(pa.scalar(CLUSTER), count),
            "reporter": _text(REPORTER, self.view),
            "src_port": pa.array(self.port[whose]),
            "protocol": pa.array(self.calls.protocol[self.call[whose]]),
            "community_id": _hex(self.id[whose], "1:"),
            "connection_id": _hex(self.id[whose]),
            "opened_by": pc.if_else(pa.array(late), "first_packet", pc.if_else(pa.array(tcp), "syn", "port")),
            "started": pa.array((self.interval == 0) & ~late),
            "ended": pa.array(last & tcp & ~failed),
            "end_reason": pc.if_else(pa.array(~last), "active", pc.if_else(pa.array(tcp & ~failed), "closed", "idle")),
            "src_packets": pa.array(sent),
            "src_bytes": pa.array(sent * 130),
            "src_tcp_flags": pa.array(flags, mask=~tcp),
            "src_retransmits": pa.array(np.zeros(count, np.int64), mask=~tcp),
            "src_zero_windows": pa.array(np.zeros(count, np.int64), mask=~tcp),
            "dst_packets": pa.array(answered),
            "dst_bytes": pa.array(answered * 700),
            "dst_tcp_flags": pa.array(np.where(failed, 0, 27), mask=~tcp),
            "dst_retransmits": pa.array(np.zeros(count, np.int64), mask=~tcp),
            "dst_zero_windows": pa.array(np.zeros(count, np.int64), mask=~tcp),
            "connection_state": pa.array(state),
            "server_handshake_us": pa.array(
                random.integers(50, 3000, count), mask=~tcp | failed | late | (self.interval > 0)
            ),
            "tunnel": pa.array(np.full(count, "vxlan"), mask=~tunnelled),
            "tunnel_id": pa.array(np.full(count, 4096), mask=~tunnelled),
            "ambiguous": pa.array((random.random(len(self.call)) < AMBIGUOUS)[whose]),
        }

    def _ends(self) -> dict[str, pa.Array]:
        whose, calls, ends = self.whose, self.calls, self.cluster.table
        call, src, dst = self.call[whose], self.src[whose], self.dst[whose]
        asked = calls.by_service[call] & (self.view == AT_SRC)
        alone = self.kind[whose] == SRC_ONLY
        nameless = asked & alone & (self.random.random(len(self.call)) < UNRESOLVED)[whose]
        found = {f"src_{column}": ends[column].take(pa.array(src)) for column in ends.schema.names}
        found |= {f"dst_{column}": ends[column].take(pa.array(dst)) for column in ends.schema.names}
        for column in ("pod", "node", "zone", "labels"):
            found[f"dst_{column}"] = ends[column].take(pa.array(dst, mask=nameless))
        found["dst_kind"] = pc.if_else(pa.array(nameless), "service", found["dst_kind"])
        found |= self._service(call, asked, nameless)
        found["dst_ip"] = pc.if_else(pa.array(asked), found.pop("service_ip"), found["dst_ip"])
        found["dst_port"] = pa.array(np.where(asked, calls.port[call], calls.pod_port[call]))
        found["backend_ip"] = ends["ip"].take(pa.array(dst, mask=~asked | nameless))
        found["backend_port"] = pa.array(calls.pod_port[call], mask=~asked)
        found["dst_domain"] = pa.array(calls.domain, pa.string()).take(pa.array(call))
        found["domain_method"] = pc.if_else(pc.is_valid(found["dst_domain"]), "dns", pa.scalar(None, pa.string()))
        return found | self._seen_at(src, dst)

    def _service(self, call: np.ndarray, asked: np.ndarray, nameless: np.ndarray) -> dict[str, pa.Array]:
        workload = np.where(self.calls.by_service, self.calls.dst, 0)
        past = self.cluster.past
        texts = {
            "service_ip": [service_ip(one) for one in workload.tolist()],
            "service_namespace": [namespace(past, one) for one in workload.tolist()],
            "service": [name(one) for one in workload.tolist()],
            "service_port_name": ["main"] * len(workload),
        }
        behind = pa.array(call, mask=~self.calls.by_service[call])
        return {column: pa.array(of_call).take(behind) for column, of_call in texts.items()}

    def _seen_at(self, src: np.ndarray, dst: np.ndarray) -> dict[str, pa.Array]:
        ends = self.cluster.table
        near = np.where(self.view <= AT_SRC_UPLINK, src, dst)
        uplink = (self.view == AT_SRC_UPLINK) | (self.view == AT_DST_UPLINK)
        names = [f"veth{row:08x}" if end["kind"] == "pod" else "eth0" for row, end in enumerate(self.cluster.ends)]
        return {
            "node": ends["node"].take(pa.array(near)),
            "interface": pc.if_else(pa.array(uplink), "eth0", pa.array(names).take(pa.array(near))),
        }


def _text(words: np.ndarray, places: np.ndarray) -> pa.Array:
    return pa.array(words).take(pa.array(places))


def _hex(octets: np.ndarray, prefix: str = "") -> pa.Array:
    text = np.ascontiguousarray(_HEX[octets]).view(f"S{2 * octets.shape[1]}").ravel()
    whole = pa.array(text, pa.binary()).cast(pa.string())
    return pc.binary_join_element_wise(prefix, whole, "") if prefix else whole
