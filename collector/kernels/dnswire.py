"""DNS messages: finding the parts of one (RFC 1035 §4, RFC 6891), and its answers as text (the presentation forms).

Everything is checked against ``end``; a compression pointer must point below the one before it, so reading ends.
"""

import numpy as np

from collector.kernels.jit import inline, kernel
from collector.kernels.layout import MAX_ANSWERS, MAX_NAME, MAX_SUBNET
from collector.kernels.load import be16, be32, be64, u8
from collector.kernels.text import (
    BACKSLASH,
    COMMA,
    EQUALS,
    HASH,
    QUOTE,
    SLASH,
    SPACE,
    put,
    put_decimal,
    put_escaped,
    put_hex,
    put_ipv4,
    put_ipv6,
    put_name,
)

HEADER = 12
A, NS, CNAME, SOA, PTR, MX, TXT, AAAA, SRV, DNAME, DS, SSHFP, TLSA, SVCB, HTTPS, SPF, CAA = (
    1,
    2,
    5,
    6,
    12,
    15,
    16,
    28,
    33,
    39,
    43,
    44,
    52,
    64,
    65,
    99,
    257,
)
OPT, OPTION_SUBNET, OPTION_ERROR = 41, 8, 15
MALFORMED = -1


@kernel
def read_name(data, start, at, end, name):
    """Copy a name, lower case, in wire form. Returns (place behind it, size); the size is ``MALFORMED`` if it is none."""
    size = np.int64(0)
    behind = np.int64(-1)
    lowest = at
    while True:
        if at >= end:
            return at, np.int64(MALFORMED)
        length = u8(data, at)
        if length >= 192:
            if at + 2 > end:
                return at, np.int64(MALFORMED)
            target = start + (be16(data, at) & 0x3FFF)
            if behind < 0:
                behind = at + 2
            if target >= lowest or target < start + HEADER:
                return at, np.int64(MALFORMED)
            at = lowest = target
            continue
        if length > 63 or at + 1 + length > end or size + 1 + length > MAX_NAME:
            return at, np.int64(MALFORMED)
        name[np.uint64(size)] = np.uint8(length)
        for step in range(length):
            octet = u8(data, at + 1 + step)
            name[np.uint64(size + 1 + step)] = np.uint8(octet + 32 if 65 <= octet <= 90 else octet)
        size += 1 + length
        at += 1 + length
        if length == 0:
            return (at if behind < 0 else behind), size


@inline
def skip_name(data, at, end):
    """The place behind a name, or ``MALFORMED``; what a pointer leads to is not looked at."""
    while at < end:
        length = u8(data, at)
        if length >= 192:
            return at + 2 if at + 2 <= end else np.int64(MALFORMED)
        if length > 63:
            return np.int64(MALFORMED)
        at += 1 + length
        if length == 0:
            return at
    return np.int64(MALFORMED)


@kernel
def skip_record(data, at, end):
    """The place behind a resource record, or ``MALFORMED``."""
    at = skip_name(data, at, end)
    if at < 0 or end - at < 10:
        return np.int64(MALFORMED)
    behind = at + 10 + be16(data, at + 8)
    return behind if behind <= end else np.int64(MALFORMED)


@kernel
def read_message(dns, data, at, end):
    """Fill ``dns.message`` (and ``name``, ``subnet``); False if header or question are malformed."""
    message = dns.message[0]
    if end - at < HEADER:
        return False
    message.id = be16(data, at)
    message.flag_bits = be16(data, at + 2)
    questions, answers = be16(data, at + 4), be16(data, at + 6)
    others = be16(data, at + 8) + be16(data, at + 10)
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
    message.answers = place
    for number in range(answers):
        place = skip_record(data, place, end)
        if place < 0:
            return True
        if number < MAX_ANSWERS:
            message.answer_count += 1
    for _ in range(others):
        record = place
        place = skip_record(data, place, end)
        if place < 0:
            return True
        record = skip_name(data, record, end)
        if be16(data, record) == OPT:
            read_edns(dns, data, record, place)
    return True


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


