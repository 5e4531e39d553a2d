"""The coverage table: what the pipeline saw, and what it did not."""

import pyarrow as pa

from contract.columns import COUNT, TEXT, TIME, Column, Table

COVERAGE = Table(
    "coverage",
    "What one interface of one node gave over one interval, and what was not taken from it.",
    time="from_time",
    sort_by=("from_time", "node"),
    columns=(
        Column("cluster", TEXT, "name of the cluster", "not told"),
        Column("node", TEXT, "node of the collector", "not told"),
        Column(
            "interface",
            TEXT,
            "interface",
            "the capture does not say, the interface was gone, or the row is of them all",
        ),
        Column("source", TEXT, "file name, or live"),
        Column("from_time", TIME, "first packet; of the row of all live interfaces, begin of the interval"),
        Column("until_time", TIME, "last packet; of the row of all live interfaces, end of the interval"),
        Column("packets", COUNT, "packets seen", unit="packets"),
        Column("bytes", COUNT, "bytes on the wire, link header included", unit="bytes"),
        Column("cut_packets", COUNT, "packets of which the capture kept only the beginning", unit="packets"),
        Column(
            "kernel_drops",
            COUNT,
            "packets the kernel could not hand over; live, of all interfaces together, in a row of their own",
            "a file does not say, nor does the row of one interface",
            "packets",
        ),
        Column(
            "ring_freezes",
            COUNT,
            "times that the kernel found no room for packets until some were read",
            "a file does not say, nor does the row of one interface",
            "times",
        ),
        Column("sampled_ratio", pa.float64(), "share of packets taken", "a file does not say"),
        Column("discarded", pa.map_(TEXT, COUNT), "packets in no flow, by reason", unit="packets"),
        Column("dns_malformed", COUNT, "messages on a DNS port that are no DNS message", unit="messages"),
        Column("evictions", COUNT, "flow records written early because the table was full", unit="records"),
        Column(
            "pending_overflows",
            COUNT,
            "DNS queries written as unanswered early because the pending table was full",
            unit="records",
        ),
        Column(
            "stream_overflows",
            COUNT,
            "TCP streams with DNS or a ClientHello that were not read to the end: a gap was not filled in time, or a bound was met",
            unit="streams",
        ),
        Column(
            "datagram_overflows",
            COUNT,
            "fragmented DNS messages that were not read: fragments were missing, or a bound was met",
            unit="messages",
        ),
        Column("hello_overflows", COUNT, "ClientHellos that were not kept because the table was full", unit="messages"),
        Column(
            "clock_skew_us",
            COUNT,
            "clock of the node against the others; live, by how much it was set, at which all records ended",
            "not measured, or not set",
            "µs",
        ),
    ),
)
