"""A cluster followed over HTTP: what a server does, and what it does wrong."""

import time
from pathlib import Path

import pytest

from contract.errors import InputError
from enricher.watch import api as watch_api
from enricher.watch import follower as following
from enricher.watch.api import read_config
from tests.support.fake_api import FakeApi
from tests.support.watching import holders, present, until, watched
from tests.unit.enricher.cluster import endpoints, node, pod, port, service

A, B, C = (pod(name, f"10.1.0.{number}") for number, name in enumerate("abc", 1))


def test_objects_listed_and_changed(tmp_path: Path) -> None:
    with FakeApi() as api:
        api.create(node("n1", "192.168.0.1", "10.1.0.0/24", zone="za"), A)
        with watched(api, tmp_path) as watcher:
            (held,) = holders(watcher, "10.1.0.1")
            assert (held["name"], held["node"], held["zone"], held["until_time"]) == ("a", "n1", "za", None)
            assert watcher.snapshot().ranges == ("10.1.0.0/24",)
            api.create(B)
            until(lambda: present(watcher) == {"a", "b"})
            api.delete("Pod", "a")
            until(lambda: present(watcher) == {"b"})
            assert holders(watcher, "10.1.0.1")[0]["until_time"] is not None


def test_long_list_comes_in_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "PAGE_OBJECTS", 10)
    with FakeApi() as api:
        api.create(*(pod(f"p{number}", f"10.2.0.{number}") for number in range(1, 36)))
        with watched(api, tmp_path) as watcher:
            assert len(present(watcher)) == 35
            assert api.asked("Pod", limit="10") == 4


def test_resumed_where_it_was_cut(tmp_path: Path) -> None:
    with FakeApi(bookmark_s=1000) as api, watched(api, tmp_path) as watcher:
        api.create(A)
        until(lambda: present(watcher) == {"a"})
        api.cut("Pod", raw=b'{"type": "ADDED", "object": {"metadata": {"na')
        api.create(B)
        until(lambda: present(watcher) == {"a", "b"})
        (pods,) = (one for one in watcher.followers if one.resource.kind == "Pod")
        assert pods.lists == 1
        assert pods.errors["connection"] == 1
        assert pods.malformed == 0
        assert api.asked("Pod", watch="true", resourceVersion="101") == 1


def test_bookmarks_move_a_quiet_watch_on(tmp_path: Path) -> None:
    with FakeApi(bookmark_s=0.05) as api, watched(api, tmp_path) as watcher:
        api.create(*(service(f"s{number}", f"10.96.0.{number}") for number in range(5)))
        (pods,) = (one for one in watcher.followers if one.resource.kind == "Pod")
        until(lambda: pods._version == "105", "a bookmark of version 105")
        api.cut("Pod")
        until(lambda: api.asked("Pod", watch="true", resourceVersion="105") == 1)


@pytest.mark.parametrize("by_event", [False, True], ids=["status", "event"])
def test_expired_history_is_listed_anew_and_vanished_objects_end(tmp_path: Path, by_event: bool) -> None:
    with FakeApi(bookmark_s=1000) as api:
        api.expires_by_event = by_event
        api.create(A, B)
        with watched(api, tmp_path) as watcher:
            api.fail("Pod", 503, times=1)
            api.cut("Pod")
            api.delete("Pod", "a", unseen=True)
            api.create(C)
            until(lambda: present(watcher) == {"b", "c"})
            assert holders(watcher, "10.1.0.1")[0]["until_time"] is not None
            (pods,) = (one for one in watcher.followers if one.resource.kind == "Pod")
            assert (pods.lists, pods.errors["expired"], pods.errors["http_503"]) == (2, 1, 1)


def test_list_whose_pages_expired_begins_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "PAGE_OBJECTS", 1)
    with FakeApi() as api:
        api.create(A, B)
        api.lose_pages = 1
        with watched(api, tmp_path) as watcher:
            assert present(watcher) == {"a", "b"}
            (pods,) = (one for one in watcher.followers if one.resource.kind == "Pod")
            assert pods.errors["expired"] == 1


def test_server_that_refuses_is_asked_again_and_retry_after_is_kept(tmp_path: Path) -> None:
    with FakeApi() as api:
        api.create(A)
        api.fail("Pod", 429, times=1, Retry_After="1")
        begun = time.monotonic()
        with watched(api, tmp_path) as watcher:
            assert time.monotonic() - begun >= 1
            assert present(watcher) == {"a"}


def test_synced_only_when_every_watched_kind_is(tmp_path: Path) -> None:
    with FakeApi() as api:
        api.forbidden = {"ReplicaSet"}
        with watched(api, tmp_path, synced=False) as watcher:
            until(lambda: sum(one.is_synced for one in watcher.followers) == 6)
            assert not watcher.is_synced
            assert until(lambda: [line for line in watcher.said if line.startswith("ReplicaSet")]) == [
                "ReplicaSet: Kubernetes API: /apis/apps/v1/replicasets: answered 403"
            ]
            api.forbidden = set()
            until(lambda: watcher.is_synced)


def test_silent_connection_is_given_up_and_nothing_is_missed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch_api, "SILENCE_S", 0.3)
    with FakeApi() as api, watched(api, tmp_path) as watcher:
        api.mute("Pod")
        api.create(A)
        until(lambda: present(watcher) == {"a"})
        (pods,) = (one for one in watcher.followers if one.resource.kind == "Pod")
        assert pods.errors == {"timeout": 1}
        assert pods.lists == 1


