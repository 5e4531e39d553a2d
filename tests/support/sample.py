"""The recorded sample, and the real command line run on it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

SHOP = Path(__file__).parents[2] / "samples" / "shop"
CAPTURES = sorted(SHOP.glob("node-*.pcapng*"))
OBJECTS = SHOP / "objects.json"


def truth() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((SHOP / "truth.json").read_text())
    return loaded


def tailrace(*arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, **options)


def ingest_sample(lake: Path) -> subprocess.CompletedProcess[str]:
    files = [f"{capture.name.partition('.')[0]}={capture}" for capture in CAPTURES]
    return tailrace("ingest", *files, "--kube", OBJECTS, "--cluster", "shop", "--lake", lake)
