"""Who holds which address, for verbs that run on: from a dump, or from the Kubernetes API as it changes."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from cli.config import Running
from cli.metrics import Observed
from contract.assignments import ASSIGNMENTS

if TYPE_CHECKING:
    import pyarrow as pa

    from enricher.directory import Directory
    from enricher.watch.watcher import Watcher
    from store.lake import Lake

IN_POD = "cluster"
RECALLED = timedelta(hours=2)
NOT_WATCHED = "the Kubernetes API is not watched any more; restart"
NOT_KNOWN_YET = "the objects of the cluster are not all known yet"

Tell = Callable[[str], None]


class Knowledge(NamedTuple):
    """``directory`` is the cluster as it is known now; ``drain`` gives what the lake does not have of it yet, by table.

    ``is_current``: what happened until now is known; while it is not, an address may be another's already.
    """

    directory: Callable[[], "Directory"]
    drain: Callable[[], Mapping[str, "pa.Table"]]
    faults: Callable[[], list[str]]
    metrics: tuple[Observed[Any], ...] = ()
    is_current: Callable[[], bool] = lambda: True
    is_dump: bool = True


@contextmanager
def knowledge(config: Running, lake: "Lake", clock: Callable[[], datetime], tell: Tell) -> Iterator[Knowledge]:
    if config.kube:
        yield _of_dump(config)
    elif config.kube_api or config.kubeconfig:
        watcher = _watcher(config, clock, tell)
        watcher.recall(_held(lake, config.cluster, clock()))
        watcher.start()
        try:
            yield _of_watcher(watcher, config.cluster)
        finally:
            watcher.stop()
    else:
        from enricher.directory import Directory

        yield Knowledge(lambda: Directory.empty(config.cluster), dict, list)


def _of_dump(config: Running) -> Knowledge:
    from enricher.kubernetes import read_dump

    directory = read_dump(str(config.kube), config.cluster)
    left = [{"assignments": directory.assignments, "objects": directory.objects}]
    return Knowledge(lambda: directory, lambda: left.pop() if left else {}, list)


def _watcher(config: Running, clock: Callable[[], datetime], tell: Tell) -> "Watcher":
    from enricher.watch.api import config_of, read_config
    from enricher.watch.watcher import Watcher

    is_url = config.kube_api and config.kube_api != IN_POD
    single = config_of(str(config.kube_api)) if is_url else read_config(config.kubeconfig)
    return Watcher(single, config.cluster, clock, tell)


def _held(lake: "Lake", cluster: str | None, now: datetime) -> "pa.Table":
    """What the lake says of who held which address lately."""
    with lake.connect(now - RECALLED, cluster=cluster or "") as views:
        return views.sql("select * from assignments").to_arrow_table().cast(ASSIGNMENTS.schema)


def _of_watcher(watcher: "Watcher", cluster: str | None) -> Knowledge:
    from cli.observed import WATCHED
    from enricher.directory import Directory

    def directory() -> Directory:
        """A part of the cluster would make strangers of all others: until it is known as a whole, nothing is."""
        return watcher.snapshot() if watcher.is_synced else Directory.empty(cluster)

    def drain() -> Mapping[str, "pa.Table"]:
        if not watcher.is_synced:
            return {}
        drained = watcher.drain()
        return {"assignments": drained.assignments, "objects": drained.objects}

    def faults() -> list[str]:
        if not watcher.is_running:
            return [NOT_WATCHED]
        return [] if watcher.is_synced else [NOT_KNOWN_YET]

    return Knowledge(directory, drain, faults, (Observed(lambda: watcher, WATCHED),), watcher.is_current, False)
