"""Pairing DNS queries with their responses.

A pending query is found by addresses, ports, transport, id, and then name and type: an answer to another question is not taken
(RFC 5452 §9).
It stays, answered or not, until ``dns_timeout`` after its last attempt, so that a second response is no new transaction;
one that has timed out leaves at the latest when it is found again, so no two in the table are the same.
A query sent again, before its response or after it, is one more attempt; only where the row of the response was taken out
of ``dns_rows`` meanwhile it begins a new transaction, so that no query is lost.
Pending queries form a list by age: the oldest is the first to time out, and the one to go when the table is full.
"""

import numpy as np

from collector.kernels.aging import link_newest, unlink
from collector.kernels.dnswire import put_subnet, read_message, read_negative_ttl, write_answers
from collector.kernels.hashing import ONE, POSITION, THIRTY_TWO, fold, hash_ends, insert_index, remove_index
from collector.kernels.jit import inline, kernel, prefetch
from collector.kernels.layout import (
    A_PORT_BIT,
    ANSWERED,
    B_PORT_BIT,
    NAME_ROW,
    PROTOCOL_BIT,
    SIX_BIT,
    UNANSWERED,
    UNSOLICITED,
    WAITING,
)
from collector.kernels.load import copy, le64
from collector.kernels.names import has_capitals, lower
from collector.kernels.text import AS_SENT, LOWER_CASE, put_name

NO_ENDS = np.uint64(0xFF00000000FF0000)  # of key4: what is neither a port nor the VLAN
RESPONSE = 0x8000
EXPIRED_AT_ONCE = 4  # pending queries looked at per message
LOOK_BACK = 64  # pending queries looked at for a response without a question; beyond that it is unsolicited
ROWS_A_MESSAGE = EXPIRED_AT_ONCE + 2


@inline
def pair_message(dns, data, packet, at, size, length):
    """Take a DNS message of ``length`` octets, of which ``size`` are at hand: a query waits, a response completes.

    False where it is none.
    """
    control, message = dns.control[0], dns.message[0]
    if not read_message(dns, data, at, at + size):
        if size == length:  # else it was cut when it was captured
            control.dns_malformed += 1
        return False
    expire_pending(dns, EXPIRED_AT_ONCE)
    prefetch_oldest(dns)
    response = message.flag_bits & RESPONSE != 0
    set_ends(message, packet, response)
    digest = key_of(control, dns.message[0], dns.name)
    position = np.int64(-1)
    if response and message.name_size < 0:
        position = find_without_question(dns, packet.time)
    if position < 0:
        position = find_pending(dns, digest)
    if position >= 0 and not is_current(control, dns.pending[np.uint64(position)], packet.time):
        end_pending(dns, position)
        position = np.int64(-1)
    if position >= 0 and not response and not is_open(control, dns.pending[np.uint64(position)]):
        drop_pending(dns, position)
        position = np.int64(-1)
    is_new = position < 0
    if is_new:
        position = add_pending(dns, packet.time, digest, UNSOLICITED if response else WAITING)
    pending = dns.pending[np.uint64(position)]
    if not response:
        if is_new:
            pending.attempts, pending.bytes = 1, length
        else:
            repeat_query(dns, position, packet.time)
        return True
    if not is_new and pending.state != WAITING:
        return True
    write_response(dns, position, packet, UNSOLICITED if is_new else ANSWERED)
    row = dns.dns_rows[np.uint64(control.dns_rows - 1)]
    row.response_bytes = length
    row.negative_ttl = read_negative_ttl(data, dns.message[0], row.rcode)
    row.answer_count = write_answers(dns, data, at, at + size)
    return True


@inline
def set_ends(message, packet, response):
    """Who asks whom, and where that was seen. The id of a tunnel is left out: a key of GRE may differ by direction."""
    message.client_high = packet.dst_high if response else packet.src_high
    message.client_low = packet.dst_low if response else packet.src_low
    message.server_high = packet.src_high if response else packet.dst_high
    message.server_low = packet.src_low if response else packet.dst_low
    client_port = packet.dst_port if response else packet.src_port
    server_port = packet.src_port if response else packet.dst_port
    ports = (np.uint64(client_port) << A_PORT_BIT) | (np.uint64(server_port) << B_PORT_BIT)
    message.ends = (packet.key4 & NO_ENDS) | ports
    message.seen_on = packet.key5 & ~POSITION


@inline
def key_of(control, message, name):
    """Ends, id and question, so that queries of one port with one id and many names are not one chain in the index."""
    word = hash_ends(control, message.client_high, message.client_low, message.server_high, message.server_low)
    word = fold(message.ends ^ word, message.seen_on ^ control.salt)
    word = fold((np.uint64(message.id) << THIRTY_TWO | np.uint64(message.qtype + 1)) ^ word, control.salt)
    for place in range(0, message.name_size, 16):
        word = fold(lower(le64(name, place)) ^ word, lower(le64(name, place + 8)) ^ control.salt)
    return word


