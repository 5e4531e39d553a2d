"""`tailrace demo`: the recorded sample through the whole pipeline, and the app on it."""

import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from contract.errors import UsageError

SAMPLE = Path("samples/shop")
PORT = 8501


def demo(
    sample: Annotated[Path, typer.Option(help="folder of a recorded sample")] = SAMPLE,
    lake: Annotated[Path, typer.Option(help="where the lake is made; an earlier demo there is replaced")] = Path(
        "demo-lake"
    ),
    port: Annotated[int, typer.Option(help="port of the app; 0 takes a free one")] = PORT,
    browser: Annotated[bool, typer.Option(help="open the page in a browser")] = True,
) -> None:
    """Captures to records, records to a lake, the app on the lake: on the sample that comes with the source."""
    from cli.app import serve
    from cli.ingest import ingest_files
    from store.lake import MARKER
    from viz.about import About

    captures = sorted(sample.glob("node-*.pcapng*"))
    if not captures:
        raise UsageError(f"{sample}: no node-*.pcapng there; run this in the source folder, or name one with --sample")
    if (lake / MARKER).exists():
        shutil.rmtree(lake)
    files = [(capture.name.partition(".")[0], str(capture)) for capture in captures]
    print(f"Reading {', '.join(str(capture) for capture in captures)} into {lake}", file=sys.stderr)
    for fault in ingest_files(files, str(lake), str(sample / "objects.json"), "shop"):
        print(f"tailrace: {fault}", file=sys.stderr)
    serve(About(str(lake)), port, browser)