@kernel
def write_answers(dns, data, start, end):
    """The answer section into ``answer_rows`` and the text arena; returns how many records were written."""
    control, message = dns.control[0], dns.message[0]
    place, written = message.answers, 0
    for _ in range(message.answer_count):
        place, size = read_name(data, start, place, end, dns.label)
        if size < 0:
            return written
        row = dns.answer_rows[np.uint64(control.answer_rows)]
        row.name_at = control.text
        control.text = put_name(dns.text, control.text, dns.label, size)
        row.name_size = control.text - row.name_at
        row.type = be16(data, place)
        row.ttl = be32(data, place + 4)
        length = be16(data, place + 8)
        row.data_at = control.text
        control.text = put_data(dns, data, start, place + 10, place + 10 + length, row.type)
        row.data_size = control.text - row.data_at
        control.answer_rows += 1
        written += 1
        place += 10 + length
    return written


@kernel
def put_data(dns, data, start, at, end, kind):
    """RDATA as text; what its type does not allow is written as RFC 3597 §5 writes an unknown type."""
    text, written = dns.text, dns.control[0].text
    size = end - at
    done = np.int64(MALFORMED)
    if kind == A:
        if size == 4:
            done = put_ipv4(text, written, be32(data, at))
    elif kind == AAAA:
        if size == 16:
            done = put_ipv6(text, written, be64(data, at), be64(data, at + 8))
    elif kind == CNAME or kind == NS or kind == PTR or kind == DNAME:
        done = put_names(dns, data, start, at, end, 1, written)
    elif kind == MX:
        if size >= 3:
            done = put(text, put_decimal(text, written, be16(data, at)), SPACE)
            done = put_names(dns, data, start, at + 2, end, 1, done)
    elif kind == SRV:
        if size >= 7:
            done = put(text, put_decimal(text, written, be16(data, at)), SPACE)
            done = put(text, put_decimal(text, done, be16(data, at + 2)), SPACE)
            done = put(text, put_decimal(text, done, be16(data, at + 4)), SPACE)
            done = put_names(dns, data, start, at + 6, end, 1, done)
    elif kind == SOA:
        if size >= 22:
            done = put_names(dns, data, start, at, end - 20, 2, written)
            if done >= 0:
                for field in range(5):
                    done = put_decimal(text, put(text, done, SPACE), be32(data, end - 20 + 4 * field))
    elif kind == TXT or kind == SPF:
        done = put_strings(text, written, data, at, end)
    elif kind == CAA:
        done = put_caa(text, written, data, at, end)
    elif kind == DS:
        if size >= 5:
            done = put(text, put_decimal(text, written, be16(data, at)), SPACE)
            done = put_two_and_hex(text, done, data, at + 2, end)
    elif kind == SSHFP:
        if size >= 3:
            done = put_two_and_hex(text, written, data, at, end)
    elif kind == TLSA:
        if size >= 4:
            done = put(text, put_decimal(text, written, u8(data, at)), SPACE)
            done = put_two_and_hex(text, done, data, at + 1, end)
    elif (kind == HTTPS or kind == SVCB) and size >= 3:
        done = put_service(dns, data, start, at, end, written)
    return put_unknown(text, written, data, at, end) if done < 0 else done


@kernel
def put_names(dns, data, start, at, end, count, written):
    """``count`` names with spaces between; they must end before ``end``."""
    for number in range(count):
        at, size = read_name(data, start, at, end, dns.label)
        if size < 0:
            return np.int64(MALFORMED)
        if number > 0:
            written = put(dns.text, written, SPACE)
        written = put_name(dns.text, written, dns.label, size)
    return written


@inline
def put_strings(text, written, data, at, end):
    """Character strings (RFC 1035 §3.3.14), joined: a long text is cut into strings of 255 octets (RFC 7208 §3.3)."""
    while at < end:
        size = u8(data, at)
        if at + 1 + size > end:
            return np.int64(MALFORMED)
        written = put_text(text, written, data, at + 1, at + 1 + size)
        at += 1 + size
    return written


@kernel
def put_text(text, written, data, at, end):
    for place in range(at, end):
        written = put_escaped(text, written, u8(data, place), QUOTE)
    return written


