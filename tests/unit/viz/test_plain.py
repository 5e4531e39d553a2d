"""Text from the wire in the few places where Streamlit reads Markdown, and numbers as people read them."""

from datetime import timedelta

import pytest
from markdown_it import MarkdownIt

from tests.support.lake import HOSTILE
from viz import humane
from viz.plain import LONGEST, code, lines, visible

NAMES = (
    *HOSTILE,
    "`",
    "``x`",
    "a ``` b",
    ":red[x] :smile:",
    "$x$",
    "[a](http://b)",
    "www.x.example",
    "\n\n# x",
    " ",
    "",
)


@pytest.mark.parametrize("name", NAMES)
def test_code_is_one_code_span_with_the_name(name: str) -> None:
    (paragraph,) = [token for token in MarkdownIt().parse(code(name)) if token.type == "inline"]
    (span,) = paragraph.children or []
    assert span.type == "code_inline"
    assert span.content.strip() == visible(name).strip()


def test_what_hides_is_shown() -> None:
    assert visible("a\u202eb\x1b[31m\u200b") == "a\\u{202e}b\\u{1b}[31m\\u{200b}"
    assert visible("naïve.例え") == "naïve.例え"
    assert len(visible("x" * 5000)) == LONGEST + 1
    assert lines("a:\n\t- \u202eb\r\n" + "x" * 500) == "a:\n\t- \\u{202e}b\\u{d}\n" + "x" * 500


@pytest.mark.parametrize(
    ("count", "told"),
    [(None, "unknown"), (0, "0 B"), (999, "999 B"), (1000, "1 kB"), (1_234_567, "1.2 MB"), (999_600, "1 MB")],
)
def test_size(count: int | None, told: str) -> None:
    assert humane.size(count) == told


@pytest.mark.parametrize(
    ("span", "told"),
    [
        (timedelta(), "0.0 s"),
        (timedelta(seconds=87), "1 min 27 s"),
        (timedelta(hours=3), "3 h"),
        (timedelta(days=2, minutes=5), "2 d"),
    ],
)
def test_duration(span: timedelta, told: str) -> None:
    assert humane.duration(span) == told


def test_numbers_and_shares() -> None:
    assert humane.of(1, "edge") == "1 edge"
    assert humane.of(0, "edge") == "0 edges"
    assert humane.number(12_345) == "12\N{NO-BREAK SPACE}345"
    assert humane.number(2_500_000) == "2.5 M"
    assert humane.share(1, 3) == "33.3 %"
    assert humane.share(1, 100_000) == "< 0.1 %"
    assert humane.share(0, 0) == "unknown"
