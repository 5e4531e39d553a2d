"""Compiled and interpreted kernels agree; what is compiled keeps its bounds checks and counts no references."""

import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from collector.kernels import cache, jit
from collector.kernels.cache import cache_folder
from tests.support.frames import pcap, timed
from tests.support.shapes import shapes

ROOT = Path(__file__).parents[3]
SAMPLES = sorted((ROOT / "samples/shop").glob("node-*.pcapng*"))


def collected(capture: Path, out: Path, **environment: str) -> dict[str, pa.Table]:
    out.mkdir()
    command = [sys.executable, "-W", "error", "-m", "tests.support.collected", str(capture), str(out)]
    subprocess.run(command, cwd=ROOT, env=os.environ | environment, check=True, timeout=600)
    return {path.stem: pa.ipc.open_file(path).read_all() for path in out.iterdir()}


def same_either_way(capture: Path, work: Path) -> dict[str, pa.Table]:
    compiled = collected(capture, work / "compiled")
    interpreted = collected(capture, work / "interpreted", NUMBA_DISABLE_JIT="1")
    assert compiled.keys() == interpreted.keys() == {"flows", "dns", "coverage"}
    for name, table in compiled.items():
        assert table.equals(interpreted[name]), name
    return compiled


def test_every_shape_compiled_and_interpreted(tmp_path: Path) -> None:
    capture = tmp_path / "shapes.pcap"
    capture.write_bytes(pcap(timed(shapes() * 3, 11.0)))
    assert same_either_way(capture, tmp_path)["flows"].num_rows > 30


@pytest.mark.parametrize("capture", SAMPLES, ids=[path.name for path in SAMPLES])
def test_the_sample_compiled_and_interpreted(tmp_path: Path, capture: Path) -> None:
    assert same_either_way(capture, tmp_path)["flows"].num_rows > 100


def test_an_index_out_of_bounds_raises() -> None:
    program = """
import numpy as np
from collector.kernels.frames import walk_pcap
from collector.kernels.layout import FRAME
from collector.kernels.state import records
walk_pcap(np.zeros(40, np.uint8), 0, 4000, False, 1000000, 0, 1, records(512, FRAME))
"""
    done = subprocess.run([sys.executable, "-c", program], check=False, cwd=ROOT, capture_output=True, text=True)
    assert "IndexError" in done.stderr


def test_the_cache_folder_is_that_of_the_sources(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TAILRACE_CACHE", str(tmp_path))
    assert cache_folder(jit.OPTIONS).parent == tmp_path / "kernels"
    copy = tmp_path / "sources"
    copy.mkdir()
    for source in Path(cache.__file__).parent.glob("*.py"):
        (copy / source.name).write_bytes(source.read_bytes())
    monkeypatch.setattr(cache, "__file__", str(copy / "cache.py"))
    before = cache_folder(jit.OPTIONS)
    (copy / "text.py").write_text((copy / "text.py").read_text() + "\n")
    assert cache_folder(jit.OPTIONS) != before
    after = cache_folder(jit.OPTIONS)
    monkeypatch.setitem(jit.OPTIONS, "boundscheck", False)
    assert cache_folder(jit.OPTIONS) not in (before, after)


def test_importing_the_packages_opens_and_starts_nothing() -> None:
    program = """
import sys, threading
opened = []
def audit(event, arguments):
    if event.startswith("socket.") or event == "subprocess.Popen":
        opened.append((event, arguments))
    writes = event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+")
    if writes:
        opened.append((event, arguments))
import pyarrow.compute
sys.addaudithook(audit)
sys.dont_write_bytecode = True
import contract.tables, collector.driver
assert not opened, opened
assert not {"numba", "llvmlite", "cryptography"} & sys.modules.keys()
assert threading.active_count() == 1
"""
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, timeout=300)
