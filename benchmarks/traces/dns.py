"""Resolvers of a cluster: 98 packets in 100 are DNS messages over UDP, of many names, types and numbers of answers.

Two queries share a socket, as of a program that asks for A and AAAA. One query in 64 gets no answer. The rest are TCP
packets.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from benchmarks.traces import Expected, Trace, talk
from benchmarks.traces.frames import (
    ETHERNET,
    IPV4,
    START,
    UDP,
    UDP_NUMBER,
    directed,
    ethernet,
    ipv4,
    pcap_records,
    put,
    udp,
)
from benchmarks.traces.messages import DIGITS, Templates, templates
from benchmarks.traces.schedule import CHUNK, Packets

SNAPLEN = 1024  # a filter keeps DNS whole
KINDS = 4096  # transactions that differ in more than id and first label
CLIENTS, PORTS = 19_997, 27_997  # primes: no two sockets are alike
HEX = np.frombuffer(b"0123456789abcdef", np.uint8)
QUERY, RESPONSE, SEGMENT = range(3)
SEGMENT_OCTETS = 512


class Sizes(NamedTuple):
    """How many packets there are of each."""

    queries: int
    responses: int
    segments: int


class Plan(NamedTuple):
    """What each packet is, and the number of its transaction, or of the segment."""

    what: np.ndarray
    number: np.ndarray
    template: np.ndarray  # of each transaction
    words: np.ndarray  # a random one for each transaction


def expected(trace: Trace) -> Expected:
    queries = _sizes(trace).queries
    return Expected((queries + 1) // 2 + trace.connections, queries)


def chunks(trace: Trace) -> Iterator[np.ndarray]:
    plan, known = _plan(trace), templates(trace.seed, KINDS)
    for start in range(0, trace.packets, CHUNK):
        yield _records(plan, known, trace, slice(start, min(start + CHUNK, trace.packets)))


def _sizes(trace: Trace) -> Sizes:
    segments = trace.packets // 50
    messages = trace.packets - segments
    responses = (messages - messages // 127) // 2
    return Sizes(messages - responses, responses, segments)


def _plan(trace: Trace) -> Plan:
    """Queries at a steady rate, each response a while after its query, segments in between."""
    random = np.random.default_rng(trace.seed)
    sizes = _sizes(trace)
    seconds = trace.packets / trace.rate
    queried = np.arange(sizes.queries) * (seconds / sizes.queries)
    answered = np.sort(random.permutation(sizes.queries)[: sizes.responses])
    latency = np.minimum(random.lognormal(np.log(0.001), 1, sizes.responses), 2)
    sent = np.arange(sizes.segments) * (seconds / max(sizes.segments, 1))
    order = np.argsort(np.concatenate([queried, queried[answered] + latency, sent]), kind="stable")
    what = np.repeat([QUERY, RESPONSE, SEGMENT], sizes)[order]
    number = np.concatenate([np.arange(sizes.queries), answered, np.arange(sizes.segments)])[order]
    template = random.integers(0, KINDS, sizes.queries)
    return Plan(what, number, template, random.integers(0, 1 << 32, sizes.queries))


def _records(plan: Plan, known: Templates, trace: Trace, part: slice) -> np.ndarray:
    what, number = plan.what[part], plan.number[part]
    width = ETHERNET + IPV4 + UDP + known.response.shape[1]
    rows, wire = np.zeros((what.size, max(width, talk.SNAPLEN)), np.uint8), np.empty(what.size, np.int64)
    nanoseconds = START + np.arange(part.start, part.stop) * (10**9 // trace.rate)
    for kind in (QUERY, RESPONSE):
        chosen = what == kind
        rows[chosen], wire[chosen] = _messages(plan, known, number[chosen], kind == RESPONSE, rows.shape[1])
    chosen = what == SEGMENT
    rank = number[chosen] // trace.connections
    last = number[chosen] + trace.connections >= _sizes(trace).segments
    payload = np.where(rank < 2, 0, SEGMENT_OCTETS)
    seq, ack = ((rank >= begins) + SEGMENT_OCTETS * np.maximum((rank - begins) // 2, 0) for begins in (2, 1))
    packets = Packets(number[chosen] % trace.connections, rank, last, nanoseconds[chosen], payload, seq, ack)
    rows[chosen, : talk.SNAPLEN], wire[chosen] = talk.frames(packets, six=False, dns=False)
    return pcap_records(rows, wire, nanoseconds)


def _messages(
    plan: Plan, known: Templates, number: np.ndarray, back: bool, width: int
) -> tuple[np.ndarray, np.ndarray]:
    template, words, socket = plan.template[number], plan.words[number], number // 2
    rows = np.zeros((number.size, width), np.uint8)
    message = rows[:, ETHERNET + IPV4 + UDP :]
    source, lengths = (known.response, known.response_size) if back else (known.query, known.query_size)
    message[:, : source.shape[1]] = source[template]
    put(message, 0, words >> 16, 2)
    varied = known.varied[template]
    message[varied, DIGITS] = HEX[words[varied, None] >> np.arange(0, 32, 4) & 15]
    size = lengths[template]
    turned = np.full(number.size, back)
    ends = directed(turned, 0x0AF60000 + socket % CLIENTS, np.where(socket % 16, 0x0A60000A, 0x0AF70000 + socket % 61))
    ethernet(rows, 0, 0x0800)
    ipv4(rows, ETHERNET, ends, UDP_NUMBER, IPV4 + UDP + size)
    udp(rows, ETHERNET + IPV4, directed(turned, 32768 + socket % PORTS, np.full(number.size, 53)), size)
    return rows, ETHERNET + IPV4 + UDP + size
