"""What the kernels work on: codes, a record type for each table, every bound named, and what happens at it."""

from typing import Any

import numpy as np

from contract.errors import Discard

Records = Any  # a numpy record array: fields are attributes, which its declared type does not know

BATCH = 32  # packets decoded ahead, so that their table lines are on the way when they are updated

MAX_TUNNEL_LEVELS = 5  # tunnels inside one another that are entered; what is in a further one is payload
MAX_FRAGMENTED = 4096  # datagrams of which fragments are remembered; a newer one takes the place of an older
MAX_DATAGRAMS = 64  # fragmented DNS messages put together at a time; beyond that the oldest is given up
MAX_STREAMS = 512  # directions of TCP connections put together at a time; beyond that the oldest is given up
MAX_PIECES = 16  # gaps in one datagram or stream; with more it is given up
BUFFER_BYTES = 2 + 65535 + 63  # of one datagram or stream: a DNS message and its length
MAX_LISTENERS = 1 << 16  # addresses and ports that answered a SYN; a newer one takes the place of an older
MAX_HELLOS = 1 << 16  # ClientHellos kept for live flows; beyond that a flow is written without its tls columns
FEW_HELLOS = MAX_HELLOS // 4  # when fewer are free, rows are taken out as soon as so many of them have half as many
MAX_INITIALS = (
    2048  # flows whose QUIC Initial packets wait to be decrypted; when few are free those that waited longest are
)
FEW_INITIALS = BATCH
INITIAL_DATAGRAMS, INITIAL_BYTES = 4, 6144  # of one flow
MAX_TUNNELS = 1 << 14  # outer address pairs; a flow beyond that is written without tunnel addresses
MAX_ANSWERS = 1 << 13  # records of one answer section: a message has no room for more
MAX_NAME = 255  # octets of a name on the wire (RFC 1035 §3.1)
NAME_ROW = 256
NAME_ROOM = MAX_NAME + 17  # zeros follow a name, so that it can be read eight or sixteen octets at a time
MAX_SUBNET = 20  # family, prefix lengths and 16 address octets (RFC 7871 §6)
MAX_SNI = 255
MAX_ALPN = 64

MESSAGE_TEXT = 4 << 20  # octets that one message may take as text; the rest of its answers is left out
RECORD_TEXT = 4 * (65536 + 3 * (MAX_NAME + 1))  # what one record can take at most: four characters an octet

# Codes are numpy integers: a literal argument would have numba compile a function once for each value.
DONE, OUT_FULL, INITIALS_LOW = np.arange(3)

CODES = {reason: code for code, reason in enumerate(Discard)}
UNKNOWN_LINK_TYPE = CODES[Discard.UNKNOWN_LINK_TYPE]
CUT_LINK_HEADER = CODES[Discard.CUT_LINK_HEADER]
NOT_IP = CODES[Discard.NOT_IP]
BAD_IP_HEADER = CODES[Discard.BAD_IP_HEADER]
CUT_IP_HEADER = CODES[Discard.CUT_IP_HEADER]
CUT_TRANSPORT_HEADER = CODES[Discard.CUT_TRANSPORT_HEADER]
BAD_TRANSPORT_HEADER = CODES[Discard.BAD_TRANSPORT_HEADER]
ORPHAN_FRAGMENT = CODES[Discard.ORPHAN_FRAGMENT]
KEPT = -1
HELD = -2  # a fragment that waits for the first one of its datagram: discarded as an orphan if that does not come

END_REASONS = ("idle", "active", "closed", "reset", "evicted", "shutdown")
IDLE, ACTIVE, CLOSED, RESET, EVICTED, SHUTDOWN, OPEN = np.arange(7)

OUTCOMES = ("answered", "unanswered", "unsolicited")
ANSWERED, UNANSWERED, UNSOLICITED, WAITING = np.arange(4)  # waiting: no outcome yet

TUNNELS = ("", "vxlan", "geneve", "gre", "ipip", "6in4", "4in6", "erspan")
NO_TUNNEL, VXLAN, GENEVE, GRE, IPIP, SIX_IN_FOUR, FOUR_IN_SIX, ERSPAN = range(8)
NO_VNI = -1

