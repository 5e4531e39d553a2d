"""Headers written into the rows of a matrix of octets, one row a frame; a field is an array with a value a row."""

from typing import Literal

import numpy as np

ETHERNET, IPV4, IPV6 = 14, 20, 40  # octets of a header
TCP, UDP = 20, 8
TCP_NUMBER, UDP_NUMBER = 6, 17
FIN, SYN, PSH, ACK = 0x01, 0x02, 0x08, 0x10
START = 1_750_000_000 * 10**9  # ns; the first packet of every trace

Values = np.ndarray | int


def put(rows: np.ndarray, at: int, values: Values, size: int, order: Literal["<", ">"] = ">") -> None:
    """Write an unsigned integer of ``size`` octets at column ``at``."""
    kind = np.dtype(f"u{size}").newbyteorder(order)
    rows[:, at : at + size] = np.full(len(rows), values).astype(kind).view(np.uint8).reshape(-1, size)


def ethernet(rows: np.ndarray, at: int, ethertype: int) -> None:
    for host in (0, 6):
        rows[:, at + host] = 2  # locally administered
    rows[:, at + 11] = 1
    put(rows, at + 12, ethertype, 2)


def ipv4(rows: np.ndarray, at: int, ends: tuple[np.ndarray, np.ndarray], protocol: int, total: Values) -> None:
    rows[:, at], rows[:, at + 8], rows[:, at + 9] = 0x45, 64, protocol
    put(rows, at + 2, total, 2)
    put(rows, at + 12, ends[0], 4)
    put(rows, at + 16, ends[1], 4)
    words = np.ascontiguousarray(rows[:, at : at + IPV4]).view(">u2").sum(axis=1, dtype=np.int64)
    words = (words & 0xFFFF) + (words >> 16)
    put(rows, at + 10, ~(words + (words >> 16)) & 0xFFFF, 2)


def ipv6(rows: np.ndarray, at: int, ends: tuple[np.ndarray, np.ndarray], protocol: int, total: Values) -> None:
    """Each address is fd00:: and its end's 32 bits."""
    rows[:, at], rows[:, at + 6], rows[:, at + 7] = 0x60, protocol, 64
    put(rows, at + 4, total - IPV6, 2)
    for place, end in zip((at + 8, at + 24), ends, strict=True):
        rows[:, place] = 0xFD
        put(rows, place + 12, end, 4)


def tcp(
    rows: np.ndarray, at: int, ports: tuple[np.ndarray, np.ndarray], seq: Values, ack: Values, flags: Values
) -> None:
    put(rows, at, ports[0], 2)
    put(rows, at + 2, ports[1], 2)
    put(rows, at + 4, seq, 4)
    put(rows, at + 8, ack, 4)
    rows[:, at + 12], rows[:, at + 13] = TCP << 2, flags
    put(rows, at + 14, 64240, 2)


def udp(rows: np.ndarray, at: int, ports: tuple[Values, Values], payload: Values) -> None:
    put(rows, at, ports[0], 2)
    put(rows, at + 2, ports[1], 2)
    put(rows, at + 4, payload + UDP, 2)


def directed(back: np.ndarray, client: np.ndarray, server: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(source, destination) of each packet; ``back``: the server sends it."""
    return np.where(back, server, client), np.where(back, client, server)


def pcap_records(rows: np.ndarray, wire: np.ndarray, nanoseconds: np.ndarray) -> np.ndarray:
    """The octets of nanosecond pcap records of frames that were ``wire`` octets long, cut to the width of a row."""
    captured = np.minimum(wire, rows.shape[1])
    records = np.empty((len(rows), 16 + rows.shape[1]), np.uint8)
    for place, values in enumerate((nanoseconds // 10**9, nanoseconds % 10**9, captured, wire)):
        put(records, 4 * place, values, 4, "<")
    records[:, 16:] = rows
    return records[np.arange(records.shape[1]) < (16 + captured)[:, None]]
