"""A batch from a collector to an enricher, over a broker that runs."""

from pathlib import Path

import pytest

from contract.dns import DNS
from contract.flows import FLOWS
from tests.support.broker import Broker
from tests.support.published import Lake, consuming, numbered, publisher
from tests.support.rows import batch

pytestmark = pytest.mark.service


def test_batches_of_every_table_arrive_as_they_were(broker: Broker, tmp_path: Path) -> None:
    settings = broker.settings("every-table")
    sent = {FLOWS.name: batch(FLOWS, 100), DNS.name: batch(DNS, 100), "coverage": numbered(7)}
    with publisher(settings, tmp_path / "spool") as ours:
        for table, rows in sent.items():
            ours.publish(table, rows)
    found = {}
    with consuming(settings, Lake()) as consumer:
        while len(found) < len(sent):
            found |= {message.envelope.table: message for message in consumer.poll(1)}
        assert consumer.counts.messages == 3
        assert consumer.counts.rows == 201
    for table, message in found.items():
        assert message.batch.equals(sent[table])
        assert (message.envelope.cluster, message.envelope.node) == ("prod", "n1")