@inline
def find_pending(dns, digest):
    """The pending query with the ends, the id and the question of this message, or -1. There is never a second one."""
    mask = np.uint64(dns.pending_index.size - 1)
    tag = digest >> THIRTY_TWO
    slot = tag & mask
    while True:
        entry = dns.pending_index[slot]
        if entry == np.uint64(0):
            return np.int64(-1)
        if entry >> THIRTY_TWO == tag:
            position = np.int64(entry & POSITION) - 1
            if same_ends(dns, position) and same_question(dns, position):
                return position
        slot = (slot + ONE) & mask


@inline
def find_without_question(dns, time):
    """An error response may leave the question out: the newest query with its ends and id, among the last few, or -1."""
    control = dns.control[0]
    position = np.int64(control.newest)
    for _ in range(LOOK_BACK):
        if position < 0:
            break
        pending = dns.pending[np.uint64(position)]
        if pending.state != UNSOLICITED and is_current(control, pending, time) and same_ends(dns, position):
            return position
        position = np.int64(pending.older)
    return np.int64(-1)


@inline
def is_current(control, pending, time):
    """Not timed out; one that is may still stand in the table, waiting for its turn to leave it."""
    return max(time - pending.last_time, control.now - pending.touched) <= control.dns_timeout


@inline
def same_ends(dns, position):
    message, pending = dns.message[0], dns.pending[np.uint64(position)]
    return pending.id == message.id and (
        (pending.client_high ^ message.client_high)
        | (pending.client_low ^ message.client_low)
        | (pending.server_high ^ message.server_high)
        | (pending.server_low ^ message.server_low)
        | (pending.ends ^ message.ends)
        | (pending.seen_on ^ message.seen_on)
    ) == np.uint64(0)


@inline
def same_question(dns, position):
    message, pending = dns.message[0], dns.pending[np.uint64(position)]
    if pending.name_size != message.name_size or pending.qtype != message.qtype:
        return False
    for place in range(0, message.name_size, 8):
        here, there = le64(dns.names, position * NAME_ROW + place), le64(dns.name, place)
        if here != there and lower(here) != lower(there):
            return False
    return True


@inline
def is_open(control, pending):
    """Whether what is told of the transaction can still change."""
    return pending.state == WAITING or (pending.state == ANSWERED and pending.epoch == control.epoch)


@inline
def repeat_query(dns, position, time):
    control = dns.control[0]
    pending = dns.pending[np.uint64(position)]
    pending.attempts += 1
    if pending.state != WAITING:
        dns.dns_rows[np.uint64(pending.row)].attempts += 1
    unlink(control, dns.pending, position)
    pending.touched = control.now
    pending.last_time = max(pending.last_time, time)
    link_newest(control, dns.pending, position)


@inline
def add_pending(dns, time, digest, status):
    control, message = dns.control[0], dns.message[0]
    if control.free_pending == 0:
        if dns.pending[np.uint64(control.oldest)].state == WAITING:
            control.pending_overflows += 1
        end_pending(dns, np.int64(control.oldest))
    control.free_pending -= 1
    position = np.int64(dns.free_pending[np.uint64(control.free_pending)])
    pending = dns.pending[np.uint64(position)]
    pending.client_high, pending.client_low = message.client_high, message.client_low
    pending.server_high, pending.server_low = message.server_high, message.server_low
    pending.ends, pending.seen_on = message.ends, message.seen_on
    pending.tag = np.uint32(digest >> THIRTY_TWO)
    pending.first_time = time
    pending.last_time = time
    pending.touched = control.now
    pending.attempts = 0
    pending.bytes = -1
    pending.flag_bits = message.flag_bits
    pending.id = message.id
    pending.name_size = message.name_size
    pending.qtype = message.qtype
    pending.qclass = message.qclass
    pending.edns_size = message.edns_size
    pending.edns_do = message.edns_do
    pending.subnet_size = message.subnet_size
    pending.state = status
    copy(dns.name, 0, dns.names, position * NAME_ROW, message.name_size)
    for place in range(message.subnet_size):
        dns.subnets[np.uint64(position), np.uint64(place)] = dns.subnet[np.uint64(place)]
    insert_index(dns.pending_index, np.uint64(dns.pending_index.size - 1), digest >> THIRTY_TWO, position)
    link_newest(control, dns.pending, position)
    return position


@inline
def end_pending(dns, position):
    """Leave the table; without a response it is written as unanswered."""
    if dns.pending[np.uint64(position)].state == WAITING:
        write_unanswered(dns, position)
    drop_pending(dns, position)


