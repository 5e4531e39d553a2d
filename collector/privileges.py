"""Giving up what only the opening of sockets takes.

capabilities(7), prctl(2). Capabilities are a thread's: they are given up before there is a second one, and so before numpy and
pyarrow are imported.
"""

import ctypes
import os
import pwd
import struct
from importlib.util import find_spec
from pathlib import Path

from contract.errors import MachineError, UsageError

PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL = 38, 47, 4
CAPABILITY_VERSION_3 = 0x20080522
IMPORTED_LATER = ("pickle", "numpy", "pyarrow", "collector")  # of the standard library, others' packages and ours
LIBC = ctypes.CDLL(None, use_errno=True)


def drop_privileges(user: str | None = None) -> None:
    """Keep no capability, get none by running a program, and be ``user`` where that is given."""
    if user is not None:
        _become(user)
    _call(LIBC.prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    _call(LIBC.prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    _call(LIBC.capset, struct.pack("Ii", CAPABILITY_VERSION_3, 0), bytes(24))
    kept = capabilities()
    if kept:
        raise MachineError(f"capabilities {kept:#x} could not be given up: some thread still has them")


def imported_from() -> list[Path]:
    """Folders of Python and of packages, found while all of them can be read."""
    found = [find_spec(name) for name in IMPORTED_LATER]
    return [Path(one.origin).parent for one in found if one and one.origin]


def must_read(folder: Path, user: str | None) -> None:
    """Else the next import fails, wherever it stands."""
    path = [*reversed(folder.resolve().parents), folder.resolve()]
    closed = next((part for part in path if not os.access(part, os.X_OK)), folder)
    if not os.access(folder, os.R_OK | os.X_OK):
        who = "root without its capabilities" if user is None else f"user {user!r}"
        what = f"{who} cannot read {folder}, where Tailrace runs from: {closed} is closed to it"
        raise MachineError(f"{what}; install where all can read, such as below /opt")


def capabilities() -> int:
    """What any thread of this process may still do, or might again: a bit for each."""
    kept = 0
    for status in Path("/proc/self/task").glob("*/status"):
        fields = dict(line.split(":", 1) for line in status.read_text().splitlines())
        kept |= int(fields["CapPrm"], 16) | int(fields["CapEff"], 16) | int(fields["CapInh"], 16)
    return kept


def _become(user: str) -> None:
    try:
        found = pwd.getpwnam(user)
    except KeyError as error:
        raise UsageError(f"no user {user!r} on this machine") from error
    try:
        os.setgroups([])
        os.setresgid(found.pw_gid, found.pw_gid, found.pw_gid)
        os.setresuid(found.pw_uid, found.pw_uid, found.pw_uid)
    except PermissionError as error:
        raise MachineError(f"only root can become {user!r}: start as root, or leave the user out") from error


def _call(function: "ctypes._NamedFuncPointer", *arguments: int | bytes) -> None:
    if function(*arguments):
        raise MachineError(f"privileges cannot be given up ({os.strerror(ctypes.get_errno())})")
