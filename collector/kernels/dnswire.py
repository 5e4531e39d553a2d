"""DNS messages: finding the parts of one (RFC 1035 §4, RFC 6891, RFC 2308), and its answer section as rows."""

import numpy as np

from collector.kernels.jit import inline, kernel
from collector.kernels.layout import MAX_ANSWERS, MAX_SUBNET, MESSAGE_TEXT, RECORD_TEXT
from collector.kernels.load import be16, be32, u8
from collector.kernels.names import HEADER, read_name, skip_name
from collector.kernels.rdata import SOA, put_data
from collector.kernels.text import (
    LOWER_CASE,
    SLASH,
    put,
    put_decimal,
    put_ipv4,
    put_ipv6,
    put_name,
)

OPT, OPTION_SUBNET, OPTION_ERROR = 41, 8, 15
TO_QUESTION = 0xC000 | HEADER  # a pointer to the first name of the message
QUERY, NOTIFY = 0, 4  # opcodes whose first section of records is an answer; that of an UPDATE is not (RFC 2136 §2)
TC, NOERROR, NXDOMAIN = 0x0200, 0, 3
IXFR, ANY = 251, 255  # from the one to the other types of questions, which records of any type answer (RFC 1035 §3.2.3)
SOA_NUMBERS = 20  # octets behind the two names of an SOA: five numbers, MINIMUM the last


@inline
def read_message(dns, data, at, end):
    """Fill ``dns.message`` (and ``name``, ``subnet``); False if header or question are malformed."""
    message = dns.message[0]
    if end - at < HEADER:
        return False
    message.id = be16(data, at)
    message.flag_bits = be16(data, at + 2)
    questions = be16(data, at + 4)
    message.name_size = -1
    message.qtype = -1
    message.qclass = -1
    message.edns_size = -1
    message.edns_do = 0
    message.edns_rcode = 0
    message.edns_error = -1
    message.subnet_size = -1
    message.answers = 0
    message.answer_count = 0
    message.matching = 0
    message.soa = 0
    place = at + HEADER
    for number in range(questions):
        if number == 0:
            place, size = read_name(data, at, place, end, dns.name)
            if size < 0:
                return False
            message.name_size = size
        else:
            place = skip_name(data, place, end)
        if place < 0 or end - place < 4:
            return number > 0
        if number == 0:
            message.qtype = be16(data, place)
            message.qclass = be16(data, place + 2)
        place += 4
    read_records(dns, data, at, place, end)
    return True


@inline
def read_records(dns, data, at, place, end):
    """Behind the question of the message at ``at``: count the answers, find OPT and the SOA of the authority section.

    It ends at a record that is cut short or malformed; what came before it counts.
    """
    message = dns.message[0]
    opcode = opcode_of(message)
    any_type = message.name_size < 0 or IXFR <= message.qtype <= ANY
    answers = be16(data, at + 6)
    authorities = answers + be16(data, at + 8)
    message.answers = place
    for number in range(authorities + be16(data, at + 10)):
        body = skip_name(data, place, end)
        if body < 0 or end - body < 10:
            return
        place = body + 10 + be16(data, body + 8)
        if place > end:
            return
        kind = be16(data, body)
        if number < answers:
            message.matching += any_type or kind == message.qtype
            if number < MAX_ANSWERS and (opcode == QUERY or opcode == NOTIFY):
                message.answer_count += 1
        elif kind == OPT:
            read_edns(dns, data, body, place)
        elif kind == SOA and number < authorities and message.soa == 0:
            message.soa = body


@inline
def opcode_of(message):
    return message.flag_bits >> 11 & 15


@inline
def read_negative_ttl(data, message, rcode):
    """How long the absence told by a response may be remembered (RFC 2308 §5), or -1.

    Numbers of 2^31 and more are what they say (RFC 8767 §4).
    """
    if message.soa == 0 or not is_negative(message, rcode):
        return np.int64(-1)
    at = message.soa + 10
    end = at + be16(data, at - 2)
    for _ in range(2):
        at = skip_name(data, at, end)
        if at < 0:
            return np.int64(-1)
    if end - at != SOA_NUMBERS:
        return np.int64(-1)
    return min(be32(data, message.soa + 4), be32(data, end - 4))


@inline
def is_negative(message, rcode):
    """NXDOMAIN, or NODATA: NOERROR and no answer of the type asked for, though aliases may lead to where it is missing (§2).

    What is truncated may have its answer in what was left out, and nobody remembers it (RFC 2181 §9).
    """
    if opcode_of(message) != QUERY or message.flag_bits & TC != 0:
        return False
    return rcode == NXDOMAIN or (rcode == NOERROR and message.matching == 0)


@inline
def read_edns(dns, data, at, end):
    """RFC 6891 §6.1: the class is the payload size, the TTL holds extended rcode, version and DO."""
    message = dns.message[0]
    message.edns_size = be16(data, at + 2)
    message.edns_rcode = u8(data, at + 4)
    message.edns_do = u8(data, at + 6) >> 7
    at += 10
    while end - at >= 4:
        code, size = be16(data, at), be16(data, at + 2)
        at += 4
        if size > end - at:
            return
        if code == OPTION_SUBNET and 4 <= size <= MAX_SUBNET:
            for step in range(size):
                dns.subnet[np.uint64(step)] = np.uint8(u8(data, at + step))
            message.subnet_size = size
        elif code == OPTION_ERROR and size >= 2 and message.edns_error < 0:
            message.edns_error = be16(data, at)
        at += size


@kernel
def put_subnet(text, at, option, size):
    """RFC 7871 §6: family, source prefix length, scope prefix length, as many address octets as needed."""
    high, low = np.uint64(0), np.uint64(0)
    for step in range(16):
        octet = np.uint64(u8(option, 4 + step) if 4 + step < size else 0)
        if step < 8:
            high |= octet << np.uint64(56 - 8 * step)
        else:
            low |= octet << np.uint64(120 - 8 * step)
    if be16(option, 0) == 1:
        at = put_ipv4(text, at, np.int64(high >> np.uint64(32)))
    else:
        at = put_ipv6(text, at, high, low)
    return put_decimal(text, put(text, at, SLASH), u8(option, 2))


@inline
def write_answers(dns, data, start, end):
    """The answer section into ``answer_rows`` and the text arena, for the newest row; returns how many records were written."""
    control, message = dns.control[0], dns.message[0]
    question = dns.dns_rows[np.uint64(control.dns_rows - 1)]
    place, written = message.answers, 0
    full = control.text + MESSAGE_TEXT - 2 * RECORD_TEXT
    for _ in range(message.answer_count):
        if control.text > full:
            return written
        row = dns.answer_rows[np.uint64(control.answer_rows)]
        if message.name_size >= 0 and be16(data, place) == TO_QUESTION:
            row.name_at, row.name_size = question.name_at, question.name_size
            place += 2
        else:
            place, size = read_name(data, start, place, end, dns.label)
            if size < 0:
                return written
            row.name_at = control.text
            control.text = put_name(dns.text, control.text, dns.label, 0, size, LOWER_CASE)
            row.name_size = control.text - row.name_at
        row.type = be16(data, place)
        row.ttl = be32(data, place + 4)
        length = be16(data, place + 8)
        row.data_at = control.text
        control.text = put_data(
            dns.text, control.text, dns.label, data, start, place + 10, place + 10 + length, row.type
        )
        row.data_size = control.text - row.data_at
        control.answer_rows += 1
        written += 1
        place += 10 + length
    return written
