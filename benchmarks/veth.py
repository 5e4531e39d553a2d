"""Two network namespaces of a benchmark's own with a veth pair between them, gone when it ends."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

DEVICE = "wire0"  # of that name at both ends
ADDRESSES = ("10.99.0.1", "10.99.0.2")


class Pair(NamedTuple):
    """Names of the namespaces."""

    sending: str
    receiving: str


def inside(namespace: str, command: list[object]) -> list[object]:
    """The same process: `ip` becomes the program."""
    return ["ip", "netns", "exec", namespace, *command]


@contextmanager
def veth_pair(name: str = "") -> Iterator[Pair]:
    pair = Pair(*(f"trbench{os.getpid()}{name}{end}" for end in ("s", "r")))
    try:
        for namespace in pair:
            _ip("netns", "add", namespace)
            _without_ipv6(namespace)
        _ip("-n", pair.sending, "link", "add", DEVICE, "type", "veth", "peer", "name", DEVICE, "netns", pair.receiving)
        for namespace, address in zip(pair, ADDRESSES, strict=True):
            _ip("-n", namespace, "addr", "add", f"{address}/24", "dev", DEVICE)
            _ip("-n", namespace, "link", "set", "lo", "up")
            _ip("-n", namespace, "link", "set", DEVICE, "up")
        yield pair
    finally:
        for namespace in pair:
            subprocess.run(["ip", "netns", "del", namespace], check=False, capture_output=True)


def _without_ipv6(namespace: str) -> None:
    """Else the kernel looks for neighbours now and then: packets that nobody sent."""
    command = inside(namespace, ["sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1"])
    subprocess.run([str(word) for word in command], check=True, capture_output=True)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)
