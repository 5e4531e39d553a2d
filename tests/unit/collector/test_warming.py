"""What a container image brings along: every kernel, for every processor."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from collector.kernels import cache, jit
from collector.kernels.cache import cache_folder
from tests.support.frames import pcap, timed
from tests.support.shapes import shapes

ROOT = Path(__file__).parents[3]
SAMPLE = ROOT / "samples/shop/node-1.pcapng.gz"
PROGRAM = """
import importlib, pkgutil, sys
from collector import kernels
from collector.driver import Settings, collect
from collector.kernels.jit import Entry
from collector.sources.capture import open_capture
from collector.warming import warm

warm()
modules = [importlib.import_module(f"collector.kernels.{module.name}") for module in pkgutil.iter_modules(kernels.__path__)]
entries = {entry for module in modules for entry in vars(module).values() if isinstance(entry, Entry)}
assert len(entries) > 10
warmed = {entry: set(entry._loaded) for entry in entries}
print("cold:", [entry.function.__name__ for entry in entries if not warmed[entry]])
for path in sys.argv[1:]:
    with open_capture(path, None) as capture:
        print("batches:", len(list(collect(capture, Settings(seed=1)))))
print("new:", [entry.function.__name__ for entry in entries if set(entry._loaded) != warmed[entry]])
"""


@pytest.mark.skipif(not jit.COMPILED, reason="there is no code where kernels are interpreted")
def test_after_warming_no_kernel_is_compiled(tmp_path: Path) -> None:
    capture = tmp_path / "shapes.pcap"
    capture.write_bytes(pcap(timed(shapes() * 3, 11.0)))
    command = [sys.executable, "-c", PROGRAM, str(capture), str(SAMPLE)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stderr
    cold, *batches, new = done.stdout.splitlines()
    assert (cold, new) == ("cold: []", "new: []")
    assert all(int(line.removeprefix("batches: ")) > 2 for line in batches)


def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, flags: str) -> Path:
    told = tmp_path / "cpuinfo"
    told.write_text(f"vendor_id : x\nflags : {flags}\n\nprocessor : 1\n")
    monkeypatch.setattr(cache, "CPU_FILE", told)
    return cache_folder(jit.OPTIONS)


def test_code_for_every_processor_is_found_on_every_processor(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("NUMBA_CPU_NAME", raising=False)
    own = folder(monkeypatch, tmp_path, "avx2")
    assert own != folder(monkeypatch, tmp_path, "avx512f")
    monkeypatch.setenv("NUMBA_CPU_NAME", "generic")
    generic = folder(monkeypatch, tmp_path, "avx2")
    assert generic == folder(monkeypatch, tmp_path, "avx512f") != own


def test_numba_takes_no_feature_of_this_processor_then() -> None:
    program = "import numba; print(repr(numba.config.CPU_NAME), repr(numba.config.CPU_FEATURES))"
    environment = os.environ | {"NUMBA_CPU_NAME": "generic"}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=True, timeout=60
    )
    assert done.stdout == "'generic' ''\n"
