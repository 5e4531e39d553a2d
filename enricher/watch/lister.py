"""Kinds that change seldom, and that a cluster need not have or show: listed now and then."""

from collections import Counter
from datetime import timedelta
from threading import Event

from enricher.watch.api import Connection
from enricher.watch.cluster import Cluster
from enricher.watch.errors import ApiError
from enricher.watch.follower import Clock, Tell, put_list
from enricher.watch.resources import Resource

LIST_EVERY = timedelta(minutes=10)
# The server does not have the kind, or does not let us see it.
WITHOUT = (403, 404)


class Lister:
    """``lacking`` are the kinds that the server refused when they were asked for last; ``errors`` counts by reason."""

    def __init__(
        self, resources: tuple[Resource, ...], connection: Connection, cluster: Cluster, clock: Clock, tell: Tell
    ) -> None:
        self.lists = 0
        self.lacking: set[Resource] = set()
        self.errors: Counter[str] = Counter()
        self.fault: str | None = None
        self._resources = resources
        self._connection = connection
        self._cluster = cluster
        self._clock = clock
        self._tell = tell

    def run(self, stopping: Event, every: timedelta = LIST_EVERY) -> None:
        while not stopping.is_set():
            for resource in self._resources:
                if not stopping.is_set():
                    self._try(resource, stopping)
            stopping.wait(every.total_seconds())

    def _try(self, resource: Resource, stopping: Event) -> None:
        try:
            self._list(resource, stopping)
        except Exception as error:  # nobody else would list these kinds again
            self.errors["fault"] += 1
            self.fault = f"a fault of Tailrace: {error!r:.200}"
            self._lack(resource)

    def _list(self, resource: Resource, stopping: Event) -> None:
        for path in resource.paths:
            try:
                put_list(self._connection, resource, path, self._cluster, self._clock)
            except ApiError as error:
                if stopping.is_set():
                    return
                self.errors[error.reason] += 1
                self.fault = str(error)
                if error.status not in WITHOUT:
                    return
            else:
                self.lists += 1
                self.lacking.discard(resource)
                return
        self._lack(resource)

    def _lack(self, resource: Resource) -> None:
        if resource not in self.lacking:
            self.lacking.add(resource)
            self._tell(f"{resource.kind} is left out: {self.fault}")
