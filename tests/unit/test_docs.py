"""The pages of docs/ say something of every word, and lead where they say."""

import re
from pathlib import Path

import pytest

from collector.kernels.layout import END_REASONS, OPENED_BY
from collector.records import STATES

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def test_every_word_of_a_connection_has_a_row() -> None:
    text = (ROOT / "docs" / "connection-states.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)
    assert sorted(rows) == sorted((*STATES, *END_REASONS, *OPENED_BY))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []
