from analysis.policy.recommend.dialects import WRITERS, Dialect
from cli.policy_recommend import DialectName


def test_every_dialect_that_can_be_written_can_be_asked_for() -> None:
    assert [one.value for one in DialectName] == [one.value for one in Dialect] == [one.value for one in WRITERS]
