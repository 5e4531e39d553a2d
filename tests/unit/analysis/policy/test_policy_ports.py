"""Classes of ports, and their words."""

import numpy as np
import pytest

from analysis.policy.endpoints import ABSENT, Columns
from analysis.policy.ports import OTHERS, PortClasses, Span, merged, told
from analysis.policy.rules import NO_PORT, AllBut, NamedPort, PortRange
from tests.support.policies import endpoint

POD = endpoint("pod", "shop", "api", "10.0.0.1", ports={"http": ("TCP", 8080)})


def classes(*ports: PortRange | NamedPort | AllBut) -> PortClasses:
    return PortClasses(ports, Columns([POD]))


def words(found: PortClasses) -> list[str]:
    return sorted(told(one.spans) for one in found.classes)


def test_without_rules_only_what_can_be_named_is_told_apart() -> None:
    assert words(classes()) == ["TCP; UDP; SCTP", "all other protocols"]


def test_ranges_that_overlap_are_cut_where_they_do() -> None:
    found = classes(PortRange(6, 80, 90), PortRange(6, 85, 100))
    assert words(found) == [
        "TCP 1-79, 101-65535; UDP; SCTP",
        "TCP 80-84",
        "TCP 85-90",
        "TCP 91-100",
        "all other protocols",
    ]


def test_a_name_is_the_number_that_any_pod_gives_it() -> None:
    assert "TCP 8080" in words(classes(NamedPort(6, "http")))
    assert words(classes(NamedPort(17, "http"))) == words(classes())


def test_all_but_some_ports_is_two_classes() -> None:
    assert words(classes(AllBut((PortRange(17, 53, 53),)))) == [
        "TCP; UDP 1-52, 54-65535; SCTP",
        "UDP 53",
        "all other protocols",
    ]


def test_each_port_is_of_the_class_that_has_it() -> None:
    found = classes(PortRange(6, 80, 90), PortRange(1))
    protocol = np.array([6, 6, 6, 6, 17, 1, 58, 6, 6])
    port = np.array([79, 80, 90, 91, 80, NO_PORT, NO_PORT, 0, NO_PORT])
    numbers = found.numbers(protocol, port).tolist()
    assert [told(found.classes[n].spans) if n != ABSENT else None for n in numbers] == [
        "TCP 1-79, 91-65535; UDP; SCTP",
        "TCP 80-90",
        "TCP 80-90",
        "TCP 1-79, 91-65535; UDP; SCTP",
        "TCP 1-79, 91-65535; UDP; SCTP",
        "ICMP",
        "all other protocols but ICMP",
        None,
        None,
    ]


WHOLE = [Span(protocol, 1, 65535) for protocol in (6, 17, 132)] + [Span(one, NO_PORT, NO_PORT) for one in OTHERS]


@pytest.mark.parametrize(
    ("spans", "text"),
    [
        ([], "nothing"),
        (WHOLE, "anything"),
        (WHOLE[1:], "all but TCP"),
        ([*WHOLE[1:], Span(6, 1, 79), Span(6, 81, 65535)], "all but TCP 80"),
        ([Span(6, 80, 80), Span(6, 81, 90)], "TCP 80-90"),
        ([Span(1, NO_PORT, NO_PORT), Span(17, 53, 53)], "UDP 53; ICMP"),
    ],
)
def test_words(spans: list[Span], text: str) -> None:
    assert told(spans) == text


def test_neighbours_become_one() -> None:
    assert merged([Span(6, 3, 4), Span(17, 5, 6), Span(6, 1, 2)]) == [Span(6, 1, 4), Span(17, 5, 6)]
