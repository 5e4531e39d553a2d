"""Raw JSON from a Kubernetes API server; lightkube knows configuration and authentication, and no model objects are made.

Each thread has a connection of its own, so that ``close`` from another one can end whatever it waits for.
"""

import json
import socket
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
from lightkube.config.client_adapter import ConnectionParams
from lightkube.config.kubeconfig import KubeConfig, SingleConfig
from lightkube.config.models import User
from lightkube.core.exceptions import ConfigError

from contract.errors import InputError
from enricher.watch.errors import ApiError, ExpiredError
from enricher.watch.lines import lines

# A page of objects that is longer is refused; PAGE_OBJECTS of the usual 5 kB are 2.5 MB.
MOST_PAGE_BYTES = 256 << 20
PAGE_OBJECTS = 500
# The server ends a watch itself after WATCH_S. Bookmarks come about once a minute, so that one which is silent for longer is
# taken for half open; asking again where it stopped loses nothing.
WATCH_S = 300
SILENCE_S = 90.0
CONNECT_S = 5.0
# As much of an error's text as is told.
MOST_TEXT = 200
# The longest that Retry-After is obeyed for.
MOST_WAIT_S = 60.0

# The same answer as of v1beta1, which is the latest that lightkube knows by name.
EXEC_V1 = "client.authentication.k8s.io/v1"

ADVICE = "give a kubeconfig with a current context, or run in a pod with a service account"
Parameters = Mapping[str, str | int]


def read_config(path: str | Path | None = None) -> SingleConfig:
    """Of a kubeconfig; without one of the pod's service account, else where kubectl looks."""
    where = str(path or "Kubernetes configuration")
    try:
        found = KubeConfig.from_file(path) if path else KubeConfig.from_env()
        config = found.get()
    except (ConfigError, OSError) as error:
        raise InputError(where, _brief(error), ADVICE) from error
    except Exception as error:  # lightkube lets through what PyYAML and msgspec raise, and KeyError
        raise InputError(where, f"is no kubeconfig: {_brief(error)}", ADVICE) from error
    if config is None:
        raise InputError(where, "has no current context", ADVICE)
    return config._replace(user=_user(config.user))


def config_of(url: str) -> SingleConfig:
    """A server that asks nobody for a login."""
    config = KubeConfig.from_server(url).get()
    assert config is not None
    return config._replace(user=User())


def _user(user: User | None) -> User:
    if user is None:
        return User()
    if user.exec and user.exec.apiVersion == EXEC_V1:
        user.exec.apiVersion = f"{EXEC_V1}beta1"
    return user


def pool(config: SingleConfig, count: int) -> list["Connection"]:
    """They share certificates and tokens."""
    timeout = httpx2.Timeout(SILENCE_S, connect=CONNECT_S)
    with _translated():
        parameters = ConnectionParams(timeout=timeout).httpx_params(config)
        return [Connection(parameters) for _ in range(count)]


class Connection:
    """To one server, for one thread; nothing is opened before the first request."""

    def __init__(self, parameters: dict[str, Any]) -> None:
        self._client = httpx2.Client(**parameters)
        self._socket: socket.socket | None = None
        self._is_closed = False

    def page(self, path: str, parameters: Parameters) -> dict[str, Any]:
        with _translated(), self._asked(path, parameters) as response:
            body = bytearray()
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > MOST_PAGE_BYTES:
                    raise ApiError("too_long", f"{path}: a page of more than {MOST_PAGE_BYTES:,} bytes")
            page = json.loads(body)
        if not isinstance(page, dict):
            raise ApiError("not_json", f"{path}: is not an object")
        return page

    def lines(self, path: str, parameters: Parameters, opened: Callable[[], None]) -> Iterator[bytes | None]:
        """None stands for a line that was too long to be kept; ``opened`` is called before the first may come."""
        with _translated(), self._asked(path, parameters) as response:
            opened()
            yield from lines(response.iter_bytes())

    def close(self) -> None:
        """Shutting the socket down ends a read of another thread, which closing would not."""
        self._is_closed = True
        self._shut()

    def free(self) -> None:
        """After the last request."""
        self._client.close()

    @contextmanager
    def _asked(self, path: str, parameters: Parameters) -> Iterator[httpx2.Response]:
        trace = {"trace": self._opened}
        with self._client.stream("GET", path, params=dict(parameters), extensions=trace) as response:
            if not response.is_success:
                raise _refused(path, response)
            yield response

    def _opened(self, event: str, info: Mapping[str, Any]) -> None:
        if event.endswith(("connect_tcp.complete", "start_tls.complete")):
            self._socket = info["return_value"].get_extra_info("socket")
            if self._is_closed:
                self._shut()

    def _shut(self) -> None:
        if self._socket is not None:
            try:
                # Not of ssl.SSLSocket, which would take its state away under the reader.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
            except OSError:
                self._socket = None


def _refused(path: str, response: httpx2.Response) -> ApiError:
    code = response.status_code
    if code == httpx2.codes.GONE:
        return ExpiredError(f"{path}: {code}")
    wait = response.headers.get("Retry-After", "")
    wait_s = min(float(wait), MOST_WAIT_S) if wait.isascii() and wait.isdigit() else 0.0
    return ApiError(f"http_{code}", f"{path}: answered {code}", code, wait_s)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except httpx2.TimeoutException as error:
        raise ApiError("timeout", f"silent for too long ({type(error).__name__})") from error
    except (httpx2.HTTPError, httpx2.StreamError, httpx2.InvalidURL) as error:
        raise ApiError("connection", _brief(error)) from error
    except (ConfigError, OSError, subprocess.SubprocessError) as error:
        raise ApiError("configuration", _brief(error)) from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ApiError("not_json", _brief(error)) from error


def _brief(error: Exception) -> str:
    return repr(" ".join(str(error).split()) or type(error).__name__)[1:-1][:MOST_TEXT]
