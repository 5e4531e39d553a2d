"""The flows table: one connection over one interval, as one interface of one node saw it."""

import pyarrow as pa

from contract.columns import COUNT, FLAG, TEXT, TEXTS, TIME, Column, Table, prefixed
from contract.ends import END, SERVICE

NOT_TCP = "not TCP"
NO_TUNNEL = "not tunnelled"
ONE_TUNNEL = (
    "not tunnelled; in a tunnel inside another, whose addresses anybody can write; or more address pairs than are kept"
)

UNDECIDED = "no single sighting tells all: the view connections compares them"

_SIDE = (
    Column("packets", COUNT, "packets sent by {end}", unit="packets"),
    Column("bytes", COUNT, "IP bytes sent by {end} (header and payload of the innermost IP packet)", unit="bytes"),
    Column("tcp_flags", pa.int16(), "union of the TCP flags {end} sent (RFC 9293 §3.1, low 8 bits)", NOT_TCP),
    Column("retransmits", COUNT, "TCP segments {end} sent again, or that came late", NOT_TCP, "packets"),
    Column("zero_windows", COUNT, "segments in which {end} closed its receive window", NOT_TCP, "packets"),
)

FLOWS = Table(
    "flows",
    "One connection over one interval, as one interface of one node saw it.",
    time="start_time",
    sort_by=("start_time", "src_ip", "dst_ip", "dst_port"),
    apart="counted",
    columns=(
        Column("start_time", TIME, "first packet of the record"),
        Column("end_time", TIME, "last packet of the record"),
        Column("cluster", TEXT, "name of the cluster", "not told"),
        Column("node", TEXT, "node whose collector wrote the record", "not told"),
        Column("interface", TEXT, "interface it was seen on", "the capture does not say"),
        Column(
            "reporter",
            TEXT,
            "whose side wrote the record: src, dst, or fwd (a node on the way)",
            "the node of neither end is known",
            by="enricher",
        ),
        Column("src_ip", TEXT, "address of the end that opened the connection (RFC 5952 text)"),
        Column("src_port", pa.int32(), "its port", "the protocol has no ports"),
        Column("dst_ip", TEXT, "address of the end that answered"),
        Column("dst_port", pa.int32(), "its port", "the protocol has no ports"),
        Column("protocol", pa.int16(), "IANA protocol number"),
        Column("icmp_type", pa.int16(), "ICMP type of the first message", "not ICMP"),
        Column("icmp_code", pa.int16(), "ICMP code of the first message", "not ICMP"),
        Column(
            "community_id",
            TEXT,
            "Community ID version 1, seed 0",
            "the protocol has no Community ID here",
            by="enricher",
        ),
        Column(
            "connection_id",
            TEXT,
            "the same for every record of one connection, whichever node or side of a Service address reported it",
            by="enricher",
        ),
        Column(
            "counted",
            TEXT,
            "by which record the connection is counted: alone (this one, which tells all), first (the first interval of the "
            "sighting that does), later (another interval of it), not (another sighting)",
            UNDECIDED,
            by="enricher",
        ),
        Column(
            "connection_records",
            COUNT,
            "records the connection had when that was said",
            UNDECIDED,
            unit="records",
            by="enricher",
        ),
        Column(
            "opened_by",
            TEXT,
            "how it is known that src opened it, the surest first: syn (its SYN was seen), syn_ack (dst's answer to it was), "
            "listener (dst answered the SYN of another connection), port (dst's is a server's), first_packet (src sent it)",
        ),
        Column("started", FLAG, "this record saw the connection open"),
        Column("ended", FLAG, "this record saw the connection close"),
        Column("end_reason", TEXT, "why the record was written: idle, active, closed, reset, evicted, shutdown"),
        *prefixed("src_", _SIDE),
        *prefixed("dst_", _SIDE),
        Column(
            "connection_state",
            TEXT,
            "Zeek's conn_state: S0, S1, SF, REJ, RSTO, RSTR, S2, S3, SH, SHR, RSTOS0, RSTRH, OTH",
            "neither TCP nor UDP",
        ),
        Column("server_handshake_us", COUNT, "from SYN to SYN-ACK", "both were not seen", "µs"),
        Column("client_handshake_us", COUNT, "from SYN-ACK to the ACK that completes", "both were not seen", "µs"),
        Column(
            "application",
            TEXT,
            "what the packets show that it carries: dns, tls, quic, wireguard, ipsec",
            "none of these was recognised",
        ),
        Column(
            "tls_sni",
            TEXT,
            "server name the ClientHello asked for, over TCP or QUIC (RFC 6066 §3)",
            "no ClientHello, or it has none",
        ),
        Column(
            "tls_version",
            TEXT,
            "highest version the ClientHello offers",
            "no ClientHello, or it was cut before it says",
        ),
        Column("alpn", TEXTS, "protocols the ClientHello offers (RFC 7301)", "no ClientHello, or it has none"),
        Column(
            "tls_ech",
            pa.bool_(),
            "the ClientHello has an encrypted one inside, or pretends to (RFC 9849): tls_sni is then a public name",
            "no ClientHello",
        ),
        Column("tunnel", TEXT, "innermost encapsulation: vxlan, geneve, gre, erspan, ipip, 6in4, 4in6", NO_TUNNEL),
        Column(
            "tunnel_id",
            COUNT,
            "VNI or key of the tunnel",
            "not tunnelled, or it has none for both directions",
        ),
        Column("tunnel_src_ip", TEXT, "outer source of the first packet", ONE_TUNNEL),
        Column("tunnel_dst_ip", TEXT, "outer destination of the first packet", ONE_TUNNEL),
        Column("vlan", pa.int32(), "VLAN id", "no VLAN tag"),
        Column("verdict", TEXT, "what the datapath did: forwarded, dropped", "no source told"),
        Column("drop_reason", TEXT, "why it dropped", "no source told"),
        Column("policies", TEXTS, "policies that decided", "no source told"),
        *prefixed("src_", END),
        *prefixed("dst_", END),
        *SERVICE,
        Column(
            "backend_ip",
            TEXT,
            "pod address behind the Service address, or the port of a node, that src asked for",
            "dst_ip stands for no pod, or the pod is unknown",
            by="enricher",
        ),
        Column(
            "backend_port",
            pa.int32(),
            "port on that pod",
            "dst_ip stands for no pod, or the port is unknown",
            by="enricher",
        ),
        Column(
            "src_nat_ip",
            TEXT,
            "address of src after source translation (masquerade), as the other side of the translation sees it; on a record made "
            "there, its src_ip",
            "not translated, or the translation is unknown",
        ),
        Column(
            "src_nat_port",
            pa.int32(),
            "port of src after source translation",
            "not translated, the translation is unknown, or the protocol has no ports",
        ),
        Column(
            "dst_nat_ip",
            TEXT,
            "address of dst after destination translation, as the node's connection tracking told it",
            "not translated, or nobody told",
        ),
        Column(
            "dst_nat_port",
            pa.int32(),
            "port of dst after destination translation, as the node's connection tracking told it",
            "not translated, nobody told, or the protocol has no ports",
        ),
        Column(
            "dst_domain",
            TEXT,
            "name by which src knew an external dst",
            "dst is not external, or no name is known",
            by="enricher",
        ),
        Column(
            "dst_registered_domain",
            TEXT,
            "the part of dst_domain that was registered: one label below its public suffix (publicsuffix.org, private ones too)",
            "no dst_domain, or it is an address, a single label, a public suffix, or inside the cluster's domain",
            by="enricher",
        ),
        Column(
            "domain_method",
            TEXT,
            "how dst_domain is known: dns (src was told it for that address, TTL running), dns_expired (TTL over, for an hour at "
            "most), sni (src was told nothing, its ClientHello says it), dns_workload (src's workload was told it, within an hour "
            "before or after), dns_cluster (somebody in its cluster was)",
            "no dst_domain",
            by="enricher",
        ),
        Column(
            "domain_confidence",
            TEXT,
            "how sure dst_domain is: high (src was told it, and tls_sni says the same, or src was told nothing else and there is "
            "no tls_sni), medium (src was told several, or the TTL is over, or tls_ech hides what it asked for; or others were "
            "told what tls_sni says; or src's workload was told nothing else), low (tls_sni says another name; all else)",
            "no dst_domain",
            by="enricher",
        ),
        Column(
            "domain_alternatives",
            TEXTS,
            "other names valid for that address then, told to those who were told dst_domain, newest first, at most 8",
            "no other name is known",
            by="enricher",
        ),
        Column(
            "ambiguous",
            FLAG,
            "several owners, or several names of which tls_sni is none, fit an address at that time; the latest was taken",
            by="enricher",
        ),
    ),
)
