"""Opening what the kernel says of the connections that it tracks; nothing is imported that starts threads (``opening.py``)."""

import errno
import socket
import struct

from contract.errors import MachineError

NETLINK_NETFILTER, SOL_NETLINK, ADD_MEMBERSHIP, SO_RCVBUFFORCE = 12, 270, 1, 33
NEW_CONNECTIONS = 1  # NFNLGRP_CONNTRACK_NEW
GET, REQUEST_DUMP = 1 << 8 | 1, 0x301
WAITING_OCTETS = 1 << 24  # of messages that nobody has read yet; what comes beyond them is lost, and counted


def open_conntrack() -> socket.socket:
    """Told of every new connection of this network namespace, and first of those that there are."""
    try:
        opened = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER)
        try:
            _follow(opened)
        except OSError:
            opened.close()
            raise
    except OSError as error:
        raise MachineError(_why(error)) from error
    return opened


def _follow(opened: socket.socket) -> None:
    opened.bind((0, 0))
    opened.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, WAITING_OCTETS)
    opened.setsockopt(SOL_NETLINK, ADD_MEMBERSHIP, NEW_CONNECTIONS)
    opened.send(struct.pack("=IHHIIBBH", 20, GET, REQUEST_DUMP, 1, 0, socket.AF_UNSPEC, 0, 0))


def _why(error: OSError) -> str:
    if error.errno in (errno.EPERM, errno.EACCES):
        return "translated connections are told by comparing records: CAP_NET_ADMIN is missing, which conntrack takes"
    return f"translated connections are told by comparing records: this system has no conntrack ({error.strerror})"
