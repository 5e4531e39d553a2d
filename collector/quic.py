"""The TLS handshake bytes in a client's QUIC Initial packets.

Initial packets are encrypted, but with keys that anyone derives from a Destination Connection ID sent in the clear
(RFC 9001 §5.2). QUIC version 1 (RFC 9000, RFC 9001) and version 2 (RFC 9369).
"""

import hmac
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import cache
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MAX_DATAGRAMS = 4  # later ones are not read
MAX_DATAGRAM_BYTES = 9216  # a longer one is not read
MAX_PACKETS = 4  # coalesced in one datagram; later ones are not read
MAX_NUMBERS = 256  # in the frames of one packet, three a CRYPTO frame; later frames are not read
MAX_CRYPTO_BYTES = 1 << 14  # the handshake is cut there
MAX_CONNECTION_ID = 20  # RFC 9000 §17.2

LONG_HEADER = 0xC0  # header form and fixed bit, both 1
SAMPLE_AT, SAMPLE_SIZE = 4, 16  # after where the packet number begins (RFC 9001 §5.4.2)
ACK, ACK_ECN, CRYPTO = 2, 3, 6
PADDING, PING = 0, 1
IDLE = re.compile(rb"[\x00\x01]*")  # PADDING and PING


Piece = tuple[int, bytes]  # offset in the handshake, bytes


class Version(NamedTuple):
    initial: int  # the packet types on the wire
    retry: int
    salt: bytes
    key: bytes  # the labels of what is derived from the client's secret
    iv: bytes
    mask: bytes


class Packet(NamedTuple):
    initial: bool
    version: int
    dcid: bytes
    data: bytes
    number_at: int  # where in data the packet number begins


class Keys(NamedTuple):
    key: bytes
    iv: bytes
    mask: bytes


class Protection(NamedTuple):
    payload: AESGCM
    iv: int
    mask: CipherContext


class Cursor:
    """Reads bytes in order; EOFError where they end too early or hold more numbers than MAX_NUMBERS."""

    __slots__ = ("at", "data", "numbers")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0
        self.numbers = 0

    def take(self, size: int) -> bytes:
        end = self.at + size
        if end > len(self.data):
            raise EOFError
        taken = self.data[self.at : end]
        self.at = end
        return taken

    def byte(self) -> int:
        return self.take(1)[0]

    def number(self) -> int:
        """A variable-length integer (RFC 9000 §16)."""
        self.numbers += 1
        if self.numbers > MAX_NUMBERS:
            raise EOFError
        first = self.byte()
        if first < 0x40:
            return first
        size = (1 << (first >> 6)) - 1
        return (first & 0x3F) << 8 * size | int.from_bytes(self.take(size))


def expand_info(label: str, size: int) -> bytes:
    """What HKDF-Expand takes for HKDF-Expand-Label(secret, label, "", size), and its block counter (RFC 8446 §7.1)."""
    name = b"tls13 " + label.encode()
    return size.to_bytes(2) + bytes([len(name)]) + name + b"\0" + b"\1"


def version(initial: int, retry: int, salt: str, prefix: str) -> Version:
    labels = expand_info(f"{prefix} key", 16), expand_info(f"{prefix} iv", 12), expand_info(f"{prefix} hp", 16)
    return Version(initial, retry, bytes.fromhex(salt), *labels)


VERSIONS = {
    0x00000001: version(0, 3, "38762cf7f55934b34d179ae6a4c80cadccbb7f0a", "quic"),
    0x6B3343CF: version(1, 0, "0dede3def700a6db819381be6e269dcbf9bd2ed9", "quicv2"),
}
CLIENT_IN = expand_info("client in", 32)


def crypto_stream(datagrams: Sequence[bytes]) -> bytes:
    """The TLS handshake from its first byte on, as far as these datagrams hold it without a gap; b"" if they hold none.

    The datagrams are the first UDP payloads that one client sent from one port, in any order. A packet that is cut
    short cannot be authenticated and is not read.
    """
    packets = [packet for datagram in datagrams[:MAX_DATAGRAMS] for packet in initial_packets(datagram)]
    # The keys belong to the first packet's connection id, or to the one a Retry gave (RFC 9001 §5.2). Later packets
    # bear the id that the server chose, and may be of the other version (RFC 9369 §4.1).
    key_ids = list(dict.fromkeys(packet.dcid for packet in packets))
    protections = cache(protection)
    pieces: dict[bytes, list[Piece]] = defaultdict(list)  # apart, or two connections could make one handshake
    for packet in packets:
        for key_id in key_ids:
            payload = opened(packet, protections(packet.version, key_id))
            if payload is not None:
                pieces[key_id] += crypto_frames(payload)
                break
    return max(map(contiguous, pieces.values()), key=len, default=b"")


