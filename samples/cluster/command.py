"""The command that records a sample: its arguments, what this machine lacks, and that nothing is left behind."""

import argparse
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from samples.cluster import topology
from samples.cluster.plan import Plan
from samples.cluster.recorder import Recorder

# The programs of every recording, and the Debian packages that have them.
PACKAGES = {
    "ip": "iproute2",
    "ss": "iproute2",
    "bridge": "iproute2",
    "ethtool": "ethtool",
    "nft": "nftables",
    "sysctl": "procps",
    "setpriv": "util-linux",
    "curl": "curl",
    "openssl": "openssl",
    "unbound": "unbound",
    "nsd": "nsd",
    "nginx": "nginx-light",
    "dumpcap": "wireshark-common",
}


def parser(description: str | None) -> argparse.ArgumentParser:
    found = argparse.ArgumentParser(description=description)
    found.add_argument("out", type=Path, nargs="?", help="directory for the captures, objects.json and truth.json")
    found.add_argument("--clean", action="store_true", help="only remove what an interrupted recording left behind")
    found.add_argument("--keep", type=Path, help="keep configurations and logs in this directory")
    return found


def complaint(plan: Plan, packages: dict[str, str]) -> str | None:
    """Why this machine cannot record, or None."""
    if os.geteuid() != 0:
        return "network namespaces need root: run with sudo"
    missing = sorted({package for program, package in packages.items() if shutil.which(program) is None})
    if missing:
        return f"programs are missing: apt-get install --no-install-recommends {' '.join(missing)}"
    if topology.leftovers(plan):
        return "namespaces of another recording exist: let it end, or remove them with --clean"
    return None


def main(plan: Plan, packages: dict[str, str], given: argparse.Namespace, make: Callable[[Path], Recorder]) -> int:
    if given.clean:
        topology.remove(plan)
        return 0
    problem = complaint(plan, PACKAGES | packages) if given.out else "say where to write: OUT"
    if problem:
        print(f"record: {problem}", file=sys.stderr)
        return 2
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        record(plan, given.out, given.keep, make)
    except RuntimeError as exc:
        print(f"record: {exc}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("record: interrupted, nothing written", file=sys.stderr)
        return 130
    return 0


def record(plan: Plan, out: Path, keep: Path | None, make: Callable[[Path], Recorder]) -> None:
    """Build, play, write; and remove all of it, however it ends."""
    with tempfile.TemporaryDirectory(prefix=plan.prefix) as work:
        recorder = make(Path(work))
        try:
            recorder.run()
            recorder.write(out)
        finally:
            recorder.kill()
            topology.remove(plan)
            if keep:
                shutil.copytree(work, keep, ignore=sockets, dirs_exist_ok=True)


def sockets(directory: str, names: list[str]) -> list[str]:
    return [name for name in names if (Path(directory) / name).is_socket()]
