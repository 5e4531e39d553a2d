"""A system with little room for filters: the best that fits is attached, and nothing is raised."""

import errno
import struct
from typing import Any

import pytest

from collector.sources.opening import NOTHING, attach_first
from contract.errors import MachineError

SMALL = NOTHING


class Socket:
    """Charges a socket for the old filter and the new one at once, as Linux does."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.attached = 0

    def setsockopt(self, level: int, name: int, program: bytes) -> None:
        (instructions,) = struct.unpack_from("H", program)
        if self.attached + instructions > self.room:
            raise OSError(errno.ENOMEM, "Cannot allocate memory")
        self.attached = instructions


def program(instructions: int) -> bytes:
    return SMALL * instructions


@pytest.mark.parametrize(
    ("room", "before", "attached"),
    [(100, 40, 50), (89, 40, 50), (51, 40, 50), (50, 40, 30), (40, 39, 30), (31, 30, 30), (21, 10, 20)],
)
def test_the_first_that_fits_also_where_the_old_one_has_to_go(room: int, before: int, attached: int) -> None:
    socket: Any = Socket(room)
    socket.attached = before
    attach_first(socket, map(program, (50, 30, 20)), SMALL)
    assert socket.attached == attached


def test_no_room_at_all_is_told_with_the_setting() -> None:
    with pytest.raises(MachineError, match="net.core.optmem_max"):
        attach_first(Socket(15), map(program, (50, 30)), SMALL)  # type: ignore[arg-type]


def test_another_error_is_an_error() -> None:
    class Refusing(Socket):
        def setsockopt(self, level: int, name: int, program: bytes) -> None:
            raise OSError(errno.EINVAL, "Invalid argument")

    with pytest.raises(OSError, match="Invalid"):
        attach_first(Refusing(15), map(program, (50,)), SMALL)  # type: ignore[arg-type]
