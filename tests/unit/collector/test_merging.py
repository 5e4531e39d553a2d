"""Batches become messages of the wanted size, whatever size they came in, and no row changes or moves."""

import random

import pyarrow as pa
import pytest

from collector.transport.merging import Encoded, Merging
from contract.columns import Table
from contract.coverage import COVERAGE
from contract.flows import FLOWS
from contract.ranges import MAX_TEXT
from contract.wire import MOST_DECODED, Envelope, MessageId, decode
from tests.support.rows import batch

MESSAGE_BYTES = 100_000


def opened(table: Table, messages: list[Encoded | int]) -> pa.Table:
    taken = [message for message in messages if isinstance(message, Encoded)]
    batches = [decode(Envelope(table.name, one.rows, MessageId("e", 0)), one.value) for one in taken]
    return pa.Table.from_batches(batches, table.collected)


def random_texts(rows: int, octets: int, seed: int = 7) -> pa.RecordBatch:
    """Rows of coverage with texts that do not compress."""
    draw = random.Random(seed)
    texts = pa.array([draw.randbytes(octets // 2).hex() for _ in range(rows)])
    some = batch(COVERAGE, rows)
    place = some.schema.get_field_index("source")
    return some.set_column(place, some.schema.field(place), texts)


def test_small_batches_share_a_message() -> None:
    merging = Merging(MESSAGE_BYTES)
    whole = batch(FLOWS, 90)
    for first in range(0, 90, 10):
        merging.add(whole.slice(first, 10), 5.0 + first)
    assert not merging.is_full
    assert merging.since == 5.0
    messages = list(merging.take())
    assert len(messages) == 1
    assert opened(FLOWS, messages).equals(pa.Table.from_batches([whole]))
    assert merging.since is None


@pytest.mark.parametrize("whole", [batch(FLOWS, 30_000), random_texts(3_000, 400)], ids=["flows", "random"])
def test_large_batch_becomes_messages_of_at_most_the_wanted_size(whole: pa.RecordBatch) -> None:
    table = FLOWS if whole.schema.equals(FLOWS.collected) else COVERAGE
    merging = Merging(MESSAGE_BYTES)
    merging.add(whole, 0.0)
    assert merging.is_full
    messages = list(merging.take())
    sizes = [len(message.value) for message in messages if isinstance(message, Encoded)]
    assert max(sizes) <= MESSAGE_BYTES
    assert sum(sizes) / len(sizes) > MESSAGE_BYTES / 4
    assert opened(table, messages).equals(pa.Table.from_batches([whole]))


def test_a_message_is_full_as_the_last_ones_compressed() -> None:
    merging = Merging(MESSAGE_BYTES)
    merging.add(random_texts(1_000, 400), 0.0)
    list(merging.take())
    for seed in range(1_000):
        merging.add(random_texts(10, 400, seed), 0.0)
        if merging.is_full:
            break
    (message,) = merging.take()
    assert isinstance(message, Encoded)
    assert 0.4 * MESSAGE_BYTES < len(message.value) <= 1.1 * MESSAGE_BYTES


def test_columns_that_compress_to_nothing_are_cut_before_a_reader_refuses_them() -> None:
    some = batch(COVERAGE, 10_000)
    place = some.schema.get_field_index("source")
    large = some.set_column(place, some.schema.field(place), pa.array(["a" * MAX_TEXT] * 10_000))
    merging = Merging(MESSAGE_BYTES)
    merging.add(large, 0.0)
    messages = list(merging.take())
    assert large.nbytes > 2 * MOST_DECODED
    assert len(messages) > 2
    assert opened(COVERAGE, messages).equals(pa.Table.from_batches([large]))


def test_row_that_no_message_can_hold_is_told_and_the_others_go_on() -> None:
    merging = Merging(MESSAGE_BYTES)
    merging.add(random_texts(1, 400), 0.0)
    merging.add(random_texts(1, 4 * MESSAGE_BYTES), 0.0)
    merging.add(random_texts(1, 400), 0.0)
    messages = list(merging.take())
    assert [message for message in messages if not isinstance(message, Encoded)] == [1]
    assert opened(COVERAGE, messages).num_rows == 2