# key4, from the top: version of IP, kind of tunnel, whether it has an id, ports of A and B, protocol, VLAN and one.
SIX_BIT, TUNNEL_BIT, VNI_BIT = np.uint64(63), np.uint64(59), np.uint64(58)
A_PORT_BIT, B_PORT_BIT, PROTOCOL_BIT = np.uint64(40), np.uint64(24), np.uint64(16)

APPLICATIONS = ("", "dns", "tls", "quic", "wireguard", "ipsec")
NO_APPLICATION, DNS_APPLICATION, TLS, QUIC, WIREGUARD, IPSEC = np.arange(6)

# How it is known who opened a connection, the surest first.
OPENED_BY = ("syn", "syn_ack", "listener", "port", "first_packet")
BY_SYN, BY_SYN_ACK, BY_LISTENER, BY_PORT, BY_FIRST = np.arange(5)

# What one end of a TCP connection has done, in the terms of Zeek's connection states.
NOTHING, SYN_SENT, SYN_ACK_SENT, PARTIAL, ESTABLISHED, FINISHED, ABORTED, ABORTED_AFTER_FIN = np.arange(8)

TCP, UDP, ICMP, ICMPV6, SCTP, UDPLITE, DCCP, ESP, AH = 6, 17, 1, 58, 132, 136, 33, 50, 51
FIN, SYN, RST, PSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10
NO_TAG, TAG_BYTES = -1, 4
INTERFACE_INDEX = 1 << 31  # marks an interface id that is the kernel's index out of a cooked v2 header

FRAME = np.dtype(
    [
        ("offset", "i8"),
        ("captured", "i4"),
        ("wire", "i4"),
        ("time", "i8"),
        ("interface", "i4"),
        ("link", "i4"),
        ("tag", "i4"),  # of a VLAN, that the kernel took out of the frame; ``NO_TAG``: none
    ],
    align=True,
)

PACKET = np.dtype(
    [
        ("src_high", "u8"),
        ("src_low", "u8"),
        ("dst_high", "u8"),
        ("dst_low", "u8"),
        ("outer_src_high", "u8"),
        ("outer_src_low", "u8"),
        ("outer_dst_high", "u8"),
        ("outer_dst_low", "u8"),
        ("time", "i8"),
        ("since", "i8"),  # the earliest time of it and of the fragments that waited for it
        ("payload", "i8"),
        ("length", "i8"),
        ("captured", "i8"),
        ("ip_bytes", "i8"),
        ("interface", "i8"),
        ("a_high", "u8"),  # the same addresses in the order of the flow table
        ("a_low", "u8"),
        ("b_high", "u8"),
        ("b_low", "u8"),
        ("key4", "u8"),
        ("key5", "u8"),
        ("tag", "u8"),  # the half of its hash that the index knows
        ("side", "u8"),  # whether A (0) or B (1) sent it
        ("seq", "i8"),
        ("ack", "i8"),
        ("expected", "i8"),  # sequence number that its sender was at, -1: not known
        ("window", "i8"),
        ("vni", "i8"),
        ("packets", "i8"),  # itself, and the fragments that waited for it
        ("datagram", "u8"),  # identification of a fragment; then the same for all fragments of one datagram
        ("fragment_at", "i8"),
        ("carrier", "u8"),  # the fragmented datagram that its tunnel's packet begins, 0: it is none
        ("carrier_ports", "i8"),
        ("src_port", "i4"),
        ("dst_port", "i4"),
        ("vlan", "i4"),
        ("protocol", "i4"),
        ("tcp_flags", "i4"),
        ("icmp_type", "i4"),
        ("icmp_code", "i4"),
        ("tunnel", "i4"),
        ("levels", "i4"),  # tunnels it came in
        ("six", "i4"),  # the version of IP, for an IPv6 header can hold ::ffff:a.b.c.d
        ("more", "i4"),  # fragments follow
        ("complete", "i4"),  # the datagram buffer that it completes, -1: none
        ("fresh", "i4"),  # no data came before it from its end
    ],
    align=True,
)

