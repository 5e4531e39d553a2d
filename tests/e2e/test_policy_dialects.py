"""The shop's policies in the dialects of Calico and Cilium, by the real command line."""

import json
from pathlib import Path

import pytest
import yaml

from tests.support.sample import OBJECTS, tailrace, truth

OPTIONS = (("calico",), ("calico", "--staged"), ("calico", "--domains"), ("cilium",))
KINDS = {
    ("calico",): {"NetworkPolicy", "NetworkSet"},
    ("calico", "--staged"): {"StagedNetworkPolicy", "NetworkSet"},
    ("calico", "--domains"): {"NetworkPolicy", "NetworkSet"},
    ("cilium",): {"CiliumNetworkPolicy"},
}


@pytest.fixture(scope="module", params=OPTIONS, ids=" ".join)
def written(request: pytest.FixtureRequest, sample_lake: Path) -> tuple[tuple[str, ...], str]:
    options: tuple[str, ...] = request.param
    done = tailrace(
        *("policy", "recommend", "--all-namespaces", "--dialect", *options, "--lake", sample_lake, "--kube", OBJECTS)
    )
    assert done.returncode == 0, done.stderr
    return options, done.stdout


def test_what_works_in_the_shop_goes_on_and_attacks_do_not(
    written: tuple[tuple[str, ...], str], sample_lake: Path, tmp_path: Path
) -> None:
    """ICMP too: it is judged where the plugin is known."""
    (tmp_path / "policies.yaml").write_text(written[1])
    options = ("--lake", sample_lake, "--kube", OBJECTS, "-o", "json")
    rows = json.loads(tailrace("policy", "replay", tmp_path / "policies.yaml", *options).stdout)["edges"]
    cut = {
        (row["src_name"], row["dst_name"], row["protocol"], row["port"])
        for row in rows
        if row["finding"].startswith("denied")
    }
    attacks = {
        (edge["src"]["workload"], edge["dst"].get("workload") or edge["dst"]["ip"], edge["protocol"], edge["port"])
        for edge in truth()["edges"]
        if edge["note"] in ("scan", "metadata")
    }
    assert cut == attacks
    assert [row["finding"] for row in rows if not row["finding"].startswith("denied")] == []


def test_the_documents_are_of_the_dialect(written: tuple[tuple[str, ...], str]) -> None:
    options, text = written
    documents = list(yaml.safe_load_all(text))
    assert {one["kind"] for one in documents} == KINDS[options]
    domains = {
        name for one in documents if one["kind"] == "NetworkSet" for name in one["spec"].get("allowedEgressDomains", ())
    } | {
        name["matchName"]
        for one in documents
        for rule in one["spec"].get("egress", ())
        for name in rule.get("toFQDNs", ())
    }
    named = {"gateway.partner-bank.example", "partner-api.example", "rates.partner-api.example", "static.cdn.example"}
    assert domains == (set() if options in (("calico",), ("calico", "--staged")) else named)


def test_the_same_bytes_every_time(written: tuple[tuple[str, ...], str], sample_lake: Path) -> None:
    names = [f"--namespace={name}" for name in ("payments", "shop", "ops")]
    done = tailrace(
        *("policy", "recommend", *names, "--dialect", *written[0], "--lake", sample_lake, "--kube", OBJECTS)
    )
    assert done.stdout == written[1]


@pytest.mark.parametrize("option", ["--staged", "--domains"])
def test_what_calico_alone_can_do_is_refused_elsewhere(sample_lake: Path, option: str) -> None:
    options = ("-A", option, "--dialect", "cilium", "--lake", sample_lake, "--kube", OBJECTS)
    done = tailrace("policy", "recommend", *options)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{option} is for --dialect calico alone" in done.stderr
