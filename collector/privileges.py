"""Giving up what only the opening of sockets takes.

capabilities(7), prctl(2). Capabilities are a thread's: they are given up before there is a second one, and so before numpy and
pyarrow are imported.
"""

import ctypes
import os
import pwd
import struct
from pathlib import Path

from contract.errors import MachineError, UsageError

PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL = 38, 47, 4
CAPABILITY_VERSION_3 = 0x20080522
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
