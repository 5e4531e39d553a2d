"""The DNS of a past: transactions and the resolutions they belong to, a part of a day at a time."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.past import plans
from benchmarks.past.cluster import CLUSTER, DAY_US, RESOLVER, START_US, Cluster
from benchmarks.past.flows import BUSY, SLICES, _hex, _text
from benchmarks.past.plans import Plan
from contract.columns import Table
from contract.dns import ANSWER, DNS
from contract.resolutions import RESOLUTIONS

PART = 1_000_000  # transactions made at a time
TYPES = ("A", "AAAA")
# Resolutions of name servers, for others; those whose last step is lost and asked again; whose AAAA is; which nobody answers.
FORWARDED, REPEATED, RACED, DEAF = 0.04, 0.002, 0.001, 0.0005
CONNECTED, REFUSED = 0.9, 0.01
TWICE = 0.2  # transactions that the server's node saw as well
# Of which the enricher could not tell by which record they count, being within 15 s of the ends of captures of half an hour.
UNDECIDED = 0.017
STALL_US = 5_000_000
SERVER_PORT = 53


def parts(cluster: Cluster, transactions: int) -> Iterator[tuple[pa.Table, pa.Table]]:
    """Tables ``dns`` and ``resolutions``, until there are so many transactions."""
    days = cluster.past.days
    weights = np.array([BUSY[number % SLICES] for number in range(days * SLICES)])
    names = Names(cluster)
    for number, share in enumerate(weights / weights.sum()):
        wanted = round(transactions * share)
        for part in range(max(1, -(-wanted // PART))):
            yield names.part(number, part, min(PART, wanted - part * PART))


class Names:
    """Everything that does not change is made once, one row a step or a plan, and taken by number."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        asked, forwarded = plans.make(cluster.past), plans.upstream(cluster.past)
        self.plans: list[Plan] = asked + forwarded
        weight = np.array([plan.weight for plan in self.plans])
        own = np.arange(len(self.plans)) < len(asked)
        self.chance = np.where(own, (1 - FORWARDED) * weight / weight[own].sum(), FORWARDED / len(forwarded))
        self.workload = np.array([plan.workload for plan in self.plans])
        self.steps = np.array([len(plan.steps) for plan in self.plans])
        self.first = np.cumsum(self.steps) - self.steps
        self.step = _steps(self.plans)
        self.plan = _plan_table(self.plans)

    def part(self, number: int, part: int, transactions: int) -> tuple[pa.Table, pa.Table]:
        self.random = np.random.default_rng([self.cluster.past.seed, 3, number, part])
        self.day = number // SLICES
        self._resolutions(number, transactions)
        self._transactions()
        return self._dns_table(), self._resolution_table()

    def _resolutions(self, number: int, transactions: int) -> None:
        random = self.random
        count = max(1, round(transactions / (2 * (self.steps * self.chance).sum())))
        self.of = random.choice(len(self.plans), count, p=self.chance)
        workload = self.workload[self.of]
        size = self.cluster.size[workload, self.day]
        self.client = self.cluster.first[workload, self.day] + random.integers(size)
        self.start = START_US + number * (DAY_US // SLICES) + random.integers(DAY_US // SLICES, size=count)
        self.server = self.cluster.first[RESOLVER, self.day] + random.integers(
            self.cluster.size[RESOLVER, self.day], size=count
        )
        self.forwarded = workload == RESOLVER
        fate = random.random(count)
        self.raced = (fate < RACED) & ~self.forwarded
        self.repeated = (fate >= RACED) & (fate < RACED + REPEATED)
        self.deaf = (fate >= RACED + REPEATED) & (fate < RACED + REPEATED + DEAF)
        self.undecided = random.random(count) < UNDECIDED
        self.id = random.integers(0, 256, (count, 10), np.uint8)

    def _transactions(self) -> None:
        """Two of each step, the steps one after another; what befalls a resolution befalls its last step."""
        steps = self.steps[self.of]
        self.whose = np.repeat(np.arange(len(self.of)), 2 * steps)
        within = np.arange(len(self.whose)) - np.repeat(np.cumsum(2 * steps) - 2 * steps, 2 * steps)
        self.place, self.second = within // 2, within % 2 == 1
        self.row = self.first[self.of[self.whose]] + self.place
        last = self.place + 1 == steps[self.whose]
        slow = pc.equal(self.step["source"], "cache").to_numpy(zero_copy_only=False)[self.row]
        self.asked_others = slow & (self.random.random(len(self.row)) < 0.3)
        typical = np.where(self.asked_others, plans.ASKED_US, plans.KNOWN_US)
        self.latency = (typical * self.random.lognormal(0, 0.6, len(self.row))).astype(np.int64) + 50
        late = last & (self.repeated[self.whose] | (self.raced[self.whose] & self.second))
        self.latency += np.where(late, STALL_US, 0)
        self.lost = last & self.deaf[self.whose]
        self.attempts = np.where(late | self.lost, 2, 1)

    def _dns_table(self) -> pa.Table:
        whose, count = self.whose, len(self.whose)
        start = self.start[whose] + self.place * 2_000 + self.second * 60
        answered, lost = pa.array(~self.lost), pa.array(self.lost)
        data = pa.array(~self.lost & ~self.second)
        id_ = self.id[whose].copy()
        id_[:, 0] = self.place * 2 + self.second
        cut = self.plan["cut"].to_numpy(zero_copy_only=False)[self.of[whose]] & ~self.second
        columns = {name: self.step[name].take(pa.array(self.row)) for name in ("qname", "registered_domain", "source")}
        rcode = pc.if_else(lost, None, self.step["rcode"].take(pa.array(self.row)))
        source = pc.if_else(pa.array(self.asked_others), "upstream", columns.pop("source"))
        columns |= {
            "start_time": pa.array(start),
            "query_time": pa.array(start),
            "response_time": pa.array(start + self.latency, mask=self.lost),
            "latency_us": pa.array(self.latency, mask=self.lost),
            "cluster": pa.repeat(pa.scalar(CLUSTER), count),
            "reporter": pa.repeat(pa.scalar("src"), count),
            "transaction_id": _hex(id_),
            "counted": pa.array(np.ones(count, bool), mask=self.undecided[whose]),
            "resolution_id": _hex(self.id[whose]),
            "client_port": pa.array(32768 + self.id[whose, 1].astype(np.int32) * 90 + self.place),
            "server_port": pa.repeat(pa.scalar(SERVER_PORT), count),
            "transport": pa.repeat(pa.scalar("udp"), count),
            "id": pa.array(self.id[whose, 2].astype(np.int32) * 256 + self.id[whose, 3] + self.second),
            "opcode": pa.repeat(pa.scalar(0), count),
            "qtype": _text(np.array(TYPES), self.second.astype(int)),
            "qclass": pa.repeat(pa.scalar("IN"), count),
            "rcode": rcode,
            "rd": pa.repeat(pa.scalar(True), count),
            "aa": pc.if_else(answered, pc.equal(source, "zone"), None),
            "tc": pc.if_else(answered, pa.array(cut), None),
            "ra": pc.if_else(answered, True, None),
            "ad": pc.if_else(answered, False, None),
            "cd": pa.repeat(pa.scalar(False), count),
            "negative_ttl": pa.array(
                np.full(count, plans.NEGATIVE_S), mask=pc.is_valid(rcode).to_numpy(zero_copy_only=False)
            ),
            "answers": pc.if_else(
                data, self.step["answers"].take(pa.array(self.row)), self.step["none"].take(pa.array(self.row))
            ),
            "query_bytes": pa.array(np.full(count, 60)),
            "response_bytes": pa.array(np.full(count, 110), mask=self.lost),
            "attempts": pa.array(self.attempts),
            "outcome": pc.if_else(answered, "answered", "unanswered"),
            "forwarded": pa.array(self.forwarded[whose]),
            "answered_from": pc.if_else(answered, source, None),
            "upstream_us": pa.array(self.latency * 9 // 10, mask=~self.asked_others | self.lost),
            "ambiguous": pa.repeat(pa.scalar(False), count),
        }
        columns |= self._end("client_", self.client[whose]) | self._end("server_", self.server[whose])
        columns["node"] = columns["client_node"]
        table = _completed(DNS, columns, count)
        return pa.concat_tables([table, self._seen_twice(table)])

    def _seen_twice(self, table: pa.Table) -> pa.Table:
        """As the server's node reports them, which does not count."""
        again = table.filter(pa.array(self.random.random(table.num_rows) < TWICE))
        told = pc.if_else(pc.is_valid(again["counted"]), False, pa.scalar(None, pa.bool_()))
        for name, values in (("reporter", pa.repeat(pa.scalar("dst"), again.num_rows)), ("counted", told)):
            again = again.set_column(again.schema.get_field_index(name), DNS.schema.field(name), values)
        return again

    def _resolution_table(self) -> pa.Table:
        count, of = len(self.of), pa.array(self.of)
        ends = np.cumsum(2 * self.steps[self.of])
        took = 2_000 * (self.steps[self.of] - 1) + np.maximum.reduceat(self.latency, ends - 2 * self.steps[self.of])
        columns = {name: self.plan[name].take(of) for name in self.plan.schema.names if name != "cut"}
        deaf = pa.array(self.deaf)
        found = np.array(self.plan["found"].to_numpy(zero_copy_only=False))[self.of] & ~self.deaf
        known = found & ~self.forwarded
        made = np.where(self.random.random(count) < CONNECTED, 1, 0)
        columns |= {
            "start_time": pa.array(self.start),
            "end_time": pa.array(self.start + took),
            "cluster": pa.repeat(pa.scalar(CLUSTER), count),
            "resolution_id": _hex(self.id),
            "counted": pa.array(np.ones(count, bool), mask=self.undecided),
            "forwarded": pa.array(self.forwarded),
            "qtypes": pa.repeat(pa.scalar(",".join(TYPES)), count),
            "answered_suffix": pc.if_else(deaf, None, columns["answered_suffix"]),
            "outcome": pc.if_else(deaf, "unanswered", columns["outcome"]),
            "rcode": pc.if_else(deaf, None, columns["rcode"]),
            "duration_us": pa.array(took, mask=self.deaf),
            "queries": pc.add(columns["transactions"], pa.array(self.deaf * 2 + self.repeated * 2 + self.raced)),
            "wasted_us": pa.array(2_000 * (self.steps[self.of] - 1)),
            "retries": pa.array(self.deaf * 2 + self.repeated * 2 + self.raced),
            "unanswered": pa.array(self.deaf * 2),
            "lost_of_pair": pa.array(self.raced.astype(int)),
            "truncated": pa.array(self.plan["cut"].to_numpy(zero_copy_only=False)[self.of].astype(int)),
            "over_tcp": pa.array(np.zeros(count, int)),
            "addresses": pc.if_else(pa.array(found), columns["addresses"], pa.scalar(None, pa.list_(pa.string()))),
            "ttl": pc.if_else(pa.array(found), columns["ttl"], None),
            "connections": pa.array(made, mask=~known),
            "failed_connections": pa.array(made * (self.random.random(count) < REFUSED), mask=~known),
        }
        columns |= self._end("client_", self.client)
        return _completed(RESOLUTIONS, columns | {"node": columns["client_node"]}, count)

    def _end(self, prefix: str, ends: np.ndarray) -> dict[str, pa.ChunkedArray]:
        table = self.cluster.table
        return {prefix + name: table[name].take(pa.array(ends)) for name in table.schema.names}


def _steps(made: list[Plan]) -> pa.Table:
    rows = [(plan, *step) for plan in made for step in plan.steps]
    ttl = [plans.TTL_OUTSIDE_S if plan.registered else plans.TTL_INSIDE_S for plan, *_ in rows]
    answers = [
        [{"name": qname, "type": "A", "ttl": ttl[place], "data": address}] if address else []
        for place, (_, qname, _, address, _) in enumerate(rows)
    ]
    last = [plan.registered if qname == plan.asked else None for plan, qname, *_ in rows]
    return pa.table(
        {
            "qname": pa.array([row[1] for row in rows]),
            "rcode": pa.array([row[2] for row in rows]),
            "source": pa.array([row[4] for row in rows]),
            "registered_domain": pa.array(last, pa.string()),
            "answers": pa.array(answers, pa.list_(ANSWER)),
            "none": pa.array([[] for _ in rows], pa.list_(ANSWER)),
        }
    ).combine_chunks()


def _plan_table(made: list[Plan]) -> pa.Table:
    outcomes = {"NOERROR": "answered", "NXDOMAIN": "nxdomain", "SERVFAIL": "failed"}
    rows = [
        {
            "asked": plan.asked,
            "registered_domain": plan.registered,
            "suffixes": plan.suffixes,
            "answered_suffix": plan.suffixes[-1] if plan.found else None,
            "outcome": outcomes[plan.steps[-1][1]],
            "rcode": plan.steps[-1][1],
            "transactions": 2 * len(plan.steps),
            "wasted_queries": 2 * (len(plan.steps) - 1),
            "addresses": [plan.steps[-1][2]] if plan.found else None,
            "ttl": (plans.TTL_OUTSIDE_S if plan.registered else plans.TTL_INSIDE_S) if plan.found else None,
            "found": plan.found,
            "cut": plan.cut,
        }
        for plan in made
    ]
    return pa.Table.from_pylist(rows).combine_chunks()


def _completed(table: Table, columns: dict[str, pa.ChunkedArray], count: int) -> pa.Table:
    arrays = [
        columns[field.name].cast(field.type) if field.name in columns else pa.nulls(count, field.type)
        for field in table.schema
    ]
    return pa.Table.from_arrays(arrays, schema=table.schema)
