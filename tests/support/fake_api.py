"""A Kubernetes API server as far as list and watch go, written from the API's documentation ("API concepts"), over HTTP.

It knows nothing of our watcher. What real servers and the way to them do wrong can be ordered: failures, expired history,
cuts in the middle of a line, silence.
"""

import json
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import takewhile
from pathlib import Path
from typing import Any

from tests.support.fake_api_http import POLL_S, Server

Object = dict[str, Any]
Key = tuple[str, str]

# Where each kind stands in the API.
PATHS = {
    "Pod": ("v1", "/api/v1/pods"),
    "Service": ("v1", "/api/v1/services"),
    "Node": ("v1", "/api/v1/nodes"),
    "Namespace": ("v1", "/api/v1/namespaces"),
    "ServiceAccount": ("v1", "/api/v1/serviceaccounts"),
    "EndpointSlice": ("discovery.k8s.io/v1", "/apis/discovery.k8s.io/v1/endpointslices"),
    "ReplicaSet": ("apps/v1", "/apis/apps/v1/replicasets"),
    "Deployment": ("apps/v1", "/apis/apps/v1/deployments"),
    "StatefulSet": ("apps/v1", "/apis/apps/v1/statefulsets"),
    "DaemonSet": ("apps/v1", "/apis/apps/v1/daemonsets"),
    "Job": ("batch/v1", "/apis/batch/v1/jobs"),
    "CronJob": ("batch/v1", "/apis/batch/v1/cronjobs"),
    "NetworkPolicy": ("networking.k8s.io/v1", "/apis/networking.k8s.io/v1/networkpolicies"),
    "ServiceCIDR": ("networking.k8s.io/v1", "/apis/networking.k8s.io/v1/servicecidrs"),
    "IPPool": ("crd.projectcalico.org/v1", "/apis/crd.projectcalico.org/v1/ippools"),
}
# How long a test waits for a watch to begin or to end.
PATIENCE_S = 5.0


@dataclass
class Failure:
    status: int
    times: int
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Watch:
    """What is to be done to one open watch, besides sending it events."""

    raw: deque[bytes] = field(default_factory=deque)
    is_cut: bool = False
    is_muted: bool = False


