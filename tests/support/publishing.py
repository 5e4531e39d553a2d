"""A collector's end in a process of its own, which tests kill: python -m tests.support.publishing ADDRESS TOPIC SPOOL

Each line of its input is a number and how many to publish from it on; the line of its output says that they are on disk.
"""

import subprocess
import sys
from pathlib import Path

from contract.kafka import KafkaSettings
from tests.support.published import numbered, publisher


class Publishing:
    """The process, as a test sees it."""

    def __init__(self, settings: KafkaSettings, spool: Path) -> None:
        self._command = [sys.executable, "-m", __name__, settings.servers[0], settings.topic, str(spool)]
        self._start()

    def _start(self) -> None:
        self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def publish(self, first: int, count: int) -> None:
        """When it returns, they are flushed."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(f"{first} {count}\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline() == f"{first} {count}\n"

    def crash(self) -> None:
        """kill -9, and another one on the same spool."""
        self.kill()
        self._start()

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()

    def end(self) -> None:
        """As SIGTERM would end it."""
        self._process.communicate(timeout=60)
        assert self._process.returncode == 0


def main(address: str, topic: str, spool: str) -> None:
    with publisher(KafkaSettings((address,), topic), Path(spool)) as ours:
        for line in sys.stdin:
            first, count = map(int, line.split())
            for number in range(first, first + count):
                ours.publish("coverage", numbered(number))
                ours.flush()
            print(line, end="", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
