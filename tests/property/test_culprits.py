"""Whatever was lost where: nobody is blamed twice, and every finding has lost what it says."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.dns.culprits import DIMENSIONS, TOLD_BESIDE, culprits

LEAST = 2

rows = st.lists(
    st.fixed_dictionaries(
        {dimension: st.sampled_from((None, "a", "b", "c")) for dimension in DIMENSIONS}
        | {beside: st.integers(0, 5000) for beside in TOLD_BESIDE.values()}
        | {"transactions": st.integers(0, 1000), "lost": st.integers(0, 50)}
    ).map(lambda row: row | {"lost": min(row["lost"], row["transactions"])}),
    max_size=30,
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(rows)
def test_culprits_share_nothing_and_lost_it(listed: list[dict[str, Any]]) -> None:
    found = culprits(listed, LEAST)
    blamed = [id(row) for culprit in found for row in culprit.rows]
    assert len(blamed) == len(set(blamed))
    for culprit in found:
        assert culprit.tally.lost == sum(row["lost"] for row in culprit.rows) >= LEAST
        assert culprit.tally.lost <= culprit.tally.transactions
