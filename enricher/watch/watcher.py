"""A cluster watched: one thread for each kind that is, one for those that are listed now and then."""

from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Event, Thread
from time import monotonic

import pyarrow as pa
from lightkube.config.kubeconfig import SingleConfig

from enricher.directory import Directory
from enricher.watch.api import pool
from enricher.watch.cluster import Cluster, Drained
from enricher.watch.follower import Clock, Follower, Tell
from enricher.watch.lister import Lister
from enricher.watch.resources import LISTED, WATCHED

# Threads end as soon as their sockets are shut; one that is looking up a name does not see that.
END_S = 5.0
# What happened while a watch was interrupted comes as soon as it is open again.
CATCHING_UP = timedelta(seconds=1)


class Watcher:
    """``tell`` is called, from any thread, with what a user should know once."""

    def __init__(self, config: SingleConfig, cluster: str | None, clock: Clock, tell: Tell) -> None:
        self._clock = clock
        self._cluster = Cluster(cluster)
        self._stopping = Event()
        self._connections = pool(config, len(WATCHED) + 1)
        *watching, listing = self._connections
        self.followers = [
            Follower(resource, connection, self._cluster, clock, tell)
            for resource, connection in zip(WATCHED, watching, strict=True)
        ]
        self.lister = Lister(LISTED, listing, self._cluster, clock, tell)
        runs: list[tuple[str, Callable[[Event], None]]] = [(one.resource.kind, one.run) for one in self.followers]
        runs.append(("listed", self.lister.run))
        self._threads = [
            Thread(target=run, args=(self._stopping,), name=f"watch {name}", daemon=True) for name, run in runs
        ]

    def recall(self, assignments: pa.Table) -> None:
        """Before the start: assignments of this cluster that the lake says still hold, or ended within the last two hours."""
        self._cluster.recall(assignments, self._clock())

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stopping.set()
        for connection in self._connections:
            connection.close()
        until = monotonic() + END_S
        for thread in self._threads:
            thread.join(max(0.0, until - monotonic()))
        for connection in self._connections:
            connection.free()

    @property
    def is_synced(self) -> bool:
        """Every kind that is watched was listed once: before, a snapshot is a part."""
        return all(follower.is_synced for follower in self.followers)

    @property
    def is_running(self) -> bool:
        return all(thread.is_alive() for thread in self._threads)

    def is_current(self) -> bool:
        """Whether every kind is watched, and has been for long enough to have heard what happened before."""
        until = self._clock() - CATCHING_UP
        began = [follower.open_since for follower in self.followers]
        return self.is_synced and all(since is not None and since <= until for since in began)

    def ages(self) -> dict[str, float | None]:
        """Seconds since each kind was heard of last."""
        now = self._clock()
        return {one.resource.kind: _age(one.heard_time, now) for one in self.followers}

    def counts(self) -> dict[str, int]:
        return self._cluster.counts()

    def snapshot(self) -> Directory:
        """The same object as long as nothing changes."""
        return self._cluster.snapshot(self._clock())

    def drain(self) -> Drained:
        """What the lake does not have yet."""
        return self._cluster.drain(self._clock(), self.is_current())


def _age(heard: datetime | None, now: datetime) -> float | None:
    return None if heard is None else (now - heard).total_seconds()
