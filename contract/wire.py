"""The wire between collectors and enrichers: one record batch is one message, with what it is in the headers."""

from collections.abc import Iterable
from typing import NamedTuple, NoReturn

import pyarrow as pa
import pyarrow.compute as pc

from contract.columns import COUNT, TIME, Table
from contract.coverage import COVERAGE
from contract.declared import declared_bytes
from contract.dns import DNS
from contract.errors import ContractError, Refused, WireError
from contract.flows import FLOWS
from contract.ranges import check_ranges

# A change of any column a collector fills is another version; tests/unit/contract/test_wire.py holds the two together.
VERSION = 1

TABLES: dict[str, Table] = {table.name: table for table in (FLOWS, DNS, COVERAGE)}

MAX_VALUE = 8 << 20  # octets of a message; a longer one is refused unread
MOST_DECODED = 16 << 20  # octets of its columns that a collector puts into one
MAX_DECODED = MOST_DECODED + (1 << 20)  # as its buffers declare them, with padding, before anything is decompressed
MAX_HEADER = 512  # octets of one header
MAX_SEQUENCE = 2**63 - 1
NOT_UTF_8 = "\ufffd"  # in the place of what was no text
EARLIEST_US, LATEST_US = 0, 7_258_118_400_000_000  # 2200-01-01, as of collectors

_OPTIONS = pa.ipc.IpcWriteOptions(compression="zstd", use_threads=False)

Header = tuple[str, bytes]


class MessageId(NamedTuple):
    """The same for a message and its doubles: ``epoch`` is drawn anew by each run of a publisher, which counts from there."""

    epoch: str
    sequence: int


class Envelope(NamedTuple):
    """What the headers tell. NULL stays NULL: a cluster or node that is not told has no header."""

    table: str
    rows: int
    id: MessageId
    cluster: str | None = None
    node: str | None = None

    def headers(self) -> list[Header]:
        texts = {
            "table": self.table,
            "version": str(VERSION),
            "rows": str(self.rows),
            "id": f"{self.id.epoch}/{self.id.sequence}",
            "cluster": self.cluster,
            "node": self.node,
        }
        return [(name, text.encode()) for name, text in texts.items() if text is not None]


def encode(batch: pa.RecordBatch) -> bytes:
    """An Arrow IPC stream of one batch, its buffers compressed by zstd."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema, options=_OPTIONS) as stream:
        stream.write_batch(batch)
    return bytes(sink.getvalue())


def opened(headers: Iterable[Header]) -> Envelope:
    """What the headers of a message tell, of a version and a table that are known."""
    told = _texts(headers)
    if "table" not in told:
        raise WireError(Refused.NO_TABLE, "no header says of which table it is")
    if told.get("version") != str(VERSION):
        raise WireError(Refused.UNKNOWN_VERSION, f"version {told.get('version', 'not told')}, not {VERSION}")
    if told["table"] not in TABLES:
        raise WireError(Refused.UNKNOWN_TABLE, f"no table {told['table']!r} comes from collectors")
    epoch, _, sequence = told.get("id", "").partition("/")
    identity = MessageId(epoch, _number("id", sequence))
    return Envelope(
        told["table"], _number("rows", told.get("rows", "")), identity, told.get("cluster"), told.get("node")
    )


def decode(envelope: Envelope, value: bytes | None) -> pa.RecordBatch:
    """The batch of a message, which keeps the contract; what its sender chose is checked before it costs memory."""
    if value is None:
        raise WireError(Refused.NOT_ARROW, "no value")
    if len(value) > MAX_VALUE:
        raise WireError(Refused.TOO_LARGE, f"{len(value)} octets, more than {MAX_VALUE}")
    try:
        batch = _decoded(TABLES[envelope.table], value)
    except ContractError as error:
        raise WireError(Refused.BAD_ROWS, str(error)) from error
    except (pa.ArrowException, OSError, ValueError, StopIteration) as error:
        raise WireError(Refused.NOT_ARROW, _one_line(error)) from error
    if batch.num_rows != envelope.rows:
        raise WireError(Refused.BAD_ROWS, f"{batch.num_rows} rows, not {envelope.rows} as its header says")
    return batch


def _decoded(table: Table, value: bytes) -> pa.RecordBatch:
    messages = pa.ipc.MessageReader.open_stream(pa.py_buffer(value))
    schema = pa.ipc.read_schema(_next(messages, "schema"))
    if not schema.equals(table.collected, check_metadata=True):
        raise WireError(Refused.OTHER_SCHEMA, f"other columns than {table.name} of version {VERSION}")
    message = _next(messages, "record batch")
    _check_size(message)
    batch = pa.ipc.read_record_batch(message, schema)
    _check_end(messages)
    try:
        batch.validate(full=True)
    except pa.ArrowException as error:
        raise WireError(Refused.BAD_ROWS, _one_line(error)) from error
    table.validate(batch, table.collected)
    _check_times(batch)
    check_ranges(table, batch)
    return batch


def _check_times(batch: pa.RecordBatch) -> None:
    """A date that no calendar has would stop every reader of the lake."""
    for field, column in zip(batch.schema, batch.columns, strict=True):
        if field.type == TIME:
            bounds = pc.min_max(column.cast(COUNT)).as_py()
            if bounds["min"] is not None and not EARLIEST_US <= bounds["min"] <= bounds["max"] < LATEST_US:
                raise WireError(Refused.BAD_ROWS, f"a {field.name} before 1970 or after 2199")


def _next(messages: pa.ipc.MessageReader, kind: str) -> pa.ipc.Message:
    """Arrow believes that a message is of the kind it is read as: one of another kind ends the process."""
    message = messages.read_next_message()
    if message.type != kind:
        raise WireError(Refused.NOT_ARROW, f"a {message.type} in place of a {kind}")
    return message


def _check_size(message: pa.ipc.Message) -> None:
    size = declared_bytes(memoryview(message.metadata), memoryview(message.body))
    if size > MAX_DECODED:
        raise WireError(Refused.TOO_LARGE, f"{size} octets once decompressed, more than {MAX_DECODED}")


def _check_end(messages: pa.ipc.MessageReader) -> None:
    try:
        messages.read_next_message()
    except StopIteration:
        return
    raise WireError(Refused.NOT_ARROW, "more than one record batch")


def _texts(headers: Iterable[Header]) -> dict[str, str]:
    """The headers that are ours; of one told twice, the first."""
    told: dict[str, str] = {}
    for name, value in headers:
        if NOT_UTF_8 in name:
            raise WireError(Refused.BAD_HEADER, "the name of a header is not UTF-8")
        if name in told or name not in {"table", "version", "rows", "id", "cluster", "node"}:
            continue
        if not isinstance(value, bytes) or len(value) > MAX_HEADER:
            _refuse(name)
        try:
            told[name] = value.decode()
        except UnicodeDecodeError:
            _refuse(name)
    return told


def _number(name: str, text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 19 or int(text) > MAX_SEQUENCE:
        _refuse(name)
    return int(text)


def _refuse(name: str) -> NoReturn:
    raise WireError(Refused.BAD_HEADER, f"header {name} is not what it should be")


def _one_line(error: Exception) -> str:
    """What Arrow says may quote what was sent."""
    return repr(str(error)[:200] or type(error).__name__)[1:-1]
