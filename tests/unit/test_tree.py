"""Rules of the tree that no linter knows."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from contract.columns import Table
from contract.dns import DNS
from contract.flows import FLOWS

ROOT = Path(__file__).parents[2]
PACKAGES = ("contract", "collector", "enricher", "store", "analysis", "viz", "cli")
SHIPPED = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]

INERT = """
import socket, sys, threading
def refuse(*arguments, **options):
    raise SystemExit("opened a socket or a thread while being imported")
socket.socket.__init__ = refuse
threading.Thread.start = refuse
import importlib
for name in sys.argv[1:]:
    importlib.import_module(name)
assert "scapy" not in sys.modules
"""


def modules() -> list[str]:
    paths = [path.relative_to(ROOT).with_suffix("") for path in SHIPPED if path.stem not in ("__main__", "main")]
    return [".".join(path.parts).removesuffix(".__init__") for path in paths if "app_pages" not in path.parts]


def test_importing_starts_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-c", INERT, *modules()], capture_output=True, text=True, timeout=120, cwd=ROOT, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]


def test_only_the_app_imports_streamlit() -> None:
    users = [path for path in SHIPPED if re.search(r"^\s*(import|from) streamlit", path.read_text(), re.MULTILINE)]
    assert {path.relative_to(ROOT).parts[0] for path in users} == {"viz"}


def test_no_shipped_file_imports_scapy() -> None:
    assert not [path for path in SHIPPED if re.search(r"^\s*(import|from) scapy", path.read_text(), re.MULTILINE)]


def test_no_file_of_the_app_hides_a_package() -> None:
    assert not {path.stem for path in (ROOT / "viz").rglob("*.py")} & {*PACKAGES, "samples", "tests", "benchmarks"}


@pytest.mark.parametrize("table", [FLOWS, DNS], ids=["flows", "dns"])
def test_no_other_file_spells_a_whole_column_list(table: Table) -> None:
    names = table.schema.names
    for path in SHIPPED:
        if path.is_relative_to(ROOT / "contract"):
            continue
        text = path.read_text()
        spelled = [name for name in names if re.search(rf'"{name}"', text)]
        assert len(spelled) < len(names), path


def test_paths_named_in_the_docs_exist() -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for name in re.findall(
            r"`((?:contract|collector|enricher|store|analysis|viz|cli|samples)/[\w./-]*)`", page.read_text()
        ):
            assert (ROOT / name).exists(), f"{page.name}: {name}"


def test_paths_that_readers_of_the_docs_follow_exist() -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for link in re.findall(r"\]\((?!http)([^)#]+)\)", page.read_text()):
            assert (page.parent / link).exists(), f"{page.name}: {link}"