class FakeApi:
    """Objects are told apart by kind, namespace and name; every change has the next resourceVersion."""

    def __init__(
        self, token: str | None = None, bookmark_s: float = 0.1, history: int = 10_000, host: str = "127.0.0.1"
    ) -> None:
        self.token = token
        self.bookmark_s = bookmark_s
        self.slow: dict[str, float] = {}
        self.lose_pages = 0
        self.expires_by_event = False
        self.kinds = set(PATHS)
        self.forbidden: set[str] = set()
        self.requests: deque[tuple[str, dict[str, str]]] = deque(maxlen=10_000)
        self.version = 100
        self.changed = threading.Condition()
        self._history = history
        self._objects: dict[str, dict[Key, Object]] = {kind: {} for kind in PATHS}
        self._log: dict[str, deque[tuple[int, str, Object]]] = {kind: deque() for kind in PATHS}
        self._oldest: Counter[str] = Counter()
        self._pages: dict[str, tuple[int, list[Object]]] = {}
        self._failures: dict[str, Failure] = {}
        self._is_away = False
        self._watches: dict[str, list[Watch]] = {kind: [] for kind in PATHS}
        self._server = Server(self, host)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(POLL_S,), daemon=True)
        self._closing = threading.Event()

    def __enter__(self) -> "FakeApi":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def is_closing(self) -> bool:
        return self._closing.is_set()

    @property
    def url(self) -> str:
        return f"http://{self._server.server_address[0]!s}:{self._server.server_port}"

    def kubeconfig(self, folder: Path, **user: Any) -> Path:
        return kubeconfig(self.url, folder, **user)

    def size(self) -> int:
        """How many objects there are."""
        return sum(map(len, self._objects.values()))

    # What a test changes.

    def create(self, *objects: Object) -> None:
        """Also where the object is there already: then it is modified."""
        for one in objects:
            kind = one["kind"]
            with self.changed:
                event = "MODIFIED" if _key(one) in self._objects[kind] else "ADDED"
                stored = self._stored(one)
                self._objects[kind][_key(one)] = stored
                self._happened(kind, event, stored)

    modify = create

    def delete(self, kind: str, name: str, namespace: str = "shop", unseen: bool = False) -> None:
        """``unseen``: no watch is told of it, as if its event had been lost with the history."""
        with self.changed:
            last = deepcopy(self._objects[kind].pop((namespace, name)))
            self.version += 1
            last["metadata"]["resourceVersion"] = str(self.version)
            if unseen:
                self._oldest[kind] = self.version
            else:
                self._happened(kind, "DELETED", last)

    def expire(self, *kinds: str) -> None:
        """The history up to now is compacted: who watches from before has to list again."""
        with self.changed:
            for kind in kinds or PATHS:
                self.version += 1
                self._oldest[kind] = self.version
                self._log[kind].clear()
            self._pages.clear()

    def fail(self, kind: str, status: int, times: int = 1, **headers: str) -> None:
        self._failures[kind] = Failure(status, times, headers)

    def cut(self, kind: str, raw: bytes = b"") -> None:
        """End its watches with ``raw`` as the last that comes, and without the end of the transfer."""
        with self.changed:
            self.changed.wait_for(lambda: self._watches[kind], timeout=PATIENCE_S)
            for watch in self._watches[kind]:
                watch.raw.append(raw)
                watch.is_cut = True
            self.changed.notify_all()
            self.changed.wait_for(lambda: not self._watches[kind], timeout=PATIENCE_S)

    @contextmanager
    def away(self) -> Iterator[None]:
        """Whatever is asked is refused, and every watch is cut."""
        self._is_away = True
        for kind in PATHS:
            if self._watches[kind]:
                self.cut(kind)
        try:
            yield
        finally:
            self._is_away = False

    def send(self, kind: str, raw: bytes) -> None:
        with self.changed:
            self.changed.wait_for(lambda: self._watches[kind], timeout=PATIENCE_S)
            for watch in self._watches[kind]:
                watch.raw.append(raw)
            self.changed.notify_all()

    def mute(self, kind: str) -> None:
        """Its open watches send nothing more, and stay open."""
        with self.changed:
            self.changed.wait_for(lambda: self._watches[kind], timeout=PATIENCE_S)
            for watch in self._watches[kind]:
                watch.is_muted = True

    def asked(self, kind: str, **parameters: str) -> int:
        """How many requests had these parameters."""
        return sum(path == PATHS[kind][1] and parameters.items() <= told.items() for path, told in self.requests)

    # What the handler asks for.

    def asked_for(self, path: str, told: dict[str, str]) -> str | None:
        """The kind, as far as there is one."""
        self.requests.append((path, told))
        return next((kind for kind in sorted(self.kinds) if PATHS[kind][1] == path), None)

    def refusal(self, kind: str | None, authorization: str | None) -> tuple[int, str, dict[str, str]] | None:
        if self.token is not None and authorization != f"Bearer {self.token}":
            return 401, "Unauthorized", {}
        if self._is_away:
            return 503, "ServiceUnavailable", {}
        if kind is None:
            return 404, "NotFound", {}
        self._closing.wait(self.slow.get(kind, 0.0))
        if kind in self.forbidden:
            return 403, "Forbidden", {}
        failure = self._failures.get(kind)
        if failure is None or failure.times == 0:
            return None
        failure.times -= 1
        return failure.status, "Failed", failure.headers

    def page(self, kind: str, limit: int, token: str) -> Object | None:
        """None for a token that has expired."""
        with self.changed:
            if token and self.lose_pages:
                self.lose_pages -= 1
                self._pages.clear()
            if token and token not in self._pages:
                return None
            version, items = self._pages.pop(token) if token else (self.version, list(self._objects[kind].values()))
            metadata = {"resourceVersion": str(version)}
            if limit and len(items) > limit:
                metadata["continue"] = f"{kind}-{version}-{len(items) - limit}"
                metadata["remainingItemCount"] = str(len(items) - limit)
                self._pages[metadata["continue"]] = version, items[limit:]
                items = items[:limit]
            # Entries of a list do not say their kind.
            bare = [{key: one[key] for key in one if key not in ("kind", "apiVersion")} for one in items]
            return {"kind": f"{kind}List", "apiVersion": PATHS[kind][0], "metadata": metadata, "items": bare}

    def is_expired(self, kind: str, version: int) -> bool:
        return version < self._oldest[kind]

    def news(self, kind: str, since: int, watch: Watch) -> tuple[list[tuple[int, str, Object]], int]:
        """Events after a version, awaited for a moment, and the version up to which they are all."""
        with self.changed:
            if not watch.raw and (not self._log[kind] or self._log[kind][-1][0] <= since):
                self.changed.wait(POLL_S)
            newest = list(takewhile(lambda event: event[0] > since, reversed(self._log[kind])))
            return newest[::-1], self.version

    def present(self, kind: str) -> list[Object]:
        return list(self._objects[kind].values())

    @contextmanager
    def opened(self, kind: str) -> Iterator[Watch]:
        watch = Watch()
        self._note(self._watches[kind].append, watch)
        try:
            yield watch
        finally:
            self._note(self._watches[kind].remove, watch)

    def _note(self, change: Callable[[Watch], None], watch: Watch) -> None:
        with self.changed:
            change(watch)
            self.changed.notify_all()

    def _stored(self, one: Object) -> Object:
        self.version += 1
        metadata = {
            "uid": f"uid-{one['kind']}-{one['metadata']['name']}",
            "creationTimestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            **deepcopy(one["metadata"]),
            "resourceVersion": str(self.version),
        }
        return {"apiVersion": PATHS[one["kind"]][0], **deepcopy(one), "metadata": metadata}

    def _happened(self, kind: str, event: str, one: Object) -> None:
        log = self._log[kind]
        log.append((self.version, event, one))
        if len(log) > self._history:
            self._oldest[kind] = log.popleft()[0]
        self.changed.notify_all()


def _key(one: Object) -> Key:
    metadata = one["metadata"]
    return metadata.get("namespace") or "", metadata["name"]


def kubeconfig(url: str, folder: Path, **user: Any) -> Path:
    config = {
        "current-context": "test",
        "clusters": [{"name": "test", "cluster": {"server": url}}],
        "users": [{"name": "test", "user": user}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
    }
    path = folder / "kubeconfig"
    path.write_text(json.dumps(config))
    return path