def initial_packets(datagram: bytes) -> Iterator[Packet]:
    """The whole Initial packets, up to one that is cut, is not of the first one's connection, or has no length."""
    if len(datagram) > MAX_DATAGRAM_BYTES:
        return
    cursor = Cursor(datagram)
    dcid = None
    with suppress(EOFError):
        for _ in range(MAX_PACKETS):
            packet = next_packet(cursor)
            if packet is None or dcid not in (None, packet.dcid):  # RFC 9000 §12.2
                return
            dcid = packet.dcid
            if packet.initial:
                yield packet


def next_packet(cursor: Cursor) -> Packet | None:
    """A packet with a long header and a length (RFC 9000 §17.2), or None."""
    start = cursor.at
    first = cursor.byte()
    number = int.from_bytes(cursor.take(4))
    known = VERSIONS.get(number)
    kind = first >> 4 & 3
    if first & LONG_HEADER != LONG_HEADER or known is None or kind == known.retry:
        return None
    dcid = cursor.take(cursor.byte())
    scid = cursor.take(cursor.byte())
    if max(len(dcid), len(scid)) > MAX_CONNECTION_ID:
        return None
    if kind == known.initial:
        cursor.take(cursor.number())  # the token
    size = cursor.number()
    number_at = cursor.at - start
    cursor.take(size)
    return Packet(kind == known.initial, number, dcid, cursor.data[start : cursor.at], number_at)


def client_keys(number: int, dcid: bytes) -> Keys:
    """RFC 9001 §5.2. Each HKDF step is one HMAC, as no output is longer than SHA-256."""
    known = VERSIONS[number]
    secret = hmac.digest(hmac.digest(known.salt, dcid, "sha256"), CLIENT_IN, "sha256")
    return Keys(
        hmac.digest(secret, known.key, "sha256")[:16],
        hmac.digest(secret, known.iv, "sha256")[:12],
        hmac.digest(secret, known.mask, "sha256")[:16],
    )


def protection(number: int, dcid: bytes) -> Protection:
    keys = client_keys(number, dcid)
    mask = Cipher(algorithms.AES(keys.mask), modes.ECB()).encryptor()  # RFC 9001 §5.4.3: one block
    return Protection(AESGCM(keys.key), int.from_bytes(keys.iv), mask)


def opened(packet: Packet, by: Protection) -> bytes | None:
    """The frames in the packet, or None if it was not protected by these keys (RFC 9001 §5.3, §5.4).

    The packet number is taken as it is written: in a connection's first packets nothing is left out of it.
    """
    data, at = packet.data, packet.number_at
    sample = data[at + SAMPLE_AT : at + SAMPLE_AT + SAMPLE_SIZE]
    if len(sample) < SAMPLE_SIZE:
        return None
    mask = by.mask.update(sample)
    first = data[0] ^ (mask[0] & 0x0F)
    size = (first & 3) + 1
    number = int.from_bytes(data[at : at + size]) ^ int.from_bytes(mask[1 : 1 + size])
    header = bytes([first]) + data[1:at] + number.to_bytes(size)
    try:
        return by.payload.decrypt((by.iv ^ number).to_bytes(12), data[at + size :], header)
    except InvalidTag:
        return None


def crypto_frames(payload: bytes) -> Iterator[Piece]:
    """(offset, bytes) of the CRYPTO frames, up to a frame that is cut or that ends a handshake (RFC 9000 §12.4, §19)."""
    cursor = Cursor(payload)
    with suppress(EOFError):
        while True:
            cursor.at = IDLE.match(payload, cursor.at).end()  # type: ignore[union-attr]  # matches always
            kind = cursor.number()
            if kind == CRYPTO:
                offset, size = cursor.number(), cursor.number()
                yield offset, cursor.take(size)
            elif kind in (ACK, ACK_ECN):
                skip_ack(cursor, kind)
            elif kind not in (PADDING, PING):  # those are skipped above, unless they are written longer than need be
                return


def skip_ack(cursor: Cursor, kind: int) -> None:
    """RFC 9000 §19.3. The largest, the delay, the count of ranges, the first range; the ranges; counts for ECN."""
    cursor.number()
    cursor.number()
    ranges = cursor.number()
    for _ in range(1 + 2 * ranges + (3 if kind == ACK_ECN else 0)):
        cursor.number()


def contiguous(pieces: Iterable[Piece]) -> bytes:
    """The bytes from offset 0 to the first gap; where pieces overlap, the one that begins first is believed."""
    stream = bytearray()
    for offset, piece in sorted(pieces, key=lambda piece: piece[0]):
        if offset > len(stream):
            break
        stream += piece[len(stream) - offset :]
    return bytes(stream[:MAX_CRYPTO_BYTES])
