"""What a process may still do after it gave up its privileges; each in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.namespaces import required

pytestmark = pytest.mark.service
ROOT = Path(__file__).parents[3]

GIVE_UP = """
import os, socket, time
from collector.privileges import capabilities, drop_privileges
from collector.sources.opening import open_packets

{before}
opened = open_packets()
assert capabilities() > 0
drop_privileges({user!r})

from collector.sources.filter import Connection, Lengths
from collector.sources.interfaces import LiveInterfaces, Wanted
from collector.sources.ring import Ring, Size

with Ring(opened, LiveInterfaces(Wanted(["lo"]), time.monotonic_ns, 1), Lengths((53,)), Size(1 << 16, 4)) as ring:
    ring.leave_out([Connection("127.0.0.1", 1, "127.0.0.1", 2)])
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"seen", ("127.0.0.1", 9))
    assert ring.wait(5)
    assert sum(block.count for block in ring.blocks()) > 0
try:
    socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
except PermissionError:
    print("no socket", *os.getresuid(), *os.getresgid(), os.getgroups())
status = open("/proc/self/status").read()
print(*(line for line in status.splitlines() if line.startswith(("Cap", "NoNewPrivs"))), sep="\\n")
"""


# Whom the test becomes need not be able to read where Python is installed; another user's threads have no capabilities.
IMPORTED_BEFORE = "from collector.warming import warm; import collector.sources.ring; warm()"


def run(user: str | None) -> str:
    required()
    program = GIVE_UP.format(user=user, before=IMPORTED_BEFORE if user else "")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(("user", "number"), [(None, 0), ("nobody", 65534)])
def test_no_capability_is_kept(user: str | None, number: int) -> None:
    said = run(user)
    assert f"no socket {number} {number} {number} {number} {number} {number}" in said
    for kind in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        assert f"{kind}:\t{0:016x}" in said
    assert "NoNewPrivs:\t1" in said


@pytest.mark.parametrize(
    ("before", "user", "said"),
    [("", "nobody-of-that-name", "no user 'nobody-of-that-name'"), ("os.setresuid(1, 1, 1)", "nobody", "only root")],
)
def test_a_user_that_nobody_can_become(before: str, user: str, said: str) -> None:
    required()
    program = f"import os\nfrom collector.privileges import drop_privileges\n{before}\ndrop_privileges({user!r})"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=ROOT)
    assert said in done.stderr


def test_without_the_capability_it_is_said_what_is_missing() -> None:
    required()
    program = "import os\nfrom collector.sources.opening import open_packets\nos.setresuid(1, 1, 1)\nopen_packets()"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=ROOT)
    assert "MachineError: packets cannot be captured: CAP_NET_RAW is missing; run as root" in done.stderr


def test_a_thread_that_keeps_what_it_had_is_an_error() -> None:
    required()
    program = "import threading\nfrom collector.privileges import drop_privileges\n"
    program += "threading.Thread(target=threading.Event().wait, args=(3,)).start()\ndrop_privileges()"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=ROOT)
    assert "could not be given up: some thread still has them" in done.stderr


READ = """
import collector.privileges as p

p.IMPORTED_LATER = ("closed_to_others",)
folders = p.imported_from()
p.drop_privileges("nobody")
for folder in folders:
    p.must_read(folder, "nobody")
"""


def test_a_user_who_cannot_read_the_packages_is_told_which(tmp_path: Path) -> None:
    required()
    package = tmp_path / "closed_to_others"
    package.mkdir(mode=0o700)
    (package / "__init__.py").touch()
    environment = os.environ | {"PYTHONPATH": f"{ROOT}:{tmp_path}"}
    done = subprocess.run([sys.executable, "-c", READ], capture_output=True, text=True, check=False, env=environment)
    assert f"MachineError: user 'nobody' cannot read {package}, where Tailrace runs from" in done.stderr