FLOW = np.dtype(
    [
        ("a_high", "u8"),
        ("a_low", "u8"),
        ("b_high", "u8"),
        ("b_low", "u8"),
        ("key4", "u8"),
        ("key5", "u8"),
        ("last_time", "i8"),
        ("touched", "i8"),  # the latest time of any packet when it was last updated: what idleness is measured from
        ("bytes", "i8", 2),  # of A and of B, as in all that there are two of
        ("first_time", "i8"),
        ("handshake_time", "i8"),  # of the SYN, then of the SYN-ACK
        ("packets", "u4", 2),
        ("next", "u4", 2),  # sequence number
        ("client_handshake", "i4"),
        ("stream", "i2", 2),
        ("tcp_flags", "u1", 2),
        ("seen", "u1", 2),  # of the whole connection, which an active timeout does not clear
        ("state", "u1", 2),
        ("opener", "u1"),  # the side that is src
        ("application", "u1"),
        ("hello", "i4"),
        ("retransmits", "u4", 2),
        ("zero_windows", "u4", 2),
        ("server_handshake", "i4"),
        ("tunnel", "i2"),
        ("icmp_type", "i2"),
        ("icmp_code", "u1"),  # where there is a type
        ("opened_by", "u1"),
        ("started", "u1"),
        ("reason", "u1"),  # ``OPEN`` in the table, else why it was written
    ],
    align=True,
)

HELLO = np.dtype(
    [
        ("sni", "u1", MAX_SNI),
        ("alpn", "u1", MAX_ALPN),
        ("ech", "u1"),
        ("sni_size", "i4"),
        ("alpn_size", "i4"),
        ("version", "i4"),
        ("initial", "i4"),  # one more than where its QUIC packets are that are not decrypted yet, 0: there are none
    ],
    align=True,
)

INITIAL = np.dtype(
    [("time", "i8"), ("sizes", "i4", INITIAL_DATAGRAMS), ("count", "i4"), ("octets", "u1", INITIAL_BYTES)], align=True
)

TUNNEL = np.dtype([("src_high", "u8"), ("src_low", "u8"), ("dst_high", "u8"), ("dst_low", "u8"), ("used", "u8")])

FRAGMENTED = np.dtype(
    [
        ("key", "u8"),  # 0: free
        ("time", "i8"),
        ("since", "i8"),  # the earliest time of the fragments that wait for the first one
        ("bytes", "i8"),
        ("packets", "u4"),
        ("interface", "i4"),  # of the frame, for the count of discards
        ("ports", "u4"),
        ("first", "u4"),  # the first fragment was seen
        ("whole", "u4"),  # its message was read
    ],
    align=True,
)

# The beginning of something that comes in pieces: ``ready`` octets are there, and those between ``starts`` and ``ends``.
BUFFER = np.dtype(
    [
        ("key", "u8"),  # the datagram; of a stream the position of its flow
        ("time", "i8"),  # when octets last became ready
        ("next", "u4"),  # sequence number of the first octet
        ("taken", "i4"),  # octets that were read
        ("ready", "i4"),
        ("total", "i4"),  # -1: not known yet
        ("pieces", "i4"),
        ("starts", "i4", MAX_PIECES),
        ("ends", "i4", MAX_PIECES),
        ("older", "i4"),
        ("newer", "i4"),
        ("side", "u1"),
        ("hello", "u1"),  # a ClientHello; else DNS messages
        ("wanted", "u1"),  # of a datagram: it is known to be DNS
    ],
    align=True,
)

PENDING = np.dtype(
    [
        ("client_high", "u8"),
        ("client_low", "u8"),
        ("server_high", "u8"),
        ("server_low", "u8"),
        ("ends", "u8"),  # as key4 of a flow, the client's port before the server's
        ("seen_on", "u8"),  # as key5
        ("first_time", "i8"),
        ("last_time", "i8"),
        ("touched", "i8"),  # the latest time of any packet at the last attempt
        ("row", "i8"),  # of the response, while ``epoch`` is the control's
        ("epoch", "i8"),
        ("older", "i4"),
        ("newer", "i4"),
        ("tag", "u4"),
        ("attempts", "i4"),
        ("bytes", "i4"),
        ("flag_bits", "i4"),  # "flags" is an attribute that every numpy record has
        ("id", "i4"),
        ("name_size", "i4"),  # -1: no question
        ("qtype", "i4"),
        ("qclass", "i4"),
        ("edns_size", "i4"),  # -1: no OPT
        ("edns_do", "i4"),
        ("subnet_size", "i4"),  # -1: no client subnet
        ("state", "i4"),
    ],
    align=True,
)

