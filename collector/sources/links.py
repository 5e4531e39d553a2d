"""What the kernel says when an interface comes, goes or is renamed (rtnetlink(7))."""

import errno
import socket
import struct
from collections.abc import Iterator

from contract.errors import MachineError

RTMGRP_LINK = 1
RTM_NEWLINK, RTM_DELLINK = 16, 17
IFLA_IFNAME = 3
MOST = 1 << 16  # octets that are read at a time: a message is a page or two
MOST_AT_ONCE = 1 << 12  # messages between two listings
MESSAGE, LINK, ATTRIBUTE = struct.Struct("=IHHII"), struct.Struct("=BxHiII"), struct.Struct("=HH")


class LinkMessages:
    """Wakes up whoever has to list the interfaces again, and says the names of those that are gone by then."""

    def __init__(self) -> None:
        try:
            self._socket = socket.socket(
                socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.NETLINK_ROUTE
            )
            self._socket.bind((0, RTMGRP_LINK))
        except OSError as error:
            raise MachineError(
                f"interfaces cannot be watched ({error.strerror}); allow sockets of AF_NETLINK for tailrace"
            ) from error

    def fileno(self) -> int:
        return self._socket.fileno()

    def close(self) -> None:
        self._socket.close()

    def heard(self) -> dict[int, str] | None:
        """The last name of each index that was spoken of; None: nothing was said. Where messages were lost names are missing."""
        names: dict[int, str] | None = None
        for _ in range(MOST_AT_ONCE):
            try:
                said = self._socket.recv(MOST)
            except BlockingIOError:
                break
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                said = b""
            names = (names or {}) | dict(names_in(said))
        return names


def names_in(said: bytes) -> Iterator[tuple[int, str]]:
    """(index, name) of the interfaces in some messages."""
    at = 0
    while at + MESSAGE.size + LINK.size <= len(said):
        size, kind, *_ = MESSAGE.unpack_from(said, at)
        if size < MESSAGE.size + LINK.size:
            return
        if kind in (RTM_NEWLINK, RTM_DELLINK):
            _, _, index, *_ = LINK.unpack_from(said, at + MESSAGE.size)
            name = name_in(said[at + MESSAGE.size + LINK.size : at + size])
            if name:
                yield index, name
        at += aligned(size)


def name_in(attributes: bytes) -> str:
    """Empty: there is none."""
    at = 0
    while at + ATTRIBUTE.size <= len(attributes):
        size, kind = ATTRIBUTE.unpack_from(attributes, at)
        if size < ATTRIBUTE.size:
            break
        if kind == IFLA_IFNAME:
            return attributes[at + ATTRIBUTE.size : at + size].rstrip(b"\0").decode("utf-8", "replace")
        at += aligned(size)
    return ""


def aligned(size: int) -> int:
    return size + 3 & ~3
