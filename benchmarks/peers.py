"""What the collector is measured beside, and how each is told to read a file and write its records."""

import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.traces import DNS

Command = list[object]
OWN_VERSION = ("-c", "from importlib.metadata import version; print(version('tailrace'))")
NFSTREAM_VERSION = "import nfstream; print(nfstream.__version__)"
MAX_FLOWS = 1 << 20  # as Tailrace holds; softflowd holds 8,192 unless it is told
DNS_FIELDS = [
    "frame.time_epoch",
    "ip.src",
    "ip.dst",
    "dns.id",
    "dns.time",
    "dns.flags.rcode",
    "dns.qry.name",
    "dns.qry.type",
] + [f"dns.{name}" for name in ("resp.name", "resp.type", "resp.ttl", "a", "aaaa", "cname", "ptr.domain_name", "txt")]
SLOW = 250_000  # packets a slow peer is given, in one round only
SLOW_SECONDS = 40.0  # and how long it may take


@dataclass(frozen=True)
class Peer:
    """``build`` takes the program, the capture, a folder for output, and a port at which datagrams are taken."""

    name: str
    program: str
    writes: str
    build: Callable[[str, Path, Path, int], Command]
    version: tuple[str, ...]
    slow: bool = False  # it gets the first packets of a trace only
    only: str = ""  # the trace it is for, if not for all


def _softflowd(program: str, capture: Path, folder: Path, port: int) -> Command:
    target = f"127.0.0.1:{port}"
    return [program, "-d", "-r", capture, "-n", target, "-v", "9", "-p", folder / "pid", "-c", "none"]


def _softflowd_large(program: str, capture: Path, folder: Path, port: int) -> Command:
    return [*_softflowd(program, capture, folder, port), "-m", MAX_FLOWS]


def _nfpcapd(program: str, capture: Path, folder: Path, _: int) -> Command:
    return [program, "-r", capture, "-w", folder]


def _argus(program: str, capture: Path, folder: Path, _: int) -> Command:
    return [program, "-X", "-r", capture, "-w", folder / "argus.out"]


def _tshark(program: str, capture: Path, _folder: Path, _: int) -> Command:
    return [program, "-n", "-r", capture, "-q", "-z", "conv,tcp", "-z", "conv,udp"]


def _tshark_dns(program: str, capture: Path, _folder: Path, _: int) -> Command:
    fields = [word for name in DNS_FIELDS for word in ("-e", name)]
    return [program, "-n", "-r", capture, "-Y", "dns", "-T", "fields", *fields]


def _nfstream(program: str, capture: Path, folder: Path, _: int) -> Command:
    return [program, Path(__file__).with_name("with_nfstream.py"), capture, folder / "flows.csv"]


def _tailrace_without_dns(program: str, capture: Path, folder: Path, _: int) -> Command:
    return [program, "-m", "benchmarks.subject", capture, folder, "--no-dns"]


PEERS = (
    Peer("tailrace --no-dns", sys.executable, "flows (Parquet)", _tailrace_without_dns, OWN_VERSION, only=DNS.name),
    Peer("softflowd", "softflowd", "flows (NetFlow v9, datagrams)", _softflowd, ("-h",)),
    Peer("softflowd -m", "softflowd", "flows (NetFlow v9, datagrams)", _softflowd_large, ("-h",)),
    Peer("nfpcapd", "nfpcapd", "flows (nfdump file)", _nfpcapd, ("-V",)),
    Peer("argus", "argus", "flows (argus file)", _argus, ("-h",)),
    Peer("tshark", "tshark", "flows (table of text)", _tshark, ("--version",), slow=True),
    Peer("tshark, DNS", "tshark", "DNS messages (text)", _tshark_dns, ("--version",), slow=True, only=DNS.name),
    Peer("nfstream", "python", "flows (CSV)", _nfstream, ("-c", NFSTREAM_VERSION), slow=True),
)


def find(peer: Peer, cache: Path, install: bool) -> str | None:
    """The program, or None where it is not installed; nfstream has a virtual environment of its own in ``cache``."""
    if peer.name != "nfstream":
        return shutil.which(peer.program)
    python = cache / "nfstream" / "bin" / "python"
    if not python.exists() and install:
        print("installing nfstream into a virtual environment of its own", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", python.parents[1]], check=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "nfstream"]
        if subprocess.run(pip, check=False).returncode:
            shutil.rmtree(python.parents[1])
    return str(python) if python.exists() else None


def version(peer: Peer, program: str) -> str:
    said = subprocess.run([program, *peer.version], capture_output=True, text=True, timeout=60, check=False)
    found = re.search(r"\d+\.\d+(\.\d+)*", said.stdout + said.stderr)
    return found.group() if found else "of unknown version"


@contextmanager
def sink() -> Iterator[int]:
    """A port that takes datagrams, so that an exporter is not told that nobody listens."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as taker:
        taker.bind(("127.0.0.1", 0))
        yield taker.getsockname()[1]
