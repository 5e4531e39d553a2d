"""One kind of object, listed and then watched for as long as it runs."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from threading import Event
from typing import Any

from enricher.watch.api import PAGE_OBJECTS, WATCH_S, Connection
from enricher.watch.cluster import Cluster, uid_of
from enricher.watch.errors import ApiError, ExpiredError
from enricher.watch.pauses import Pauses
from enricher.watch.resources import Resource

# A watch that lasted longer was none that failed, even if nothing happened.
QUIET = timedelta(seconds=60)

Clock = Callable[[], datetime]
Tell = Callable[[str], None]
Page = dict[str, Any]


class Follower:
    """``heard_time`` is of the last list, event or bookmark, ``open_since`` of the watch under way.

    ``errors`` counts by reason, each of which is told once.
    """

    def __init__(self, resource: Resource, connection: Connection, cluster: Cluster, clock: Clock, tell: Tell) -> None:
        self.resource = resource
        self.is_synced = False
        self.heard_time: datetime | None = None
        self.open_since: datetime | None = None
        self.lists = 0
        self.events = 0
        self.malformed = 0
        self.errors: Counter[str] = Counter()
        self.fault: str | None = None
        self._connection = connection
        self._cluster = cluster
        self._clock = clock
        self._tell = tell
        self._pauses = Pauses()
        self._version: str | None = None

    def run(self, stopping: Event) -> None:
        while not stopping.is_set():
            begun, least_s = self._clock(), 0.0
            try:
                self._once()
            except ApiError as error:
                if stopping.is_set():
                    return
                least_s = error.wait_s
                self._note(error)
            except Exception as error:  # nobody else would watch this kind again
                self._note(ApiError("fault", f"a fault of Tailrace: {error!r:.200}"))
                self._version = None
            finally:
                self.open_since = None
            if self._clock() - begun > QUIET:
                self._pauses.reset()
            stopping.wait(self._pauses.next(least_s))

    def _note(self, error: ApiError) -> None:
        self.errors[error.reason] += 1
        self.fault = str(error)
        if self.errors[error.reason] == 1:
            self._tell(f"{self.resource.kind}: {error}")
        if isinstance(error, ExpiredError):
            self._version = None

    def _once(self) -> None:
        if self._version is None:
            self._version = put_list(
                self._connection, self.resource, self.resource.paths[0], self._cluster, self._clock
            )
            self.heard_time = self._clock()
            self.lists += 1
            self.is_synced = True
        self._watch(self._version)

    def _watch(self, version: str | None) -> None:
        parameters: dict[str, str | int] = {"watch": "true", "allowWatchBookmarks": "true", "timeoutSeconds": WATCH_S}
        parameters |= {"resourceVersion": version} if version else {}
        for line in self._connection.lines(self.resource.paths[0], parameters, self._opened):
            event = _parsed(line)
            raw = event.get("object")
            if not isinstance(raw, dict):
                self.malformed += 1
                continue
            self._take(event.get("type"), raw)

    def _opened(self) -> None:
        self.open_since = self._clock()

    def _take(self, kind: Any, raw: Page) -> None:
        if kind == "ERROR":
            raise _ended(raw)
        self.heard_time = self._clock()
        if kind in ("ADDED", "MODIFIED"):
            self._cluster.put(self.resource, raw.get("apiVersion"), raw, self.heard_time)
        elif kind == "DELETED":
            self._cluster.end(self.resource, raw.get("apiVersion"), raw, self.heard_time)
        elif kind != "BOOKMARK":
            self.malformed += 1
            return
        self.events += kind != "BOOKMARK"
        self._version = _version(raw) or self._version
        self._pauses.reset()


def put_list(connection: Connection, resource: Resource, path: str, cluster: Cluster, clock: Clock) -> str | None:
    """The resourceVersion that a watch goes on from."""
    uids: set[str] = set()
    version = None
    for page in pages(connection, path):
        version = _version(page)
        for raw in _entries(page):
            uid = cluster.put(resource, page.get("apiVersion"), raw, clock())
            # What was known of an object stays where it makes no sense now.
            uids.add(uid or uid_of(raw))
    cluster.keep_only(resource, uids, clock())
    return version


def pages(connection: Connection, path: str) -> Iterator[Page]:
    """The whole list; a token that expired on the way begins it anew, by the caller."""
    token = ""
    while True:
        page = connection.page(path, {"limit": PAGE_OBJECTS} | ({"continue": token} if token else {}))
        yield page
        token = _metadata(page).get("continue") or ""
        if not isinstance(token, str) or not token:
            return


def _entries(page: Page) -> list[Page]:
    items = page.get("items")
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def _metadata(raw: Page) -> Page:
    metadata = raw.get("metadata")
    return metadata if isinstance(metadata, dict) else {}


def _version(raw: Page) -> str | None:
    version = _metadata(raw).get("resourceVersion")
    return version if isinstance(version, str) and version else None


def _parsed(line: bytes | None) -> Page:
    try:
        event = json.loads(line) if line is not None else None
    except (ValueError, RecursionError):
        return {}
    return event if isinstance(event, dict) else {}


def _ended(status: Page) -> ApiError:
    code = status.get("code")
    if code == 410 or status.get("reason") in ("Expired", "Gone"):
        return ExpiredError("the watch's resourceVersion is too old")
    number = code if isinstance(code, int) else None
    return ApiError(f"event_{number}", f"the watch was ended with {number}", number)
