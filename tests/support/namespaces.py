"""Network namespaces of a test's own, with veth pairs between them."""

import ctypes
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000


def required() -> None:
    """Without root or iproute2 a desk skips, and a machine that must have them fails."""
    if os.geteuid() == 0 and shutil.which("ip") and Path("/proc/self/ns/net").exists():
        return
    lacking("network namespaces need root and iproute2")


def lacking(message: str) -> NoReturn:
    if os.environ.get("REQUIRE_SERVICES") == "1":
        pytest.fail(message)
    pytest.skip(message)


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)


@contextmanager
def namespaces(*names: str) -> Iterator[tuple[str, ...]]:
    """Namespaces that end with the test; each has ``lo`` up."""
    own = tuple(f"trl{os.getpid()}{name}" for name in names)
    try:
        for name in own:
            ip("netns", "add", name)
            ip("-n", name, "link", "set", "lo", "up")
        yield own
    finally:
        for name in own:
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)


def wire(left: str, right: str, name: str, net: str) -> None:
    """A veth pair, of that name in both; ``net`` (three octets) has .1 on the left and .2 on the right, IPv6 alike."""
    ip("-n", left, "link", "add", name, "type", "veth", "peer", "name", name, "netns", right)
    number = net.rpartition(".")[2]
    for end, place in ((left, 1), (right, 2)):
        ip("-n", end, "addr", "add", f"{net}.{place}/24", "dev", name)
        ip("-n", end, "addr", "add", f"fd00:{number}::{place}/64", "dev", name, "nodad")
        ip("-n", end, "link", "set", name, "up")


@contextmanager
def inside(name: str) -> Iterator[None]:
    """This thread, and those that it starts, in a namespace."""
    with Path("/proc/thread-self/ns/net").open() as before, Path(f"/run/netns/{name}").open() as there:
        _enter(there.fileno())
        try:
            yield
        finally:
            _enter(before.fileno())


def _enter(descriptor: int) -> None:
    if LIBC.setns(descriptor, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")