@pytest.mark.parametrize(
    "raw",
    [
        b"no JSON\n",
        b"[1, 2]\n",
        b'{"type": "ADDED"}\n',
        b'{"type": "ADDED", "object": [1]}\n',
        b'{"type": "PAINTED", "object": {"metadata": {}}}\n',
        b"\xff\xfe\n",
        b"[" * 100_000 + b"\n",
    ],
)
def test_malformed_event_is_counted_and_passed_over(tmp_path: Path, raw: bytes) -> None:
    with FakeApi() as api, watched(api, tmp_path) as watcher:
        api.send("Pod", raw)
        api.create(A)
        until(lambda: present(watcher) == {"a"})
        (pods,) = (one for one in watcher.followers if one.resource.kind == "Pod")
        assert pods.malformed == 1
        assert pods.lists == 1


def test_object_that_makes_no_sense_is_counted_and_what_was_known_stays(tmp_path: Path) -> None:
    with FakeApi() as api:
        api.create(A)
        with watched(api, tmp_path) as watcher:
            api.modify(A | {"status": {"podIP": "no address"}})
            until(lambda: watcher.counts()["objects_refused"])
            assert present(watcher) == {"a"}


def test_overlong_line_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("enricher.watch.lines.MOST_LINE_BYTES", 10_000)
    with FakeApi() as api, watched(api, tmp_path) as watcher:
        api.create(pod("long", "10.1.0.9", labels={"x": "y" * 20_000}), A)
        until(lambda: present(watcher) == {"a"})
        (pods,) = (one for one in watcher.followers if one.resource.kind == "Pod")
        assert pods.malformed == 1


def test_kinds_that_the_cluster_lacks_are_left_out_and_said_once(tmp_path: Path) -> None:
    with FakeApi() as api:
        api.kinds -= {"IPPool", "ServiceCIDR"}
        api.forbidden = {"ServiceAccount"}
        api.create({"kind": "Deployment", "metadata": {"name": "web", "namespace": "shop"}})
        with watched(api, tmp_path) as watcher:
            until(lambda: "Deployment" in watcher.drain().objects["kind"].to_pylist())
            until(lambda: len(watcher.said) == 4)
            kinds = [line.split()[0] for line in watcher.said]
            # Calico's policies are lacking, those of Kubernetes are there.
            assert kinds == ["ServiceAccount", "ServiceCIDR", "IPPool", "NetworkPolicy"]
            assert watcher.lister.errors == {"http_403": 1, "http_404": 6}


def test_networks_of_the_cluster_are_listed(tmp_path: Path) -> None:
    with FakeApi() as api:
        api.create(
            {"kind": "ServiceCIDR", "metadata": {"name": "kubernetes"}, "spec": {"cidrs": ["10.96.0.0/12"]}},
            {"kind": "IPPool", "metadata": {"name": "default"}, "spec": {"cidr": "10.244.0.0/16"}},
        )
        with watched(api, tmp_path) as watcher:
            until(lambda: watcher.snapshot().ranges == ("10.244.0.0/16", "10.96.0.0/12"))


def test_stop_ends_open_watches_and_slow_lists_at_once(tmp_path: Path) -> None:
    with FakeApi() as api:
        api.slow = {"Job": 30.0}
        with watched(api, tmp_path, synced=False) as watcher:
            until(lambda: sum(one.is_synced for one in watcher.followers) == 6)
            begun = time.monotonic()
            watcher.stop()
            assert time.monotonic() - begun < 1
            assert not any(thread.is_alive() for thread in watcher._threads)


def test_token_is_shown_and_read_again_when_it_is_refused(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("first")
    with FakeApi(token="first") as api:
        api.create(A)
        with watched(api, tmp_path, tokenFile=str(token)) as watcher:
            token.write_text("second")
            api.token = "second"
            api.cut("Pod")
            api.create(B)
            until(lambda: present(watcher) == {"a", "b"})


def test_token_of_a_command(tmp_path: Path) -> None:
    answer = '{"status": {"token": "made"}}'
    command = {"apiVersion": "client.authentication.k8s.io/v1", "command": "echo", "args": [answer]}
    with FakeApi(token="made") as api:
        api.create(A)
        with watched(api, tmp_path, exec=command) as watcher:
            assert present(watcher) == {"a"}


def test_wrong_token_is_told(tmp_path: Path) -> None:
    with FakeApi(token="right") as api, watched(api, tmp_path, synced=False, token="wrong") as watcher:
        until(lambda: any("401" in line for line in watcher.said))
        assert not watcher.is_synced


@pytest.mark.parametrize("text", ["", "]", "{}", "clusters: 7", "clusters: []\ncontexts: []\ncurrent-context: gone\n"])
def test_kubeconfig_that_is_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config"
    path.write_text(text)
    with pytest.raises(InputError, match="config"):
        read_config(path)


def test_kubeconfig_that_is_absent(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not found"):
        read_config(tmp_path / "absent")


def test_service_and_endpoints_followed(tmp_path: Path) -> None:
    with FakeApi() as api:
        api.create(A, B, service("web", "10.96.0.1", port(80)), endpoints("web", [port(8080)], A, B))
        with watched(api, tmp_path) as watcher:
            found = watcher.snapshot().endpoints.to_pylist()
            assert [(row["ip"], row["port"], row["ready"]) for row in found] == [
                ("10.1.0.1", 8080, True),
                ("10.1.0.2", 8080, True),
            ]
            api.modify(endpoints("web", [port(8080)], B))
            until(
                lambda: (
                    {row["ip"]: row["ready"] for row in watcher.snapshot().endpoints.to_pylist()}["10.1.0.1"] is False
                )
            )
