"""The recorded samples, and the real command line run on them; the shop where no name is given."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

SAMPLES = Path(__file__).parents[2] / "samples"


def captures(sample: str) -> list[Path]:
    return sorted((SAMPLES / sample).glob("node-*.pcapng*"))


def objects(sample: str) -> Path:
    return SAMPLES / sample / "objects.json"


CAPTURES = captures("shop")
OBJECTS = objects("shop")


def truth(sample: str = "shop") -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((SAMPLES / sample / "truth.json").read_text())
    return loaded


def tailrace(*arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, **options)


def ingest_sample(lake: Path, sample: str = "shop") -> subprocess.CompletedProcess[str]:
    files = [f"{capture.name.partition('.')[0]}={capture}" for capture in captures(sample)]
    return tailrace("ingest", *files, "--kube", objects(sample), "--cluster", sample, "--lake", lake)
