"""Collectors and enrichers as real processes of a live cluster, and when they are done."""

import signal
import sys
import time
from pathlib import Path

from samples.cluster.stage import wait_until
from store.lake import Lake
from tests.support.broker import Broker
from tests.support.live_cluster import LiveCluster

TOPIC = "live"
# Of the topic: by their names, each of the two nodes has one.
PARTITIONS = 2
INTERVAL, ROUND = "1s", "2s"
SESSION_S = 6
DONE_S = 60
TABLES = ("flows", "dns", "coverage")


class Tailrace:
    """``lake`` is what the enrichers write."""

    def __init__(self, cluster: LiveCluster, broker: Broker, lake: Path) -> None:
        self.cluster, self.broker, self.lake = cluster, broker, lake
        broker.create(TOPIC, PARTITIONS)
        self.url = f"kafka://{broker.address}/{TOPIC}"

    def collect(self, node: str) -> str:
        """The name of the process, as of all that begin one."""
        name = f"collect-{node}"
        words = ["collect", "-i", "veth*", "-i", "eth0", "--to", self.url, "--node", node, "--interval", INTERVAL]
        self._start(name, node, words, f'[collect.spool]\ndir = "{self.cluster.directory(f"spool-{node}")}"\n')
        return name

    def collect_to_lake(self, node: str, lake: Path) -> str:
        words = ["collect", "-i", "veth*", "-i", "eth0", "--lake", str(lake), "--node", node]
        words += ["--kube-api", self.cluster.api.url, "--interval", INTERVAL, "--round", ROUND]
        return self._start(f"collect-to-lake-{node}", node, words, "")

    def enrich(self, name: str) -> str:
        words = ["enrich", "--from", self.url, "--lake", str(self.lake), "--kube-api", self.cluster.api.url]
        words += ["--round", ROUND]
        return self._start(name, "fabric", words, f"[enrich.kafka]\nsession = {SESSION_S}\n")

    def _start(self, name: str, place: str, words: list[str], config: str) -> str:
        file = self.cluster.directory("config") / f"{name}.toml"
        file.write_text(config)
        told = ["--cluster", "live", "--config", str(file)]
        self.cluster.start(name, place, [sys.executable, "-m", "cli", *words, *told])
        return name

    def said(self, name: str) -> str:
        return (self.cluster.directory("output") / name).read_text()

    def wait_for_word(self, name: str, word: str) -> None:
        wait_until(lambda: word in self.said(name), f"{name} did not say {word!r}", DONE_S)

    def stop(self, name: str) -> None:
        """By SIGTERM, which it is to follow without complaint."""
        process = self.cluster.processes.pop(name)
        process.send_signal(signal.SIGTERM)
        assert process.wait(DONE_S) == 0, self.said(name)

    def kill(self, name: str) -> None:
        process = self.cluster.processes.pop(name)
        process.kill()
        process.wait()

    def behind(self) -> list[str]:
        """What the lake does not have yet of what the broker has.

        It may be ahead: Tansu tells an end that lacks a message which it was sent twice, and gives out.
        """
        lake, ends = Lake.open(self.lake), self.broker.ends(TOPIC)
        places = [(table, partition) for table in TABLES for partition in ends]
        reached = {place: lake.transaction_version(place[0], f"kafka/{TOPIC}/{place[1]}") or 0 for place in places}
        return [f"{place}: {reached[place]} of {ends[place[1]]}" for place in places if reached[place] < ends[place[1]]]

    def wait_until_drained(self) -> None:
        deadline = time.monotonic() + DONE_S
        while behind := self.behind():
            assert time.monotonic() < deadline, behind
            time.sleep(0.5)
