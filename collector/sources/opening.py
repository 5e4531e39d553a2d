"""Opening a socket for packets: all that live capture takes privileges for.

It is done before numpy and pyarrow are imported: these start threads, which would keep the privileges that this one gives up.
"""

import ctypes
import errno
import socket
import struct
from collections.abc import Iterable

from contract.errors import MachineError

ETH_P_ALL = 3
SO_ATTACH_FILTER = 26
NOTHING = struct.pack("HBBI", 0x06, 0, 0, 0)  # a filter that takes no packet
NOT_PERMITTED = (
    "packets cannot be captured: CAP_NET_RAW is missing; run as root, or with AmbientCapabilities=CAP_NET_RAW of systemd, or with"
    " capabilities: {add: [NET_RAW]} in the container's securityContext, or once: setcap cap_net_raw+ep on the Python binary"
)


def open_packets() -> socket.socket:
    """A socket for the packets of all interfaces of this network namespace, which takes none yet."""
    try:
        opened = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    except PermissionError as error:
        raise MachineError(NOT_PERMITTED) from error
    except OSError as error:
        raise MachineError(
            f"packets cannot be captured: this system has no AF_PACKET sockets ({error.strerror})"
        ) from error
    attach(opened, NOTHING)
    return opened


def attach_first(opened: socket.socket, programs: Iterable[bytes], meanwhile: bytes) -> None:
    """The first for which the system has room: by default Linux before 6.8 has 20 KiB a socket, for the old filter and the new."""
    for program in programs:
        for _ in range(2):
            try:
                return attach(opened, program)
            except OSError as error:
                if error.errno != errno.ENOMEM:
                    raise
            attach(opened, meanwhile)
    raise MachineError("packets cannot be filtered: no room for the filter; raise net.core.optmem_max")


def attach(opened: socket.socket, code: bytes) -> None:
    """The kernel puts one filter in the place of the other at once."""
    memory = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("HxxxxxxP", len(code) // len(NOTHING), ctypes.addressof(memory))
    opened.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)
