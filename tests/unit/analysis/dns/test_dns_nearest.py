"""Which Service was meant by a name that does not exist, and where nobody can tell."""

from datetime import UTC, datetime

import pytest

from analysis.dns.finding import Context, Service
from analysis.dns.nearest import Nearest

SEEN = datetime(2026, 11, 1, tzinfo=UTC)
SERVICES = [
    ("shop", "api"), ("shop", "cart"), ("shop", "frontend"), ("shop", "db"), ("payments", "payments"), ("ops", "logs"),
    ("east", "cache"), ("west", "cache"), *((f"team-{number}", "web") for number in range(4)),
]  # fmt: skip
CONTEXT = Context(
    services=[Service(namespace, name, 1, 0) for namespace, name in SERVICES],
    gone={("shop", "basket"): SEEN},
)
FULL = ".svc.cluster.local"


def meant(asked: str, namespace: str | None = "shop", context: Context = CONTEXT) -> list[str]:
    return [one.name for one in Nearest(context).meant(asked, namespace)]


@pytest.mark.parametrize(
    ("asked", "right"),
    [
        pytest.param("cadt", "cart", id="another letter"),
        pytest.param("crat", "cart", id="two letters in the wrong order"),
        pytest.param("forntedn", "frontend", id="twice"),
        pytest.param("paymets.payments", "payments.payments", id="a letter too few"),
        pytest.param("payments.paymens", "payments.payments", id="in the namespace"),
        pytest.param("logs.opss.svc", "logs.ops.svc", id="with svc"),
        pytest.param(f"paymnets.payments{FULL}", f"payments.payments{FULL}", id="in full"),
        pytest.param("payments.payments.svc.cluster.locla", f"payments.payments{FULL}", id="in the domain"),
        pytest.param("payments.payments.scv.cluster.local", f"payments.payments{FULL}", id="in svc"),
        pytest.param("payments.payments.cluster.local", f"payments.payments{FULL}", id="without svc"),
        pytest.param("_http._tcp.paymets.payments", "payments.payments", id="of a port"),
    ],
)
def test_a_name_near_to_a_service(asked: str, right: str) -> None:
    assert meant(asked) == [right]


@pytest.mark.parametrize(
    ("asked", "right"),
    [
        ("payments", ["payments.payments"]),
        ("payments.shop", ["payments.payments"]),
        (f"logs.payments{FULL}", [f"logs.ops{FULL}"]),
        ("cache.ops.svc", ["cache.east.svc", "cache.west.svc"]),
        ("logs.production", ["logs.ops"]),
    ],
)
def test_the_right_service_in_the_wrong_namespace(asked: str, right: list[str]) -> None:
    found = Nearest(CONTEXT).meant(asked, "shop")
    assert [one.name for one in found] == right
    assert all(one.other_namespace for one in found)


def test_a_namespace_that_nobody_has_may_be_a_domain_outside() -> None:
    sure = {
        asked: Nearest(CONTEXT).meant(asked, "shop")[0].sure for asked in ("logs.corp", "logs.corp.svc", "logs.shop")
    }
    assert sure == {"logs.corp": False, "logs.corp.svc": True, "logs.shop": True}


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param("api", id="it is there"),
        pytest.param(f"cart.shop{FULL}", id="it is there in full"),
        pytest.param("_http._tcp.cart.shop", id="a port of one that is there"),
        pytest.param("web.shop", id="in too many namespaces"),
        pytest.param("ipa.shop", id="a short name two letters away is another"),
        pytest.param("dx.shop", id="of two letters one is half"),
        pytest.param("gateway.partner.example", id="outside"),
        pytest.param("rates.example", id="two labels, outside"),
        pytest.param("wpad", id="nothing like it"),
        pytest.param("", id="the root"),
        pytest.param("..", id="empty labels"),
        pytest.param("\x1b[31mred\x1b[0m.<img src=x>", id="hostile"),
        pytest.param("a" * 63 + "." + "b" * 63, id="long labels"),
    ],
)
def test_silent_where_nothing_is_near(asked: str) -> None:
    assert meant(asked) == []


def test_a_short_name_means_the_own_namespace_only() -> None:
    assert meant("cadt", "ops") == []
    assert meant("cadt", None) == []


def test_another_domain() -> None:
    other = Context("k8s.example", CONTEXT.services)
    assert meant("paymets.payments.svc.k8s.example", context=other) == ["payments.payments.svc.k8s.example"]


@pytest.mark.parametrize("asked", ["basket", "basket.shop", "basket.shop.svc", f"basket.shop{FULL}"])
def test_a_service_that_is_gone(asked: str) -> None:
    assert Nearest(CONTEXT).gone(asked, "shop") == ("shop", "basket")


@pytest.mark.parametrize("asked", ["basket.ops", "basket.shop.example", "cart", "", "."])
def test_what_never_was_is_not_gone(asked: str) -> None:
    assert Nearest(CONTEXT).gone(asked, "shop") is None