@inline
def put_caa(text, written, data, at, end):
    """RFC 8659 §4.1: flags, tag, value."""
    if end - at < 2 or at + 2 + u8(data, at + 1) > end:
        return np.int64(MALFORMED)
    value = at + 2 + u8(data, at + 1)
    written = put(text, put_decimal(text, written, u8(data, at)), SPACE)
    written = put(text, put_text(text, written, data, at + 2, value), SPACE)
    written = put_text(text, put(text, written, QUOTE), data, value, end)
    return put(text, written, QUOTE)


@kernel
def put_two_and_hex(text, written, data, at, end):
    """Two small numbers and a digest, as DS, SSHFP and TLSA end."""
    written = put(text, put_decimal(text, written, u8(data, at)), SPACE)
    written = put(text, put_decimal(text, written, u8(data, at + 1)), SPACE)
    for place in range(at + 2, end):
        written = put_hex(text, written, u8(data, place))
    return written


@kernel
def put_unknown(text, written, data, at, end):
    r"""RFC 3597 §5: ``\# length hex``."""
    written = put(text, put(text, put(text, written, BACKSLASH), HASH), SPACE)
    written = put_decimal(text, written, end - at)
    if end > at:
        written = put(text, written, SPACE)
    for place in range(at, end):
        written = put_hex(text, written, u8(data, place))
    return written


@inline
def put_word(text, written, word):
    """An ASCII word packed into an integer, first letter highest."""
    shift = 56
    while shift >= 0:
        octet = word >> shift & 255
        if octet:
            written = put(text, written, octet)
        shift -= 8
    return written


def pack(word: str) -> np.int64:
    return np.int64(int.from_bytes(word.encode(), "big"))


WORD_ALPN, WORD_NO_DEFAULT, WORD_ALPN_END = pack("alpn"), pack("no-defau"), pack("lt-alpn")
WORD_PORT = pack("port")
WORD_IPV4HINT, WORD_IPV6HINT, WORD_KEY = pack("ipv4hint"), pack("ipv6hint"), pack("key")


@kernel
def put_service(dns, data, start, at, end, written):
    """SVCB and HTTPS (RFC 9460 §2.1): priority, target, parameters in ascending key order."""
    text = dns.text
    written = put(text, put_decimal(text, written, be16(data, at)), SPACE)
    at, size = read_name(data, start, at + 2, end, dns.label)
    if size < 0:
        return np.int64(MALFORMED)
    written = put_name(text, written, dns.label, size)
    while end - at >= 4:
        key, length = be16(data, at), be16(data, at + 2)
        at += 4
        if length > end - at:
            return np.int64(MALFORMED)
        written = put_parameter(text, put(text, written, SPACE), data, key, at, at + length)
        at += length
    return written if at == end else np.int64(MALFORMED)


@kernel
def put_parameter(text, written, data, key, at, end):
    size = end - at
    if key == 1:
        written = put(text, put(text, put_word(text, written, WORD_ALPN), EQUALS), QUOTE)
        first = True
        while at < end and at + 1 + u8(data, at) <= end:
            if not first:
                written = put(text, written, COMMA)
            first = False
            written = put_text(text, written, data, at + 1, at + 1 + u8(data, at))
            at += 1 + u8(data, at)
        return put(text, written, QUOTE)
    if key == 2:
        return put_word(text, put_word(text, written, WORD_NO_DEFAULT), WORD_ALPN_END)
    if key == 3 and size == 2:
        return put_decimal(text, put(text, put_word(text, written, WORD_PORT), EQUALS), be16(data, at))
    if key == 4 and size > 0 and size % 4 == 0:
        written = put(text, put_word(text, written, WORD_IPV4HINT), EQUALS)
        for place in range(at, end, 4):
            if place > at:
                written = put(text, written, COMMA)
            written = put_ipv4(text, written, be32(data, place))
        return written
    if key == 6 and size > 0 and size % 16 == 0:
        written = put(text, put_word(text, written, WORD_IPV6HINT), EQUALS)
        for place in range(at, end, 16):
            if place > at:
                written = put(text, written, COMMA)
            written = put_ipv6(text, written, be64(data, place), be64(data, place + 8))
        return written
    written = put_decimal(text, put_word(text, written, WORD_KEY), key)
    if size > 0:
        written = put(text, written, EQUALS)
        for place in range(at, end):
            written = put_hex(text, written, u8(data, place))
    return written
