"""What a number or a text of a collected column can be at all: beyond it no collector told it, and no reader need bear it."""

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from contract.columns import Table
from contract.errors import ContractError

OCTET, TWO_OCTETS, FOUR_OCTETS = (1 << 8) - 1, (1 << 16) - 1, (1 << 32) - 1
# Of counts, octets and microseconds: more than any record has, and sums and products of some are still numbers of SQL.
MOST = 1 << 53

MAX_TEXT = 4096  # octets of a text; the longest else is the path of a capture
MAX_DATA = 4 * (65536 + 3 * 256)  # of the data of an answer: four characters an octet of the longest record

_MOST = {
    "flows.protocol": OCTET,
    "flows.icmp_type": OCTET,
    "flows.icmp_code": OCTET,
    "flows.src_tcp_flags": OCTET,
    "flows.dst_tcp_flags": OCTET,
    "flows.tunnel_id": FOUR_OCTETS,
    "flows.vlan": (1 << 12) - 1,
    "dns.id": TWO_OCTETS,
    "dns.opcode": (1 << 4) - 1,
    "dns.edns_udp_size": TWO_OCTETS,
    "dns.edns_error": TWO_OCTETS,
    "dns.negative_ttl": FOUR_OCTETS,
    "dns.answers.ttl": FOUR_OCTETS,
    "dns.attempts": (1 << 31) - 1,
}
_SIGNED = {"coverage.clock_skew_us"}


def number_range(path: str) -> tuple[int, int]:
    """The least and the most of a column of whole numbers, ``TABLE.COLUMN`` or ``TABLE.COLUMN.FIELD``."""
    if path.endswith("_port"):
        return 0, TWO_OCTETS
    return (-MOST if path in _SIGNED else 0), _MOST.get(path, MOST)


def check_ranges(table: Table, batch: pa.RecordBatch) -> None:
    """Raise ``ContractError`` where a number or a text is none that can be."""
    for field, column in zip(batch.schema, batch.columns, strict=True):
        for path, values in _flat(f"{table.name}.{field.name}", column):
            _check(path, values)


def _flat(path: str, values: pa.Array) -> Iterator[tuple[str, pa.Array]]:
    """A column, or those that it is made of; what stands below a NULL is not among them."""
    if pa.types.is_map(values.type):
        yield from _flat(path, values.keys)
        yield from _flat(path, values.items)
    elif pa.types.is_list(values.type):
        yield from _flat(path, values.flatten())
    elif pa.types.is_struct(values.type):
        for field, inner in zip(values.type, values.flatten(), strict=True):
            yield from _flat(f"{path}.{field.name}", inner)
    else:
        yield path, values


def _check(path: str, values: pa.Array) -> None:
    if pa.types.is_integer(values.type):
        least, most = number_range(path)
        found = pc.min_max(values).as_py()
        if found["min"] is not None and not least <= found["min"] <= found["max"] <= most:
            raise ContractError(f"{path}: {found['min']} to {found['max']}, not within {least} to {most}")
    elif pa.types.is_floating(values.type):  # a share
        if not pc.all(pc.and_(pc.greater_equal(values, 0), pc.less_equal(values, 1)), min_count=0).as_py():
            raise ContractError(f"{path}: not within 0 to 1")
    elif pa.types.is_string(values.type):
        longest = pc.max(pc.binary_length(values)).as_py() or 0
        most = MAX_DATA if path == "dns.answers.data" else MAX_TEXT
        if longest > most:
            raise ContractError(f"{path}: a text of {longest} octets, more than {most}")
