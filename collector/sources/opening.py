"""Opening a socket for packets: all that live capture takes privileges for.

It is done before numpy and pyarrow are imported: these start threads, which would keep the privileges that this one gives up.
"""

import ctypes
import socket
import struct

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


def attach(opened: socket.socket, code: bytes) -> None:
    """The kernel puts one filter in the place of the other at once."""
    memory = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("HxxxxxxP", len(code) // len(NOTHING), ctypes.addressof(memory))
    opened.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)
