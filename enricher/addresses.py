"""The distinct addresses of a batch: their bytes as hex digits, and whether they lie outside the cluster."""

import socket
from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from enricher.directory import Directory

# Addresses that name no host elsewhere: this host, this link, everyone on it.
NOT_A_HOST = (
    "0.0.0.0/32",
    "127.0.0.0/8",
    "224.0.0.0/4",
    "255.255.255.255/32",
    "::/127",
    "fe80::/10",
    "ff00::/8",
)
IPV4_MAPPED = bytes(10) + b"\xff\xff"


def address_table(columns: Iterable[pa.ChunkedArray], directory: Directory) -> pa.Table:
    """Columns ip, digits (NULL if ``ip`` is no address), is_external."""
    chunks = [chunk for column in columns for chunk in column.chunks]
    ips = pc.unique(pa.chunked_array(chunks, pa.string()))
    packed = [_packed(ip) for ip in ips.to_pylist()]
    outside = ~_inside(packed, directory.ranges) & ~_held(ips, directory)
    digits = pa.array([None if one is None else one.hex() for one in packed], pa.string())
    return pa.table({"ip": ips, "digits": digits, "is_external": pa.array(outside)})


def _packed(ip: str) -> bytes | None:
    try:
        return socket.inet_pton(socket.AF_INET6 if ":" in ip else socket.AF_INET, ip)
    except (OSError, ValueError):
        return None


def _held(ips: pa.Array, directory: Directory) -> np.ndarray:
    """An address that an object of the cluster has or had is never outside."""
    held: np.ndarray = pc.is_in(ips, value_set=directory.assignments["ip"]).to_numpy(zero_copy_only=False)
    return held


def _inside(packed: list[bytes | None], ranges: Iterable[str]) -> np.ndarray:
    """Whether an address lies in one of the ranges; what is no address counts as inside, as nothing is known of it."""
    spans = sorted(_spans([*ranges, *NOT_A_HOST]))
    first = np.array([low for low, _ in spans], "S16")
    last = np.array([high for _, high in spans], "S16")
    # NumPy cuts trailing zero octets of both sides alike, so the order of the full 16 octets is kept.
    address = np.array([_mapped(one) if one else b"" for one in packed], "S16")
    at = np.searchsorted(first, address, side="right") - 1
    unknown = np.array([one is None for one in packed], bool)
    return unknown | ((at >= 0) & (address <= last[at]))


def _spans(ranges: Iterable[str]) -> Iterable[tuple[bytes, bytes]]:
    """First and last address of each range as 16 octets; never overlapping."""
    networks = [ip_network(text) for text in ranges]
    version4 = [network for network in networks if isinstance(network, IPv4Network)]
    version6 = [network for network in networks if isinstance(network, IPv6Network)]
    merged: list[IPv4Network | IPv6Network] = [*collapse_addresses(version4), *collapse_addresses(version6)]
    for network in merged:
        yield _mapped(network[0].packed), _mapped(network[-1].packed)


def _mapped(packed: bytes) -> bytes:
    return packed if len(packed) == 16 else IPV4_MAPPED + packed