@kernel
def write_unanswered(dns, position):
    write_row(dns, position, UNANSWERED)


@inline
def drop_pending(dns, position):
    unlist_pending(dns.control[0], dns.pending, dns.pending_index, dns.free_pending, position)


@kernel
def unlist_pending(control, pending, index, free, position):
    unlink(control, pending, position)
    remove_index(index, np.uint64(index.size - 1), pending[np.uint64(position)].tag, position)
    free[np.uint64(control.free_pending)] = position
    control.free_pending += 1


@inline
def prefetch_oldest(dns):
    """The next to leave a full table: its place in the index, the record of the one after it, and the row of its name."""
    control = dns.control[0]
    if control.oldest >= 0:
        oldest = dns.pending[np.uint64(control.oldest)]
        prefetch(dns.pending_index, np.uint64(oldest.tag) & np.uint64(dns.pending_index.size - 1), np.int64(0))
        if oldest.newer >= 0:
            for offset in (0, 64, 128):
                prefetch(dns.pending, np.uint64(oldest.newer), np.int64(offset))
            prefetch(dns.names, np.uint64(oldest.newer) * np.uint64(NAME_ROW), np.int64(0))


@inline
def expire_pending(dns, most):
    for _ in range(most):
        if not is_pending_over(dns):
            return
        end_pending(dns, np.int64(dns.control[0].oldest))


@inline
def is_pending_over(dns):
    """Whether the oldest query waited long enough."""
    control = dns.control[0]
    if control.oldest < 0:
        return False
    return control.now - dns.pending[np.uint64(control.oldest)].touched > control.dns_timeout


@inline
def write_row(dns, position, outcome):
    """A transaction row from what is pending; the response's part is added by ``write_response``."""
    control = dns.control[0]
    pending = dns.pending[np.uint64(position)]
    row = dns.dns_rows[np.uint64(control.dns_rows)]
    row.client_high, row.client_low = pending.client_high, pending.client_low
    row.server_high, row.server_low = pending.server_high, pending.server_low
    row.client_port = np.int64(pending.ends >> A_PORT_BIT & np.uint64(0xFFFF))
    row.server_port = np.int64(pending.ends >> B_PORT_BIT & np.uint64(0xFFFF))
    row.protocol = np.int64(pending.ends >> PROTOCOL_BIT & np.uint64(0xFF))
    row.interface = np.int64(pending.seen_on >> THIRTY_TWO)
    row.six = np.int64(pending.ends >> SIX_BIT)
    row.query_time = pending.first_time
    row.response_time = -1
    row.id = pending.id
    row.query_flags = pending.flag_bits
    row.response_flags = -1
    row.rcode = -1
    row.qtype = pending.qtype
    row.qclass = pending.qclass
    row.has_question = 1 if pending.name_size >= 0 else 0
    row.edns_size = pending.edns_size
    row.edns_do = pending.edns_do
    row.edns_error = -1
    row.negative_ttl = -1
    row.query_bytes = pending.bytes
    row.response_bytes = -1
    row.attempts = pending.attempts
    row.outcome = outcome
    row.answers_at = control.answer_rows
    row.answer_count = 0
    row.name_at = control.text
    size, base = np.int64(pending.name_size), position * NAME_ROW
    if size >= 0:
        control.text = put_name(dns.text, control.text, dns.names, base, size, LOWER_CASE)
    row.name_size = control.text - row.name_at
    row.raw_at = control.text
    if size >= 0 and has_capitals(dns.names, base, size):
        control.text = put_name(dns.text, control.text, dns.names, base, size, AS_SENT)
    row.raw_size = control.text - row.raw_at
    row.subnet_at = control.text
    if pending.subnet_size >= 0:
        for place in range(pending.subnet_size):
            dns.label[np.uint64(place)] = dns.subnets[np.uint64(position), np.uint64(place)]
        control.text = put_subnet(dns.text, control.text, dns.label, pending.subnet_size)
    row.subnet_size = control.text - row.subnet_at
    control.dns_rows += 1


@inline
def write_response(dns, position, packet, outcome):
    control, message = dns.control[0], dns.message[0]
    pending = dns.pending[np.uint64(position)]
    write_row(dns, position, outcome)
    row = dns.dns_rows[np.uint64(control.dns_rows - 1)]
    if outcome == UNSOLICITED:
        row.query_time = -1
        row.query_bytes = -1
    row.response_time = packet.time
    row.response_flags = message.flag_bits
    row.rcode = (message.flag_bits & 15) | (message.edns_rcode << 4)
    row.edns_error = message.edns_error
    pending.state = outcome
    pending.row = control.dns_rows - 1
    pending.epoch = control.epoch
