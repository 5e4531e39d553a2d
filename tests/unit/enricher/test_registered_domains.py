"""Which part of a name somebody registered."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from enricher.registered import registered_domains

LONG = ".".join(["x" * 63] * 3 + ["y" * 49, "example.com"])


def registered(name: str | None, **more: str) -> str | None:
    (found,) = registered_domains(pa.chunked_array([[name]], pa.string()), **more).to_pylist()
    return None if found is None else str(found)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("example.com", "example.com"),
        ("a.b.example.com", "example.com"),
        ("a.b.example.co.uk", "example.co.uk"),
        ("WWW.Example.COM", "example.com"),
        ("www.example.com.", "example.com"),
        ("_ldap._tcp.example.com", "example.com"),
        ("www.partner.example", "partner.example"),
        pytest.param("www.alice.github.io", "alice.github.io", id="private section: a customer of the suffix's owner"),
        pytest.param("bucket.s3.amazonaws.com", "bucket.s3.amazonaws.com", id="private section"),
        pytest.param("www.town.shop.ck", "town.shop.ck", id="wildcard *.ck"),
        pytest.param("a.www.ck", "www.ck", id="exception !www.ck"),
        pytest.param("a.city.kawasaki.jp", "city.kawasaki.jp", id="exception !city.kawasaki.jp"),
        pytest.param("www.xn--85x722f.xn--55qx5d.cn", "xn--85x722f.xn--55qx5d.cn", id="punycode"),
        pytest.param("shop.xn--fiqs8s", "shop.xn--fiqs8s", id="punycode top level"),
        pytest.param(LONG, "example.com", id="255 octets on the wire"),
    ],
)
def test_part_below_the_public_suffix(name: str, expected: str) -> None:
    assert registered(name) == expected


@pytest.mark.parametrize(
    "name",
    [
        None, "", ".", "localhost", "com", "co.uk", "github.io", "shop.ck", "ck",
        "192.0.2.1", "192.0.2.1.", "2001:db8::1", "::ffff:192.0.2.1", "a..example.com", ".example.com",
    ],
)  # fmt: skip
def test_nothing_that_is_registered(name: str | None) -> None:
    assert registered(name) is None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (r"a\.b.example.com", "example.com"),
        (r"\000\255.Example.com.", "example.com"),
        (r"www.ex\032ample.com", r"ex\032ample.com"),
        pytest.param(r"www.co\.uk", r"www.co\.uk", id="a dot inside a label makes no suffix"),
        pytest.param(r"example\.com", None, id="a single label"),
        pytest.param(r"a.b\\.com", r"b\\.com", id="a backslash before a dot that parts"),
        (r"\.1.2.3", None),
    ],
)
def test_escaped_octets_stay_inside_their_label(name: str, expected: str | None) -> None:
    assert registered(name) == expected


def test_names_inside_the_cluster_are_nobodys() -> None:
    for name in ("db.shop.svc.cluster.local", "cluster.local", "api.example.com.Cluster.Local."):
        assert registered(name) is None
    assert registered("db.shop.svc.k8s.example.com") == "example.com"
    assert registered("db.shop.svc.k8s.example.com", cluster_domain="k8s.example.com") is None
    assert registered("notcluster.local") == "notcluster.local"


def test_rows_keep_their_order_over_chunks() -> None:
    names = pa.chunked_array([["a.example.com", None], [], ["a.example.org", "a.example.com"]], pa.string())
    assert registered_domains(names).to_pylist() == ["example.com", None, "example.org", "example.com"]
    assert registered_domains(pa.chunked_array([], pa.string())).to_pylist() == []


LABELS = st.sampled_from(
    ("a", "b-1", "com", "uk", "co", "jp", "kawasaki", "city", "github", "io", r"\.", r"\\", r"\032")
)


@given(st.lists(LABELS, min_size=1, max_size=6))
def test_found_is_the_end_of_the_name_and_stands_for_all_below_it(labels: list[str]) -> None:
    name = ".".join(labels)
    found = registered(name)
    assert found is None or (f".{name}".endswith(f".{found}") and registered(f"more.{found}") == found)
