"""The page on policy: what it asks for, what it shows of policies that are recommended or brought, and of what is hostile."""

import json
import sys
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import viz
from analysis.policy.recommend.dialects import Dialect
from contract.errors import UsageError
from store.lake import Lake
from tests.support.lake import HOSTILE, make_tables
from viz.about import About

MAIN = Path(viz.__file__).parent / "main.py"
TIMEOUT_S = 60

CART_ONLY = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: cart, namespace: shop}
spec:
  podSelector: {matchLabels: {app: cart}}
  ingress: [{from: [{podSelector: {matchLabels: {app: nobody}}}]}]
"""


def page(monkeypatch: pytest.MonkeyPatch, lake: Lake, kube: Path | None = None, **query: str) -> AppTest:
    monkeypatch.setattr(sys, "argv", ["main.py", *About(str(lake.folder), str(kube) if kube else None).arguments])
    app = AppTest.from_file(str(MAIN), default_timeout=TIMEOUT_S)
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    return app.switch_page("app_pages/policy.py").run()


def brought(app: AppTest, *files: tuple[str, bytes]) -> AppTest:
    app.segmented_control("policies").set_value("your own").run()
    for name, content in files:
        app.file_uploader[0].upload(name, content)
    return app.run()


def counts(app: AppTest) -> dict[str, str]:
    return {metric.label.removeprefix(":red[").removesuffix("]"): metric.value for metric in app.metric}


def told(app: AppTest) -> str:
    return "\n".join(text.value for text in app.text)


def test_without_objects_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tables = {name: table for name, table in make_tables().items() if name != "objects"}
    lake = Lake.create(tmp_path / "lake")
    lake.append(tables)
    app = page(monkeypatch, lake, namespace="shop")
    assert not app.exception
    (error,) = app.error
    assert "ingest the captures with --kube into a new lake" in error.value
    file = tmp_path / "objects.json"
    pods = [json.loads(row) for row in make_tables()["objects"]["document"].to_pylist()]
    file.write_text(json.dumps({"kind": "List", "items": pods}))
    app = page(monkeypatch, lake, file, namespace="shop")
    assert not app.error
    assert "NetworkPolicy" in app.code[0].value


def test_it_asks_for_a_namespace_and_takes_the_one_that_is_clicked(monkeypatch: pytest.MonkeyPatch, lake: Lake) -> None:
    app = page(monkeypatch, lake)
    assert [button.label for button in app.button] == ["` kube-system `", "` monitoring `", "` payments `", "` shop `"]
    app.button[3].click().run()
    assert app.selectbox("namespace").value == "shop"
    assert "NetworkPolicy" in app.code[0].value


@pytest.mark.parametrize("dialect", [dialect.value for dialect in Dialect])
def test_a_recommendation_denies_nothing_that_works(monkeypatch: pytest.MonkeyPatch, lake: Lake, dialect: str) -> None:
    app = page(monkeypatch, lake, namespace="shop", dialect=dialect.capitalize())
    assert not app.exception
    assert not app.error
    assert counts(app)["Would be denied"] == "0"
    assert int(counts(app)["Allowed"]) > 3
    assert "less than a week" in told(app)
    assert "Back-test" in told(app)
    assert app.code[0].language == "yaml"


def test_calico_can_be_staged(monkeypatch: pytest.MonkeyPatch, lake: Lake) -> None:
    app = page(monkeypatch, lake, namespace="shop", dialect="Calico")
    assert "kind: NetworkPolicy" in app.code[0].value
    app.pills("style").set_value(["staged"]).run()
    assert "kind: StagedNetworkPolicy" in app.code[0].value
    assert counts(app)["Would be denied"] == "0"
    app.segmented_control("dialect").set_value(Dialect.CILIUM).run()
    assert "kind: CiliumNetworkPolicy" in app.code[0].value
    assert not app.exception


def test_policies_that_are_brought_are_replayed(monkeypatch: pytest.MonkeyPatch, lake: Lake) -> None:
    app = brought(page(monkeypatch, lake, namespace="shop"), ("cart.yaml", CART_ONLY.encode()))
    assert not app.exception
    assert counts(app)["Would be denied"] == "1"
    assert app.code[0].value == CART_ONLY.strip()
    edges = app.dataframe[-1].value
    assert list(edges.iloc[0][["state", "src_name", "dst_name", "ports"]]) == [
        "would be denied",
        "shop/frontend",
        "shop/cart",
        "TCP 7070",
    ]
    app.selectbox("namespace").set_value("payments").run()
    assert counts(app)["Would be denied"] == "0"
    assert "Beside what was chosen, 1 edge would be denied, too." in told(app)


def test_files_of_one_name_are_all_replayed(monkeypatch: pytest.MonkeyPatch, lake: Lake) -> None:
    other = CART_ONLY.replace("name: cart", "name: other").replace("app: cart", "app: frontend")
    files = [("policy.yaml", text.encode()) for text in (CART_ONLY, other)]
    app = brought(page(monkeypatch, lake, namespace="shop"), *files)
    assert not app.error
    assert all(f"name: {name}," in app.code[0].value for name in ("cart", "other"))


def test_json_is_read_as_json(monkeypatch: pytest.MonkeyPatch, lake: Lake) -> None:
    text = (
        b'{\n\t"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",'
        b'"metadata": {"name": "a"}, "spec": {"podSelector": {}}}'
    )
    app = brought(page(monkeypatch, lake, namespace="shop"), ("a.json", text))
    assert not app.error
    assert counts(app)["Would be denied"] == "0"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"a: [", "is not YAML"),
        (b"\xff\xfe", "is not UTF-8 at byte 0"),
        (CART_ONLY.replace("podSelector", "podSelctor").encode(), "podSelctor"),
        (b"kind: '<img src=x onerror=alert(1)>'\napiVersion: v1\n", "<img src=x onerror=alert"),
    ],
)
def test_what_is_wrong_with_a_file_is_one_line(
    monkeypatch: pytest.MonkeyPatch, lake: Lake, content: bytes, words: str
) -> None:
    app = brought(page(monkeypatch, lake, namespace="shop"), ("my\u202epolicies.yaml", content))
    assert not app.exception
    (error,) = app.error
    assert words in error.value
    assert error.value.startswith("`") and error.value.endswith("`")
    assert "\u202e" not in error.value


def test_files_are_kept_while_another_page_is_shown(monkeypatch: pytest.MonkeyPatch, lake: Lake) -> None:
    app = brought(page(monkeypatch, lake, namespace="shop"), ("cart.yaml", CART_ONLY.encode()))
    app.switch_page("app_pages/flows.py").run()
    app.switch_page("app_pages/policy.py").run()
    app.segmented_control("policies").set_value("your own").run()
    assert counts(app)["Would be denied"] == "1"
    next(button for button in app.button if button.label == "Forget").click().run()
    assert not app.metric


def test_hostile_names_are_text_in_what_is_shown(monkeypatch: pytest.MonkeyPatch, lake: Lake) -> None:
    """The lake's labels and domains are hostile."""
    app = page(monkeypatch, lake, namespace="shop")
    assert HOSTILE[0] in set(app.dataframe[-1].value["dst_name"])
    shown = [element.value for kind in (app.markdown, app.caption, app.text) for element in kind]
    assert not any("\x1b" in text or "\u202e" in text for text in shown)
    assert "\u202e" not in app.code[0].value


@pytest.mark.parametrize("arguments", [[], ["--lake"], ["--kube", "x"], ["--lake", "x", "--strange", "y"]])
def test_what_the_app_is_started_with_has_a_lake(arguments: list[str]) -> None:
    with pytest.raises(UsageError):
        About.of(arguments)


def test_what_the_app_is_started_with_comes_back() -> None:
    for about in (About("a b"), About("x", "--kube"), About("x", "y", "z")):
        assert About.of(about.arguments) == about
