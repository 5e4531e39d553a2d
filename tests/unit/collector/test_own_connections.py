"""Which connections of our own capture is told of."""

from collections.abc import Sequence

from collector.sources.filter import MAX_OWN, Connection
from collector.transport.sockets import Own


def connection(port: int) -> Connection:
    return Connection("192.0.2.1", port, "192.0.2.2", 9092)


def test_the_latest_that_came_about() -> None:
    told: list[Sequence[Connection]] = []
    own = Own(told.append)
    own.add(connection(1))
    for port in range(2, 2 * MAX_OWN):  # a broker that is away
        own.add(connection(port))
        own.forget(connection(port))
    own.add(connection(2 * MAX_OWN))
    assert told[-1] == (connection(1), connection(2 * MAX_OWN))
    for port in range(100, 100 + MAX_OWN):
        own.add(connection(port))
    assert told[-1] == tuple(connection(port) for port in range(100, 100 + MAX_OWN))
