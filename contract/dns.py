"""The dns table: one DNS transaction, as one interface of one node saw it."""

import pyarrow as pa

from contract.columns import COUNT, FLAG, TEXT, TIME, Column, Table, prefixed
from contract.ends import END, SERVICE

ANSWER = pa.struct([("name", TEXT), ("type", TEXT), ("ttl", COUNT), ("data", TEXT)])
NO_RESPONSE = "no response was seen"
NO_QUERY = "the response came without a query"
NO_EDNS = "no OPT record (RFC 6891)"

DNS = Table(
    "dns",
    "One DNS query with its response, or with its absence, as one interface of one node saw it.",
    time="start_time",
    sort_by=("start_time", "client_ip", "qname"),
    apart="counted",
    columns=(
        Column("start_time", TIME, "query_time, or response_time where there was no query"),
        Column("query_time", TIME, "first query", NO_QUERY),
        Column("response_time", TIME, "first response", NO_RESPONSE),
        Column(
            "latency_us",
            COUNT,
            "from the first query to the first response",
            "one of them was not seen",
            "µs",
        ),
        Column("cluster", TEXT, "name of the cluster", "not told"),
        Column("node", TEXT, "node whose collector wrote the record", "not told"),
        Column("interface", TEXT, "interface it was seen on", "the capture does not say"),
        Column(
            "reporter",
            TEXT,
            "whose side wrote the record: src (the client's), dst (the server's), or fwd",
            "the node of neither end is known",
            by="enricher",
        ),
        Column(
            "transaction_id",
            TEXT,
            "the same for every record of one transaction, whichever node reported it",
            by="enricher",
        ),
        Column(
            "retry_of",
            TEXT,
            "transaction_id of the truncated answer over UDP that this one over TCP asks for again",
            "no such transaction was seen",
            by="enricher",
        ),
        Column(
            "counted",
            FLAG,
            "the transaction is told by this record",
            "another ingest may know more of it; the view compares",
            by="enricher",
        ),
        Column(
            "resolution_id",
            TEXT,
            "the same for every transaction of one resolver call (table resolutions)",
            "it came without a query, or is not counted",
            by="enricher",
        ),
        Column("client_ip", TEXT, "address that asked"),
        Column("client_port", pa.int32(), "its port"),
        Column("server_ip", TEXT, "address that was asked"),
        Column("server_port", pa.int32(), "its port"),
        Column("transport", TEXT, "udp, tcp"),
        Column("id", pa.int32(), "message id (RFC 1035 §4.1.1)"),
        Column("opcode", pa.int16(), "kind of query (RFC 1035 §4.1.1)"),
        Column(
            "qname",
            TEXT,
            "name asked for: lower case, no final dot but for the root, unprintable octets as \\DDD",
            "no question",
        ),
        Column(
            "qname_raw",
            TEXT,
            "the same in the case that was sent",
            "it was sent in lower case, or there is no question",
        ),
        Column(
            "registered_domain",
            TEXT,
            "the part of the name that is registered, by the public suffix list",
            "a public suffix, a single label, or a name of the cluster",
            by="enricher",
        ),
        Column("qtype", TEXT, "mnemonic, TYPE123 if it has none (RFC 3597)", "no question"),
        Column("qclass", TEXT, "mnemonic, CLASS123 if it has none", "no question"),
        Column("rcode", TEXT, "mnemonic, extended by EDNS (RFC 6895)", NO_RESPONSE),
        Column("rd", FLAG, "recursion desired, as the first message has it"),
        Column("aa", FLAG, "authoritative answer", NO_RESPONSE),
        Column("tc", FLAG, "truncated", NO_RESPONSE),
        Column("ra", FLAG, "recursion available", NO_RESPONSE),
        Column("ad", FLAG, "authentic data", NO_RESPONSE),
        Column("cd", FLAG, "checking disabled, as the first message has it"),
        Column("edns_udp_size", pa.int32(), "payload size the client offers", NO_EDNS, "bytes"),
        Column("edns_do", FLAG, "DNSSEC OK, as the client sets it", NO_EDNS),
        Column("edns_client_subnet", TEXT, "client subnet (RFC 7871)", "no such option"),
        Column("edns_error", pa.int32(), "first extended error of the response (RFC 8914)", "no such option"),
        Column(
            "negative_ttl",
            COUNT,
            "how long it may be remembered that the name (NXDOMAIN) or its type (NODATA) does not exist: the smaller of"
            " TTL and MINIMUM of the SOA in the authority section (RFC 2308 §5)",
            "no such response, or a truncated one; no SOA in it, or it was cut short or malformed",
            "s",
        ),
        Column(
            "answers",
            pa.list_(ANSWER),
            "answer section in order, the CNAME chain with it; data in presentation form",
            NO_RESPONSE,
        ),
        Column("query_bytes", COUNT, "length of the first query message", NO_QUERY, "bytes"),
        Column("response_bytes", COUNT, "length of the first response message", NO_RESPONSE, "bytes"),
        Column("attempts", pa.int32(), "queries sent with the same id, name and type; 0 if none was seen"),
        Column("outcome", TEXT, "how it ended: answered, unanswered, unsolicited"),
        Column("forwarded", FLAG, "the client is a name server that asks for others", by="enricher"),
        Column(
            "answered_from",
            TEXT,
            "where the server had the answer: zone (its own), upstream, cache",
            "no response, or what the server itself asks was not seen",
            by="enricher",
        ),
        Column(
            "upstream_us",
            COUNT,
            "how long the server itself waited for others meanwhile",
            "it asked nobody, or that was not seen",
            "µs",
            by="enricher",
        ),
        *prefixed("client_", END),
        *prefixed("server_", END),
        *SERVICE,
        Column(
            "ambiguous",
            FLAG,
            "several owners fit an address at that time; the latest was taken",
            by="enricher",
        ),
    ),
)
