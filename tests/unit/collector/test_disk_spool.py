"""What was appended to a spool is there after a crash at any moment, in order, until it is done with or given up."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.transport.spool import LEAST_SEGMENTS, DiskSpool
from contract.errors import MachineError

SEGMENT = 1000
LIMIT = LEAST_SEGMENTS * SEGMENT
HEADERS = [("table", b"flows"), ("node", "n\u00e9".encode())]


def spool(folder: Path, limit: int = LIMIT) -> DiskSpool:
    return DiskSpool(folder, limit, SEGMENT)


def add(ours: DiskSpool, number: int, size: int = 100) -> int:
    return ours.append(HEADERS, value(number, size), number)


def value(number: int, size: int = 100) -> bytes:
    return str(number).encode().rjust(size, b".")


def numbers(ours: DiskSpool) -> list[int | None]:
    """Of what waits; None of what cannot be read."""
    found = [ours.read(index) for index in range(ours.mark, ours.end)]
    return [None if one is None else one.rows for one in found]


def crashed(folder: Path) -> Path:
    """As the files were when the process was killed."""
    return Path(copytree(folder, folder.with_name(folder.name + "x")))


def last_file(folder: Path) -> Path:
    return max(path for path in folder.glob("*.spool") if path.stat().st_size)


def test_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    ours = spool(tmp_path / "s")
    index = ours.append(HEADERS, b"\x00\xff" * 50, 7)
    found = ours.read(index)
    assert found is not None
    assert (found.headers, found.value, found.rows) == (HEADERS, b"\x00\xff" * 50, 7)


def test_it_is_nobodys_to_read_but_its_owners(tmp_path: Path) -> None:
    ours = spool(tmp_path / "s")
    add(ours, 1)
    assert (tmp_path / "s").stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in (tmp_path / "s").iterdir())


def test_one_process_at_a_time(tmp_path: Path) -> None:
    first = spool(tmp_path / "s")
    with pytest.raises(MachineError, match="another process"):
        spool(tmp_path / "s")
    first.close()
    spool(tmp_path / "s").close()


def test_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(MachineError, match="file"):
        spool(tmp_path / "file" / "s")


def test_other_files_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.spool").write_text("mine")
    ours = spool(tmp_path)
    add(ours, 1)
    assert numbers(ours) == [1]
    assert (tmp_path / "mine.spool").read_text() == "mine"


def test_done_frees_the_disk_by_whole_files(tmp_path: Path) -> None:
    ours = spool(tmp_path / "s")
    for number in range(50):
        add(ours, number)
    before = ours.size
    ours.done(25)
    assert ours.size < before
    assert numbers(ours) == list(range(25, 50))
    ours.done(50)
    assert ours.waiting == 0
    assert len(list((tmp_path / "s").glob("*.spool"))) == 1


def test_indexes_go_on_after_all_was_done_and_the_process_ended(tmp_path: Path) -> None:
    ours = spool(tmp_path / "s")
    add(ours, 1)
    ours.done(1)
    ours.close()
    ours = spool(tmp_path / "s")
    assert (ours.waiting, add(ours, 2), numbers(ours)) == (0, 1, [2])


def test_oldest_file_is_given_up_with_what_is_lost(tmp_path: Path) -> None:
    ours = spool(tmp_path / "s")
    while not ours.is_full(100):
        add(ours, ours.end)
    ours.done(2)
    lost = ours.give_up_oldest()
    assert list(lost) == list(range(2, 2 + len(lost)))
    assert list(lost.values()) == list(lost)
    assert not ours.is_full(100)
    assert numbers(ours) == list(range(ours.mark, ours.end))
    assert (ours.read(0), ours.rows(0)) == (None, 0)


def test_only_file_can_be_given_up(tmp_path: Path) -> None:
    ours = spool(tmp_path / "s")
    add(ours, 0)
    assert ours.give_up_oldest() == {0: 0}
    assert (add(ours, 1), numbers(ours)) == (1, [1])


@pytest.mark.parametrize("place", [0, 4, 8, 12, 20, 100])
def test_damaged_record_is_not_taken_for_another(tmp_path: Path, place: int) -> None:
    ours = spool(tmp_path / "s")
    for number in range(3):
        add(ours, number)
    content = bytearray(last_file(tmp_path / "s").read_bytes())
    size = len(content) // 3
    content[size + place] ^= 1
    last_file(tmp_path / "s").write_bytes(content)
    assert numbers(ours) == [0, None, 2]
    found = numbers(spool(crashed(tmp_path / "s")))
    assert found[0] == 0
    assert set(found[1:]) <= {None, 2}


@pytest.mark.parametrize("content", [b"", b"\xff" * 12, b"short"])
def test_mark_that_is_lost_gives_doubles_and_loses_nothing(tmp_path: Path, content: bytes) -> None:
    ours = spool(tmp_path / "s")
    for number in range(5):
        add(ours, number)
    ours.done(3)
    (tmp_path / "s" / "mark").write_bytes(content)
    assert numbers(spool(crashed(tmp_path / "s"))) == list(range(5))


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_disk_that_takes_no_more_leaves_what_was_there(tmp_path: Path) -> None:
    ours = spool(tmp_path / "s")
    add(ours, 0)
    with files_of_at_most(ours.size + 50), pytest.raises(MachineError, match="room"):
        add(ours, 1)
    assert add(ours, 2) == 1
    assert numbers(ours) == [0, 2]
    assert numbers(spool(crashed(tmp_path / "s"))) == [0, 2]


STEP = st.one_of(
    st.tuples(st.just("append"), st.integers(1, 400)),
    st.tuples(st.just("done"), st.integers(0, 5)),
    st.tuples(st.just("crash"), st.just(0)),
    st.tuples(st.just("torn"), st.integers(1, 60)),
    st.tuples(st.just("zeros"), st.integers(1, 60)),
    st.tuples(st.just("give up"), st.just(0)),
)


@settings(max_examples=150)
@given(st.lists(STEP, max_size=40))
def test_any_life_of_a_spool(steps: list[tuple[str, int]]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "s"
        ours, waiting, number = spool(path), list[int](), 0
        for step, much in steps:
            if step == "append":
                add(ours, number, much)
                waiting.append(number)
                number += 1
            elif step == "done":
                ours.done(min(ours.mark + much, ours.end))
                del waiting[:much]
            elif step == "give up":
                lost = ours.give_up_oldest()
                assert list(lost.values()) == waiting[: len(lost)]
                del waiting[: len(lost)]
            else:
                path = crashed(path)
                waiting = waiting[: len(waiting) - _harm(path, step, much, bool(waiting))]
                ours.close()
                ours = spool(path)
            assert numbers(ours) == waiting
        ours.close()


def _harm(path: Path, step: str, much: int, has_any: bool) -> int:
    """The end of the newest file is torn off, or octets that nobody wrote follow it; how many records that takes."""
    newest = max(path.glob("*.spool"))
    content = newest.read_bytes()
    if step == "zeros":
        newest.write_bytes(content + bytes(much))
    if step != "torn" or not content or not has_any:
        return 0
    newest.write_bytes(content[:-much])  # less than the smallest record has
    return 1
