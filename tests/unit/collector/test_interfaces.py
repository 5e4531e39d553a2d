"""Which interfaces are wanted, and their ids as they come and go."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.kernels.ring import NOT_WANTED, UNKNOWN
from collector.sources.capture import MAX_INTERFACES
from collector.sources.interfaces import MAX_KNOWN, NAMELESS, LiveInterfaces, Wanted
from collector.sources.links import RTM_DELLINK, RTM_NEWLINK, names_in
from contract.errors import UsageError
from tests.support.ring import found_id

KEEP = 60_000_000


class Machine:
    """Interfaces that a test sets, and a clock that it moves."""

    def __init__(self, *patterns: str, **interfaces: int) -> None:
        self.now = 0
        self.interfaces = interfaces
        self.told: list[list[str]] = []
        self.seen = LiveInterfaces(
            Wanted(patterns),
            lambda: self.now,
            KEEP,
            lambda: [(i, n) for n, i in self.interfaces.items()],
            lambda there: self.told.append(list(there)),
        )

    def now_has(self, **interfaces: int) -> None:
        self.interfaces = interfaces
        self.seen.refresh()

    def name(self, index: int) -> str | None:
        """Of the id that the kernels find."""
        return self.seen.names[found_id(self.seen, index)]


@pytest.mark.parametrize(
    ("patterns", "wanted", "unwanted"),
    [
        ((), ["eth0", "lo", None], []),
        (("eth0",), ["eth0"], ["eth01", "lo", "xeth0", None]),
        (("veth*", "eth?"), ["veth", "veth1", "eth0"], ["eth10", "lo"]),
        (("!lo",), ["eth0", None], ["lo"]),
        (("veth*", "!veth-test*"), ["veth1"], ["veth-test1", "lo", None]),
        (("!veth-test*", "veth*"), ["veth1"], ["veth-test1"]),
        (("ETH0",), ["ETH0"], ["eth0"]),
    ],
)
def test_patterns(patterns: tuple[str, ...], wanted: list[str | None], unwanted: list[str | None]) -> None:
    is_wanted = Wanted(patterns)
    assert all(map(is_wanted, wanted))
    assert not any(map(is_wanted, unwanted))


@pytest.mark.parametrize("pattern", ["", "!"])
def test_an_empty_pattern_is_an_error(pattern: str) -> None:
    with pytest.raises(UsageError, match="an empty pattern of interfaces"):
        Wanted(["eth0", pattern])


def test_ids_of_what_is_wanted() -> None:
    machine = Machine("eth*", lo=1, eth0=2)
    assert machine.name(2) == "eth0"
    assert found_id(machine.seen, 1) == NOT_WANTED
    assert found_id(machine.seen, 3) == UNKNOWN
    assert machine.seen.unwanted == [1]


def test_one_that_comes_again_has_another_id() -> None:
    machine = Machine(eth0=2)
    first = found_id(machine.seen, 2)
    machine.now_has()
    assert found_id(machine.seen, 2) == first  # for packets that are still in the ring
    machine.now_has(eth0=3)
    assert found_id(machine.seen, 3) != first
    assert machine.name(3) == machine.name(2) == "eth0"
    machine.now_has(was=3)
    assert found_id(machine.seen, 3) not in (first, first + 1)
    assert machine.name(3) == "was"


def test_one_that_was_gone_before_it_was_listed_has_no_name() -> None:
    machine = Machine(eth0=2)
    machine.seen.learn(9)
    assert found_id(machine.seen, 9) == NAMELESS
    assert machine.name(9) is None
    chosen = Machine("eth0", eth0=2)
    chosen.seen.learn(9)
    assert found_id(chosen.seen, 9) == NOT_WANTED


def test_one_that_was_heard_of_before_it_was_gone_has_its_name() -> None:
    machine = Machine("pod*", eth0=2)
    machine.seen.refresh({9: "pod9", 10: "other", 2: "eth0"})
    assert machine.name(9) == "pod9"
    assert found_id(machine.seen, 10) == NOT_WANTED
    machine.now_has(pod9=9)
    assert machine.name(9) == "pod9"


@given(st.binary(max_size=300))
def test_what_is_no_message_says_no_name(said: bytes) -> None:
    assert all(isinstance(name, str) for _, name in names_in(said))


def test_names_in_messages() -> None:
    said = (
        link_message(RTM_NEWLINK, 7, b"pod7")
        + link_message(RTM_DELLINK, -8 & 0x7FFFFFFF, b"x" * 15)
        + link_message(18, 9, b"no")
    )
    assert dict(names_in(said)) == {7: "pod7", 0x7FFFFFF8: "x" * 15}
    assert dict(names_in(said[:-1])) == dict(names_in(said))


def link_message(kind: int, index: int, name: bytes) -> bytes:
    """With an address (IFLA_ADDRESS) before the name."""
    attributes = struct.pack("=HH6sxxHH", 10, 1, b"\2" * 6, 5 + len(name), 3) + name + bytes(1 + (-len(name) - 1) % 4)
    body = struct.pack("=BxHiII", 0, 1, index, 0, 0) + attributes
    return struct.pack("=IHHII", 16 + len(body), kind, 0, 0, 0) + body


def test_one_that_comes_just_now_is_learned_by_its_packet() -> None:
    machine = Machine("eth*")
    machine.interfaces = {"eth0": 2, "lo": 1}
    machine.seen.learn(2)
    assert machine.name(2) == "eth0"
    assert machine.seen.unwanted == [1]


def test_an_index_that_was_nameless_gets_a_name_when_it_is_listed() -> None:
    machine = Machine()
    machine.seen.learn(9)
    machine.now_has(eth9=9)
    assert machine.name(9) == "eth9"


def test_ids_are_given_again_after_a_while() -> None:
    machine = Machine(**{f"a{number}": number for number in range(1, MAX_INTERFACES)})
    assert len(machine.seen.names) == MAX_INTERFACES
    machine.now_has(**{f"a{number}": number for number in range(2, MAX_INTERFACES)})
    machine.now_has(**machine.interfaces, soon=5001)
    assert found_id(machine.seen, 5001) == NAMELESS
    machine.now = KEEP + 1
    machine.now_has(**machine.interfaces, later=5002)
    assert machine.name(5002) == "later"
    assert found_id(machine.seen, 1) == UNKNOWN
    assert len(machine.seen.names) == MAX_INTERFACES


def test_days_of_pods_that_are_not_wanted() -> None:
    machine = Machine("eth*", eth0=2)
    first = found_id(machine.seen, 2)
    for number in range(3, 2 * MAX_KNOWN, 400):
        machine.now_has(eth0=2, **{f"pod{place}": place for place in range(number, number + 400)})
    assert found_id(machine.seen, 2) == first
    assert len(machine.seen.names) == 2


def test_days_of_pods_take_no_more_memory() -> None:
    machine = Machine(eth0=2)
    for number in range(3, 3 * MAX_KNOWN, 50):
        machine.now += KEEP
        machine.now_has(eth0=2, **{f"pod{place}": place for place in range(number, number + 50)})
        assert machine.name(number) == f"pod{number}"
        assert machine.name(2) == "eth0"
    assert len(machine.seen.names) <= MAX_INTERFACES


def test_more_interfaces_than_the_table_holds() -> None:
    many = {f"a{number}": number for number in range(1, MAX_KNOWN + 100)}
    machine = Machine(**many)
    index = next(index for index in many.values() if found_id(machine.seen, index) == UNKNOWN)
    machine.seen.learn(index)
    assert found_id(machine.seen, index) == NAMELESS


def test_it_is_told_when_no_interface_is_wanted_and_each_time_that_it_turns_so() -> None:
    machine = Machine("veth*", lo=1, eth0=2)
    assert (machine.told, machine.seen.captured) == ([["lo", "eth0"]], 0)
    machine.now_has(lo=1)
    machine.now_has(lo=1, veth1=3, veth2=4)
    assert (len(machine.told), machine.seen.captured) == (1, 2)
    machine.now_has(lo=1)
    assert (machine.told[1:], machine.seen.captured) == ([["lo"]], 0)


def test_nothing_is_told_while_some_interface_is_wanted() -> None:
    machine = Machine("!lo", lo=1, eth0=2)
    assert (machine.told, machine.seen.captured) == ([], 1)
