"""Kafka's connections, told before their first packet leaves, so that capture can pass them over.

kafka-python makes its sockets by a class that the scheme of ``proxy_url`` names; ours connects as without a proxy.
"""

import itertools
import socket
from collections import deque
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any

from kafka.net.inet import KafkaNetSocket

from collector.sources.filter import MAX_OWN, Connection

Tell = Callable[[Sequence[Connection]], None]

SCHEME = "told"
_NUMBERS = itertools.count()
_LISTS: dict[str, "Own"] = {}


class Own:
    """The latest connections of one producer; ``tell`` is called with all of them before there is one more."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._lock = Lock()
        self._latest: deque[Connection] = deque(maxlen=MAX_OWN)
        self.url = f"{SCHEME}://{next(_NUMBERS)}"

    def __enter__(self) -> "Own":
        _LISTS[self.url] = self
        return self

    def __exit__(self, *_: object) -> None:
        del _LISTS[self.url]

    def add(self, one: Connection) -> None:
        with self._lock:
            self._latest.append(one)
            self._tell(tuple(self._latest))

    def forget(self, one: Connection) -> None:
        """It did not come about; capture is told with the next."""
        with self._lock:
            if one in self._latest:
                self._latest.remove(one)


class ToldSocket(KafkaNetSocket):  # type: ignore[misc]  # kafka-python has no types
    SCHEMES = (SCHEME,)

    def __init__(self, proxy_url: str) -> None:
        self._own = _LISTS[proxy_url]
        self._told: tuple[socket.socket, Connection] | None = None

    async def sock_connect(self, net: Any, sock: socket.socket, *told: Any, **more: Any) -> Any:
        """kafka-python leaves a socket that did not connect to the garbage collector."""
        try:
            return await super().sock_connect(net, sock, *told, **more)
        except BaseException:
            if self._told and self._told[0] is sock:
                self._own.forget(self._told[1])
            sock.close()
            raise

    def connect_ex(self, sock: socket.socket, address: Any) -> int:
        """Called again until it is connected."""
        if not self._told or self._told[0] is not sock:
            sock.bind(_source(sock.family, address))
            own = Connection(*sock.getsockname()[:2], *address[:2])
            self._told = (sock, own)
            self._own.add(own)
        return sock.connect_ex(address)


def _source(family: int, address: Any) -> Any:
    """From which of our addresses there is a way there: a socket for datagrams finds out, and sends nothing."""
    with socket.socket(family, socket.SOCK_DGRAM) as asking:
        asking.connect(address)
        host, _, *rest = asking.getsockname()
    return (host, 0, *rest)