MESSAGE = np.dtype(
    [
        ("client_high", "u8"),
        ("client_low", "u8"),
        ("server_high", "u8"),
        ("server_low", "u8"),
        ("ends", "u8"),
        ("seen_on", "u8"),
        ("flag_bits", "i4"),  # "flags" is an attribute that every numpy record has
        ("id", "i4"),
        ("qtype", "i4"),
        ("qclass", "i4"),
        ("name_size", "i4"),
        ("edns_size", "i4"),
        ("edns_do", "i4"),
        ("edns_rcode", "i4"),
        ("edns_error", "i4"),
        ("subnet_size", "i4"),
        ("answers", "i8"),  # offset of the answer section, 0: none read
        ("soa", "i8"),  # offset of the type of the first SOA in the authority section, 0: none
        ("answer_count", "i4"),
        ("matching", "i4"),  # answers of the type asked for
    ],
    align=True,
)

TRANSACTION = np.dtype(
    [
        ("client_high", "u8"),
        ("client_low", "u8"),
        ("server_high", "u8"),
        ("server_low", "u8"),
        ("query_time", "i8"),
        ("response_time", "i8"),
        ("client_port", "i4"),
        ("server_port", "i4"),
        ("interface", "i8"),
        ("negative_ttl", "i8"),
        ("six", "i4"),
        ("protocol", "i4"),
        ("id", "i4"),
        ("query_flags", "i4"),
        ("response_flags", "i4"),
        ("rcode", "i4"),
        ("qtype", "i4"),
        ("qclass", "i4"),
        ("has_question", "i4"),
        ("edns_size", "i4"),
        ("edns_do", "i4"),
        ("edns_error", "i4"),
        ("query_bytes", "i4"),
        ("response_bytes", "i4"),
        ("attempts", "i4"),
        ("outcome", "i4"),
        ("name_at", "i4"),
        ("name_size", "i4"),
        ("raw_at", "i4"),
        ("raw_size", "i4"),  # 0: as the name
        ("subnet_at", "i4"),
        ("subnet_size", "i4"),
        ("answers_at", "i4"),
        ("answer_count", "i4"),
    ],
    align=True,
)

ANSWER = np.dtype(
    [("name_at", "i4"), ("name_size", "i4"), ("data_at", "i4"), ("data_size", "i4"), ("ttl", "i8"), ("type", "i4")],
    align=True,
)

CONTROL = np.dtype(
    [
        ("frame", "i8"),
        ("batch_size", "i8"),
        ("batch_done", "i8"),
        ("now", "i8"),
        ("sweep", "i8"),
        ("free_flow", "i8"),  # flows handed out so far, until all were once; then the free stack
        ("free_flows", "i8"),
        ("evict", "i8"),
        ("free_hellos", "i8"),
        ("flow_rows", "i8"),
        ("dns_rows", "i8"),
        ("answer_rows", "i8"),
        ("text", "i8"),
        ("epoch", "i8"),  # how often the rows were taken out
        ("oldest", "i8"),
        ("newest", "i8"),
        ("free_pending", "i8"),
        ("flush", "i8"),
        ("position", "i8"),  # of the flow of the packet at hand
        ("stream", "i8"),  # the buffer whose messages are being read, -1: none
        ("free_initials", "i8"),
        ("retired", "i8"),
        ("evictions", "i8"),
        ("pending_overflows", "i8"),
        ("stream_overflows", "i8"),
        ("datagram_overflows", "i8"),
        ("hello_overflows", "i8"),
        ("dns_malformed", "i8"),
        ("seed", "u8"),  # secrets of the run, of which every hash is made
        ("salt", "u8"),
        ("index_mask", "u8"),  # one less than the places of the flow index in use
        ("idle", "i8"),
        ("active", "i8"),
        ("linger", "i8"),
        ("dns_timeout", "i8"),
    ],
    align=True,
)

LIST = np.dtype([("oldest", "i8"), ("newest", "i8"), ("free", "i8")])
