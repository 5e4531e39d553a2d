"""Any text is a selector or has a mistake in a place; a selector says the same as its naive twin."""

from collections.abc import Mapping, Sequence
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.policy.calico.selector import DEEPEST, parsed
from analysis.policy.calico.tokens import MOST_CHARACTERS, Misread
from analysis.policy.endpoints import Values, numbered
from tests.naive import calico_selector as naive
from tests.support.calico import selector

WORDS = (
    "a",
    "b",
    "'x'",
    '"y"',
    "==",
    "!=",
    "in",
    "not in",
    "{",
    "}",
    ",",
    "(",
    ")",
    "&&",
    "||",
    "!",
    "has(a)",
    "all()",
)
MORE = ("global()", "contains", "starts with", "ends with", " ", "\t", "\n", "has(", "all(", "'", "=", "&", "é", "\x00")
LABELS: Sequence[Mapping[str, str]] = (
    {},
    {"app": "a", "tier": "x"},
    {"app": "b"},
    {"app": "c", "tier": "y", "zone": "out"},
    {"app": "", "projectcalico.org/namespace": "front"},
    {"tier": "x", "pcns.team": "data", "projectcalico.org/serviceaccount": "robot"},
)


class Things:
    def __len__(self) -> int:
        return len(LABELS)

    def label(self, key: str) -> Values:
        return numbered([labels.get(key) for labels in LABELS])


@settings(max_examples=1_000)
@given(st.integers(0, 2**63))
def test_a_selector_says_what_its_naive_twin_says(seed: int) -> None:
    text = selector(Random(seed), 4)
    assert parsed(text).mask(Things()).tolist() == [naive.holds(text, labels) for labels in LABELS], text


@settings(max_examples=2_000)
@given(st.one_of(st.text(max_size=40), st.lists(st.sampled_from(WORDS + MORE), max_size=12).map(" ".join)))
def test_any_text(text: str) -> None:
    try:
        found = parsed(text).mask(Things())
    except Misread as error:
        assert 1 <= error.at <= len(text) + 1
        assert error.what.isprintable()
    else:
        assert found.dtype == np.bool_
        assert len(found) == len(LABELS)


@pytest.mark.parametrize(
    "text",
    [
        "(" * DEEPEST + "all()" + ")" * DEEPEST,
        "!" * 10_001 + "has(app)",
        " && ".join(["has(app)"] * 1_000),
        " || ".join(["app == 'a'"] * 1_000),
    ],
)
def test_a_long_one_is_read(text: str) -> None:
    assert parsed(text).mask(Things()).shape == (len(LABELS),)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("(" * (DEEPEST + 1) + "all()" + ")" * (DEEPEST + 1), "nested more than"),
        ("(" * (MOST_CHARACTERS + 1), "longer than"),
        (f"has({'a' * 513})", "a label is longer than 512 characters"),
    ],
)
def test_a_bound_is_said(text: str, what: str) -> None:
    with pytest.raises(Misread, match=what):
        parsed(text)
