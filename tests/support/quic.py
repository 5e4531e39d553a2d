"""QUIC packets of a client, protected by code that shares nothing with the collector's (RFC 9000, 9001, 9369)."""

from collections.abc import Sequence
from itertools import pairwise

from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

V1, V2 = 0x00000001, 0x6B3343CF
DCID = bytes.fromhex("8394c8f03e515708")
SMALLEST = 1200  # of a datagram with an Initial packet (RFC 9000 §14.1)
TAG = 16
SAMPLED = 4  # the fewest bytes of frames that leave header protection its sample
SALTS = {V1: "38762cf7f55934b34d179ae6a4c80cadccbb7f0a", V2: "0dede3def700a6db819381be6e269dcbf9bd2ed9"}
LABELS = {V1: b"quic ", V2: b"quicv2 "}
INITIAL = {V1: 0xC0, V2: 0xD0}
ZERO_RTT = {V1: 0xD0, V2: 0xE0}
RETRY = {V1: 0xF0, V2: 0xC0}


def varint(value: int, size: int = 0) -> bytes:
    """The value in ``size`` bytes, or in as few as it takes."""
    for power, needed in enumerate((1, 2, 4, 8)):
        if value < 1 << (8 * needed - 2) and needed >= size:
            return (value | power << (8 * needed - 2)).to_bytes(needed, "big")
    raise ValueError(value)


def crypto(offset: int, data: bytes) -> bytes:
    return b"\x06" + varint(offset) + varint(len(data)) + data


def ack(ranges: int = 0, ecn: bool = False) -> bytes:
    """An ACK frame of numbers that would each end the handshake where they were read as frames."""
    stream = b"\x08"
    return (b"\x03" if ecn else b"\x02") + stream * 2 + varint(ranges) + stream * (1 + 2 * ranges + 3 * ecn)


def long_header(first: int, version: int, dcid: bytes, scid: bytes = b"") -> bytes:
    return bytes([first]) + version.to_bytes(4, "big") + bytes([len(dcid)]) + dcid + bytes([len(scid)]) + scid


def initial(
    frames: bytes,
    version: int = V1,
    dcid: bytes = DCID,
    *,
    key_dcid: bytes | None = None,
    number: int = 0,
    number_size: int = 1,
    token: bytes = b"",
    scid: bytes = b"",
) -> bytes:
    """One Initial packet; ``key_dcid`` where the keys are not those of its own connection id."""
    head = long_header(INITIAL[version] | number_size - 1, version, dcid, scid) + varint(len(token)) + token
    head += varint(number_size + len(frames) + TAG, 2) + number.to_bytes(number_size, "big")
    key, iv, mask = keys(version, dcid if key_dcid is None else key_dcid)
    nonce = bytes(left ^ right for left, right in zip(iv, number.to_bytes(12, "big"), strict=True))
    sealer = Cipher(algorithms.AES(key), modes.GCM(nonce)).encryptor()
    sealer.authenticate_additional_data(head)
    sealed = sealer.update(frames) + sealer.finalize() + sealer.tag
    return masked(head, number_size, sealed, mask) + sealed


def masked(head: bytes, number_size: int, sealed: bytes, key: bytes) -> bytes:
    sampled = sealed[4 - number_size : 20 - number_size]
    block = Cipher(algorithms.AES(key), modes.ECB()).encryptor().update(sampled)
    hidden = bytes(left ^ right for left, right in zip(head[-number_size:], block[1:], strict=False))
    return bytes([head[0] ^ block[0] & 15]) + head[1:-number_size] + hidden


def keys(version: int, dcid: bytes) -> tuple[bytes, bytes, bytes]:
    extract = hmac.HMAC(bytes.fromhex(SALTS[version]), hashes.SHA256())
    extract.update(dcid)
    secret = expand(extract.finalize(), b"client in", 32)
    label = LABELS[version]
    return expand(secret, label + b"key", 16), expand(secret, label + b"iv", 12), expand(secret, label + b"hp", 16)


def expand(secret: bytes, label: bytes, size: int) -> bytes:
    info = size.to_bytes(2, "big") + bytes([6 + len(label)]) + b"tls13 " + label + b"\0"
    return HKDFExpand(algorithm=hashes.SHA256(), length=size, info=info).derive(secret)


def zero_rtt(version: int = V1, dcid: bytes = DCID, size: int = 64) -> bytes:
    """A packet that nobody but the two ends can read."""
    return long_header(ZERO_RTT[version], version, dcid) + varint(size, 2) + bytes(range(size))


def retry(version: int = V1, dcid: bytes = DCID) -> bytes:
    """A server's, though sent by a client, with a token that would be a length in other packets."""
    token, tag = varint(20) + bytes(4), bytes(16)
    return long_header(RETRY[version], version, dcid) + token + tag


def initial_datagrams(
    hello: bytes, version: int = V1, dcid: bytes = DCID, split: Sequence[int] = (), *, token: bytes = b""
) -> list[bytes]:
    """A client's first flight: the handshake cut at the offsets in ``split``, a datagram for each part."""
    cuts = [0, *split, len(hello)]
    empty = len(initial(bytes(SAMPLED), version, dcid, token=token)) - SAMPLED
    return [
        initial(
            crypto(start, hello[start:end]).ljust(SMALLEST - empty, b"\0"), version, dcid, number=number, token=token
        )
        for number, (start, end) in enumerate(pairwise(cuts))
    ]
