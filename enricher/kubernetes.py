"""Read what ``kubectl get -A -o json`` wrote, and make a directory of it."""

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from contract.assignments import ASSIGNMENTS
from contract.errors import InputError
from contract.objects import OBJECTS
from enricher.directory import Directory
from enricher.holders import assignment_rows, ranges
from enricher.item import ADVICE, Item
from enricher.kinds import known_group
from enricher.objects import object_rows
from enricher.services import service_tables

HOLDERS = frozenset({"Pod", "Node", "Service"})
KINDS = HOLDERS | {"EndpointSlice", "ReplicaSet", "Job", "ServiceCIDR", "IPPool"}

Objects = dict[str, list[Item]]


def read_dump(path: str | Path, cluster: str | None = None) -> Directory:
    """Read one file, or every ``*.json`` of a folder."""
    files = _files(Path(path))
    items = [item for file in files for item in _items(file)]
    objects = _by_kind(items)
    if not HOLDERS & objects.keys():
        raise InputError(str(path), "holds no Pod, no Node and no Service", ADVICE)
    ports, fronts, endpoints = service_tables(objects)
    rows = assignment_rows(objects, cluster)
    return Directory(
        cluster=cluster,
        assignments=pa.Table.from_pylist(rows, schema=ASSIGNMENTS.schema),
        ports=ports,
        fronts=fronts,
        endpoints=endpoints,
        ranges=ranges(objects),
        objects=pa.Table.from_pylist(list(object_rows(items, cluster, _written(files))), schema=OBJECTS.schema),
    )


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    files = sorted(path.glob("*.json"))
    if not files:
        raise InputError(str(path), "is a folder without a .json file", ADVICE)
    return files


def _written(files: Iterable[Path]) -> datetime:
    """A dump does not say when it was made, but its file does."""
    return datetime.fromtimestamp(max(file.stat().st_mtime for file in files), UTC)


def _items(file: Path) -> Iterator[tuple[str, Item]]:
    listed = _parsed(file)
    kind = listed.get("kind") if isinstance(listed, dict) else None
    if not isinstance(kind, str) or not kind.endswith("List") or not isinstance(listed.get("items"), list):
        raise InputError(str(file), "is not a List of Kubernetes objects", ADVICE)
    # The API server names kind and version once (PodList), kubectl in every item.
    named = kind.removesuffix("List")
    for number, raw in enumerate(listed["items"]):
        if named and isinstance(raw, dict) and not raw.get("apiVersion"):
            raw["apiVersion"] = listed.get("apiVersion")
        item = Item(raw, str(file), f"items[{number}]")
        yield item.text("kind") or named or item.needed("kind"), item


def _parsed(file: Path) -> Any:
    try:
        return json.loads(file.read_bytes())
    except OSError as error:
        raise InputError(str(file), f"cannot be read: {error.strerror}") from error
    except json.JSONDecodeError as error:
        raise InputError(str(file), f"is not JSON at character {error.pos}: {error.msg}", ADVICE) from error
    except UnicodeDecodeError as error:
        raise InputError(str(file), f"is not JSON at byte {error.start}: not UTF-8", ADVICE) from error
    except RecursionError as error:
        raise InputError(str(file), "is JSON nested too deeply", ADVICE) from error


def _by_kind(items: Iterable[tuple[str, Item]]) -> Objects:
    """Group what is needed; an object that stands in several files counts once."""
    unique = {}
    for kind, item in items:
        if kind in KINDS and known_group(kind, item.text("apiVersion")) is not None:
            unique[kind, item.text("metadata.namespace"), item.needed("metadata.name"), item.text("metadata.uid")] = (
                item
            )
    objects: Objects = {}
    for (kind, *_), item in unique.items():
        objects.setdefault(kind, []).append(item)
    return objects
