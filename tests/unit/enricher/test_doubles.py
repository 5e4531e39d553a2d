"""A message that came before is known, whatever comes between; a new one is never taken for an old one."""

from hypothesis import given
from hypothesis import strategies as st

from contract.wire import MAX_SEQUENCE, MessageId
from enricher.doubles import MAX_EPOCHS, WINDOW, Doubles


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, WINDOW - 1))))
def test_within_the_window_it_is_a_set(ids: list[tuple[str, int]]) -> None:
    doubles, seen = Doubles(), set[tuple[str, int]]()
    for one in ids:
        assert doubles.is_new(MessageId(*one)) == (one not in seen)
        seen.add(one)


@given(st.lists(st.integers(0, MAX_SEQUENCE) | st.integers(0, 3 * WINDOW)))
def test_new_ones_are_always_new(sequences: list[int]) -> None:
    doubles, seen = Doubles(), set[int]()
    for sequence in sequences:
        is_new = doubles.is_new(MessageId("a", sequence))
        assert is_new or sequence in seen
        seen.add(sequence)


def test_one_far_behind_is_given_out_twice_rather_than_never() -> None:
    doubles = Doubles()
    assert doubles.is_new(MessageId("a", 0))
    assert doubles.is_new(MessageId("a", WINDOW))
    assert doubles.is_new(MessageId("a", 0))
    assert not doubles.is_new(MessageId("a", WINDOW))


def test_epochs_are_bounded_and_the_silent_ones_are_forgotten() -> None:
    doubles = Doubles()
    for number in range(MAX_EPOCHS):
        doubles.is_new(MessageId(str(number), 0))
    assert not doubles.is_new(MessageId("0", 0))
    assert doubles.is_new(MessageId("one more", 0))
    assert not doubles.is_new(MessageId("0", 0))
    assert doubles.is_new(MessageId("1", 0))
